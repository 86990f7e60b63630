import { buildElf } from '@prof-gen/testkit';
import { expect, test } from 'vitest';
import summarizeTask from './summarize-worker.js';
import { decodeSummary } from './summary/encode-summary.js';
import { summarize } from './summary/summarize.js';

test('a worker gives a summary as bytes', async () => {
  const bytes = buildElf({ code: Uint8Array.of(0xc3) });
  const outcome = await summarizeTask({ bytes, path: '/lib/one' });
  expect(outcome.ok && decodeSummary(outcome.value.summary)).toEqual(summarize(bytes));
});

test('what goes wrong comes as data, with the name of the file', async () => {
  const outcome = await summarizeTask({
    bytes: new TextEncoder().encode('no ELF file'),
    path: '/lib/\u001bone',
  });
  expect(outcome).toMatchObject({ ok: false, error: { code: expect.stringMatching(/^elf\//) as unknown } });
  expect(!outcome.ok && outcome.error.message).toMatch(/^\/lib\/[^\u001b]*one: /);
});
