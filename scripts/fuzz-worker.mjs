// Analyses mutated files as they are asked for; scripts/check-fuzz.mjs watches time and memory from outside.
import { readFile } from 'node:fs/promises';
import { decodeDetail, decodeSummary, encodeDetail, encodeSummary } from '@prof-gen/analyzer';
import { summarizeWithDetail } from '@prof-gen/analyzer/summarize';
import { ProfGenError } from '@prof-gen/core';
import { mutateElf } from '@prof-gen/testkit';

const intact = new Map();

process.on('message', async ({ file, seed }) => {
  let bytes = intact.get(file);
  if (bytes === undefined) intact.set(file, (bytes = new Uint8Array(await readFile(file))));
  const started = performance.now();
  let outcome;
  try {
    const { summary, detail } = summarizeWithDetail(seed === undefined ? bytes : mutateElf(bytes, seed));
    decodeSummary(encodeSummary(summary));
    decodeDetail(encodeDetail(detail));
    outcome = 'analysed';
  } catch (error) {
    outcome =
      error instanceof ProfGenError ? error.code : `CRASH ${error instanceof Error ? error.stack : error}`;
  }
  process.send({
    outcome,
    milliseconds: performance.now() - started,
    // The kernel counts kibibytes.
    peakMemory: process.resourceUsage().maxRSS * 1024,
  });
});
