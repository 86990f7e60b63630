import { type Outcome, outcomeOf, ProfGenError, printable } from '@prof-gen/core/base';
import { debugDataOf } from './elf/debug-data.js';
import { encodeDetail, encodeSummary } from './summary/encode-summary.js';
import { summarizeWithDetail } from './summary/summarize.js';

export interface SummarizeTask {
  readonly bytes: Uint8Array;
  /** Only for errors. */
  readonly path: string;
}

export interface SummarizeResult {
  /** For `decodeSummary`. */
  readonly summary: Uint8Array;
  /** For `decodeDetail`. */
  readonly detail: Uint8Array;
}

/**
 * One file on a worker thread. Each thread has its own decoder (WASM instance).
 * Never throws: errors lose their class and fields between threads, so they come as data, with the file's path.
 */
export default async function summarizeTask({
  bytes,
  path,
}: SummarizeTask): Promise<Outcome<SummarizeResult>> {
  return outcomeOf(async () => {
    try {
      const { summary, detail } = summarizeWithDetail(bytes, await debugDataOf(bytes));
      return { summary: encodeSummary(summary), detail: encodeDetail(detail) };
    } catch (error) {
      if (!(error instanceof ProfGenError)) throw error;
      throw new ProfGenError(error.code, `${printable(path)}: ${error.message}`, {
        ...(error.hint === undefined ? {} : { hint: error.hint }),
        details: { ...error.details, path },
        causes: error.causes,
      });
    }
  });
}
