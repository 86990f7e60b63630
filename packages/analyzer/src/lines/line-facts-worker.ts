import type { LineFacts } from '@prof-gen/core';
import { type Outcome, outcomeOf } from '@prof-gen/core/base';
import type { SummarizeTask } from '../summarize-worker.js';
import { lineFacts } from './line-facts.js';

/** One file on a worker thread. Never throws: errors come as data. */
export default async function lineFactsTask({ bytes }: SummarizeTask): Promise<Outcome<LineFacts>> {
  return outcomeOf(() => lineFacts(bytes));
}
