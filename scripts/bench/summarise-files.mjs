// Summaries of all ELF files of a root file system in a process of its own: ROOTFS THREADS DATABASE OUTPUT.
import { writeFile } from 'node:fs/promises';
import { analyzerVersion } from '@prof-gen/analyzer';
import { openSummarizer } from '@prof-gen/runner';
import { openSummaryStore } from '@prof-gen/store';
import { diskTree } from '@prof-gen/testkit';

const [rootfs, threads, database, output] = process.argv.slice(2);
const tree = diskTree(rootfs);
const entries = [...tree.entries()].filter(({ type, kind }) => type === 'file' && kind === 'elf');
const distinct = [...new Map(entries.map((entry) => [entry.digest.slice('sha256:'.length), entry]))];
distinct.sort((a, b) => b[1].size - a[1].size || (a[0] < b[0] ? -1 : 1));

const summaries = openSummaryStore(database);
const summarizer = openSummarizer({ summaries, threads: Number(threads) });
const started = performance.now();
const outcomes = await Promise.all(
  distinct.map(([sha256, entry]) =>
    summarizer.summarize({ sha256, path: entry.path, size: entry.size, read: () => tree.read(entry) }),
  ),
);
const seconds = (performance.now() - started) / 1000;
await summarizer.close();

const made = distinct.flatMap(([sha256, { path, size }]) => {
  const summary = summaries.get(sha256, analyzerVersion);
  const detail = summaries.names(sha256, analyzerVersion);
  return summary === undefined ? [] : [{ path, size, summary: summary.length, detail: detail.length }];
});
summaries.close();
await writeFile(
  output,
  JSON.stringify({
    seconds,
    // Of all threads together; kibibytes.
    peakResident: process.resourceUsage().maxRSS * 1024,
    failed: outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error.message])),
    made,
  }),
);
