import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeDetail, encodeSummary } from '@prof-gen/analyzer';
import { summarizeWithDetail } from '@prof-gen/analyzer/summarize';
import { openSummaryStore, type SummaryStore } from '@prof-gen/store';
import { buildElf } from '@prof-gen/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSummarizer, type Summarizer, type SummarizerOptions } from './summarizer.js';

/** A worker that does what the file's content says. */
const obedientWorker = `
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const hold = [];
const made = (part) => Uint8Array.from(readFileSync(join(__dirname, part)));
module.exports = ({ bytes, path }) => {
  const order = Buffer.from(bytes).toString();
  if (order === 'hang') for (;;) ;
  if (order === 'crash') process.exit(1);
  if (order === 'eat') for (;;) hold.push(new Array(1e5).fill({}));
  if (order === 'answer') return { ok: true, value: { summary: made('summary'), detail: made('detail') } };
  return { ok: false, error: { code: 'test/done', message: path } };
};
`;

let directory: string;
let summaries: SummaryStore;
let opened: Summarizer[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prof-gen-summarizer-'));
  await writeFile(join(directory, 'worker.cjs'), obedientWorker);
  summaries = openSummaryStore(join(directory, 'summaries.db'));
  opened = [];
});

afterEach(async () => {
  await Promise.all(opened.map((summarizer) => summarizer.close()));
  summaries.close();
  await rm(directory, { recursive: true });
});

function open(options: Omit<SummarizerOptions, 'summaries'>): Summarizer {
  const summarizer = openSummarizer({ summaries, ...options });
  opened.push(summarizer);
  return summarizer;
}

const file = (sha256: string, content: string | Uint8Array) => {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return {
    sha256,
    path: `/lib/${sha256}`,
    size: bytes.length,
    read: () => Promise.resolve(Uint8Array.from(bytes)),
  };
};

test.each([
  ['hang', 'analysis/file-timeout'],
  ['crash', 'analysis/worker-died'],
  ['eat', 'analysis/worker-died'],
])('a file that makes its worker %s costs its own result only', async (order, code) => {
  const worker = join(directory, 'worker.cjs');
  const { summarize } = open({ worker, threads: 1, secondsPerFile: 2, heapPerWorker: 32 });
  const [before, bad, after] = await Promise.all([
    summarize(file('before', 'work')),
    summarize(file('bad', order)),
    summarize(file('after', 'work')),
  ]);
  expect(bad).toMatchObject({ ok: false, error: { code, details: { file: '/lib/bad' } } });
  expect(bad.ok === false && bad.error.message).toContain('/lib/bad');
  for (const good of [before, after]) expect(good).toMatchObject({ error: { code: 'test/done' } });
});

test('waiting for a thread is not time that a file takes, and a file that waits is not read', async () => {
  const worker = join(directory, 'worker.cjs');
  const { summarize } = open({ worker, threads: 1, secondsPerFile: 1 });
  const order: string[] = [];
  const noted = (name: string, content: string) => {
    const one = file(name, content);
    return {
      ...one,
      read: () => {
        order.push(name);
        return one.read();
      },
    };
  };
  const first = summarize(noted('first', 'hang'));
  const small = summarize(noted('small', 'work'));
  const large = summarize(noted('large', 'work that is longer'));
  await new Promise((done) => setImmediate(done));
  expect(order).toEqual(['first']);
  expect(await first).toMatchObject({ error: { code: 'analysis/file-timeout' } });
  expect(await small).toMatchObject({ error: { code: 'test/done' } });
  expect(await large).toMatchObject({ error: { code: 'test/done' } });
  expect(order).toEqual(['first', 'large', 'small']);
});

test('equal files are analysed once, also when two ask at the same time; afterwards they are in the cache', async () => {
  const { summary, detail } = summarizeWithDetail(buildElf({ code: Uint8Array.of(0xc3) }));
  await writeFile(join(directory, 'summary'), encodeSummary(summary));
  await writeFile(join(directory, 'detail'), encodeDetail(detail));
  const summarizer = open({ worker: join(directory, 'worker.cjs'), threads: 2 });
  const [first, second] = await Promise.all([
    summarizer.summarize(file('equal', 'answer')),
    summarizer.summarize({ ...file('equal', 'answer'), path: '/other/image' }),
  ]);
  expect(first).toEqual({ ok: true, value: summary });
  expect(second).toBe(first);
  expect(summarizer.counts).toEqual({ files: 1, made: 1 });
  expect(summarizer.known('other')).toBeUndefined();
  expect(summarizer.known('equal')).toEqual(summary);
  expect(await summarizer.summarize(file('equal', 'crash'))).toEqual(first);
  expect(await summarizer.detail(file('equal', 'crash'))).toEqual({ ok: true, value: detail });
  expect(summarizer.counts).toEqual({ files: 3, made: 1 });
});

test('a file that cannot be read is an error of its own', async () => {
  const summarizer = open({ threads: 1 });
  const broken = { ...file('gone', ''), read: () => Promise.reject(new Error('it is gone')) };
  expect(await summarizer.summarize(broken)).toMatchObject({ ok: false });
});
