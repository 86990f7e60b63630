import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hostile, reportInput } from '../e2e/report-fixture.js';
import { fileNames } from './file-names.js';
import { html, jsonBlock } from './html/html.js';
import { renderReport } from './index.js';
import { imagesCsv, imagesMarkdown } from './tables/images-table.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'prof-gen-render-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

it('gives equal bytes for equal input and replaces an older report', async () => {
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
  expect(imagesMarkdown(reportInput.images).split('\n')).toHaveLength(reportInput.images.length + 3);
  expect(imagesMarkdown(reportInput.images)).not.toMatch(/[^\\]<script/);
});

it('names files safely and distinctly', () => {
  const names = fileNames(['redis', 'Redis', '../../etc/passwd', '.hidden', '', 'ü', hostile, 'redis-2']);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z0-9_][a-z0-9._-]*$/);
});
