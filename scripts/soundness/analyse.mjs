// The analyzer as `prof-gen --static` uses it, over the root file system of the soundness check.
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { analyzeImage, explainImage } from '@prof-gen/analyzer';
import { confineFile, openSummarizer } from '@prof-gen/runner';
import { openSummaryStore } from '@prof-gen/store';
import { diskTree } from '@prof-gen/testkit';
import { cache, hashOf, workspace } from './rootfs.mjs';

/**
 * Opens the analyzer, with as many threads as there are processors unless said. What is checked is always the code at
 * hand: unless a database is named, summaries are kept in one that lives as long as the analyzer's code does not change.
 */
export async function openAnalyser(rootfs, { database, threads } = {}) {
  const summaries = openSummaryStore(database ?? (await databaseOfThisCode()));
  const summarizer = openSummarizer({ summaries, ...(threads === undefined ? {} : { threads }) });
  const tree = diskTree(rootfs);
  const inputOf = (path, objects) => ({
    tree,
    command: {
      argv: [path],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      workingDir: '/',
      user: '',
    },
    healthcheck: [],
    shell: ['/bin/sh', '-c'],
    observed: objects.length === 0 ? [] : [{ path, argvs: [], objects, syscalls: [], phase: 'check' }],
    summarize: summarizer.summarize,
    known: summarizer.known,
    image: 'soundness',
  });
  return {
    tree,
    /** The analysis of one program alone; `objects` are linked to it as if a trace had seen them mapped. */
    async analyse(path, { objects = [] } = {}) {
      const { programs, undecided } = await analyzeImage(inputOf(path, objects));
      const program = programs.find((one) => one.path === path);
      if (program === undefined) throw new Error(`the analysis of ${path} does not have it`);
      return { program, undecided };
    },
    /** The shortest way to each of these calls that the program can make, by number. */
    async explain(path, syscalls) {
      const { answers } = await explainImage({
        ...inputOf(path, []),
        question: { syscalls, unresolved: false, chains: 1 },
        isWantedProgram: (one) => one === path,
        detail: summarizer.detail,
      });
      return answers[0]?.answer.syscalls ?? new Map();
    },
    /** What Confine's method looks at in a file. */
    confineFile: (entry) => confineFile(tree, summarizer, entry.path, entry.digest.slice('sha256:'.length)),
    async close() {
      await summarizer.close();
      summaries.close();
    },
  };
}

async function databaseOfThisCode() {
  const code = await hashOf(join(workspace, 'packages/analyzer/dist'), /\.js$/);
  await mkdir(cache, { recursive: true });
  for (const name of await readdir(cache)) {
    if (name.startsWith('summaries-') && !name.includes(code)) await rm(join(cache, name), { force: true });
  }
  return join(cache, `summaries-${code}.db`);
}
