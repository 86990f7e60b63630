import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { x86_64Syscalls } from '@prof-gen/core';
import { hostile, manyImages, reportInput } from '../e2e/report-fixture.js';
import { fileNames } from './file-names.js';
import { html, jsonBlock } from './html/html.js';
import { renderReport } from './index.js';
import { imagesCsv, imagesTable } from './tables/images-table.js';
import { tablesAsMarkdown } from './tables/table-formats.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'prof-gen-render-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

it('gives equal bytes for equal input and replaces an older report', { timeout: 300_000 }, async () => {
  const one = await renderReport(reportInput, join(directory, 'one'));
  const two = await renderReport(reportInput, join(directory, 'two'));
  expect(one.files).toContain('charts/allowed.png');
  expect(two.files).toEqual(one.files);
  for (const name of one.files) {
    expect(
      readFileSync(join(directory, 'one', name)).equals(readFileSync(join(directory, 'two', name))),
      name,
    ).toBe(true);
  }
  const fewer = await renderReport({ ...reportInput, images: [], failures: [] }, join(directory, 'one'));
  expect(fewer.files.filter((name) => name.startsWith('images/'))).toEqual([]);
  expect(readdirSync(directory).sort()).toEqual(['one', 'two']);
  expect(readdirSync(join(directory, 'one'))).not.toContain('profiles');
});

it('says so where the run has not compared, and leaves out what needs it', async () => {
  const { comparison: _, claims: __, ...without } = reportInput;
  const images = reportInput.images.map(({ comparison: ___, ...image }) => image);
  const { files } = await renderReport({ ...without, images }, join(directory, 'one'));
  expect(files.filter((name) => /^comparison|^claims|distribution|categories/.test(name))).toEqual([]);
  const text = (name: string) => readFileSync(join(directory, 'one', name), 'utf8');
  expect(text('index.html')).toMatch(/has not compared its images/);
  expect(text('images/redis.html')).not.toMatch(/Other methods/);
  expect(text('calls/read.html')).not.toMatch(/Methods that allow it/);
});

it('has a page for each call of the table, with the images that need it', async () => {
  const { files } = await renderReport(reportInput, join(directory, 'one'));
  expect(files.filter((name) => name.startsWith('calls/'))).toHaveLength(x86_64Syscalls.names.length + 1);
  const page = readFileSync(join(directory, 'one/calls/accept.html'), 'utf8');
  expect(page).toContain('allowed in 4 of 4 images');
  expect(page).toContain('../images/redis.html');
});

it('stays under ten megabytes with 120 images', { timeout: 300_000 }, async () => {
  const { files } = await renderReport(manyImages(120), join(directory, 'one'));
  const bytes = files.reduce((sum, name) => sum + statSync(join(directory, 'one', name)).size, 0);
  expect(bytes).toBeLessThan(10_000_000);
});

it('never replaces a directory that is not a report', async () => {
  writeFileSync(join(directory, 'mine.txt'), 'precious');
  await expect(renderReport(reportInput, directory)).rejects.toMatchObject({
    code: 'usage/report-directory',
  });
  expect(readdirSync(directory)).toEqual(['mine.txt']);
  await expect(renderReport(reportInput, join(directory, 'mine.txt'))).rejects.toMatchObject({
    code: 'environment/cannot-write',
  });
});

it('shows text as text, in markup, in attributes, in JSON and in tables', () => {
  expect(html`<a title="${hostile}">${hostile}</a>`.markup).not.toMatch(/<(?!\/?a)|onerror="|\u202e/);
  expect(jsonBlock('x', hostile).markup.match(/</g)).toHaveLength(2);
  const csv = imagesCsv([{ ...reportInput.images[0], name: '=1+1,"x"' } as (typeof reportInput.images)[0]]);
  expect(csv.split('\r\n')[1]).toMatch(/^"'=1\+1,""x""",/);
  const markdown = tablesAsMarkdown([imagesTable(reportInput.images)]);
  expect(markdown.split('\n')).toHaveLength(reportInput.images.length + 5);
  expect(markdown).not.toMatch(/[^\\]<script/);
});

it('names files safely and distinctly', () => {
  const names = fileNames(['redis', 'Redis', '../../etc/passwd', '.hidden', '', 'ü', hostile, 'redis-2']);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z0-9_][a-z0-9._-]*$/);
});
