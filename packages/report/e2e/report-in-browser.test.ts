import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderReport } from '../src/index.js';
import { reportInput } from './report-fixture.js';

const directory = mkdtempSync(join(tmpdir(), 'prof-gen-report-'));
const target = join(directory, 'report');
let browser: Browser;
let files: readonly string[];

beforeAll(async () => {
  ({ files } = await renderReport(reportInput, target));
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
});
afterAll(async () => {
  await browser.close();
  rmSync(directory, { recursive: true });
});

async function open(name: string, width = 1200, colorScheme: 'light' | 'dark' = 'light') {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme, offline: true });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!/^(file|data):/.test(request.url())) complaints.push(request.url());
  });
  await page.goto(pathToFileURL(join(target, name)).href);
  return { page, complaints, close: () => context.close() };
}

/** All pages, but of those of calls only some: a frequent call, a dangerous one, one that nothing needs. */
const pages = (names: readonly string[]) =>
  names.filter(
    (name) =>
      name.endsWith('.html') &&
      (!name.startsWith('calls/') || /\/(index|accept|ptrace|writev)\.html$/.test(name)),
  );

const shownNames = (page: Page) => page.locator('#image-table tbody tr:not([hidden]) th a').allTextContents();

describe('the report in a browser', () => {
  it.each([
    [390, 'dark'],
    [390, 'light'],
    [1200, 'light'],
    [1200, 'dark'],
  ] as const)(
    'shows every page at %i pixels, %s, without a complaint, overflow or foreign code',
    async (width, scheme) => {
      for (const name of pages(files)) {
        const { page, complaints, close } = await open(name, width, scheme);
        for (const details of await page.locator('details').all())
          await details.evaluate((element: { open: boolean }) => {
            element.open = true;
          });
        expect(complaints, name).toEqual([]);
        const facts = await page.evaluate(`({
          owned: 'owned' in window,
          overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
          handlers: document.querySelectorAll('[onerror], [onload], [onclick]').length,
          scripts: [...document.scripts].every((s) => s.type === 'application/json' || s.src.includes('/assets/')),
          headings: document.querySelectorAll('h1').length,
          uncaptioned: [...document.querySelectorAll('table')].filter((t) => !t.caption).length,
        })`);
        expect(facts, name).toEqual({
          owned: false,
          overflow: 0,
          handlers: 0,
          scripts: true,
          headings: 1,
          uncaptioned: 0,
        });
        await close();
      }
    },
  );

  it('sorts and filters by keyboard', async () => {
    const { page, close } = await open('index.html');
    const head = page.locator('#image-table th', { hasText: 'Allowed' });
    await head.locator('button').focus();
    await page.keyboard.press('Enter');
    expect(await head.getAttribute('aria-sort')).toBe('ascending');
    expect((await shownNames(page)).slice(1)).toEqual(['redis', 'nginx', 'python']);
    await page.keyboard.press('Enter');
    expect((await shownNames(page)).slice(0, 3)).toEqual(['python', 'nginx', 'redis']);
    await page.getByLabel('Filter').fill('NGI');
    expect(await shownNames(page)).toEqual(['nginx']);
    expect(await page.locator('[data-count]').textContent()).toBe('1 image');
    await page.getByLabel('Filter').fill('');
    await page.getByRole('combobox', { name: 'Proof' }).selectOption('failed');
    expect(await shownNames(page)).toEqual(['python']);
    await page.getByRole('combobox', { name: 'Proof' }).selectOption('');
    await page.getByRole('combobox', { name: 'Category' }).selectOption('web server');
    expect(await shownNames(page)).toEqual(['nginx']);
    await page.getByRole('combobox', { name: 'Category' }).selectOption('');
    await page.getByRole('combobox', { name: 'Language' }).selectOption('Python');
    expect(await shownNames(page)).toEqual(['python']);
    await close();
  });

  it.each(['light', 'dark'] as const)('has nothing serious for axe, %s', async (scheme) => {
    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    for (const name of ['index.html', 'images/redis.html', 'calls/index.html', 'calls/accept.html']) {
      const { page, close } = await open(name, 390, scheme);
      await page.evaluate(axe);
      const found = await page.evaluate<unknown[]>(`axe.run().then(({ violations }) => violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => [id, nodes[0].html]))`);
      expect(found, name).toEqual([]);
      await close();
    }
  });

  it('filters all calls by how many images allow them', async () => {
    const { page, close } = await open('calls/index.html');
    await page.getByRole('combobox', { name: 'Allowed in' }).selectOption('some');
    const shown = await page.locator('#calls-table tbody tr:not([hidden])').count();
    expect(shown).toBe(193 - 60);
    await page.getByRole('combobox', { name: 'Dangerous' }).selectOption('yes');
    expect(await page.locator('[data-count]').textContent()).toBe('0 calls');
    await close();
  });

  it('filters calls and offers the profile', async () => {
    const { page, close } = await open('images/redis.html');
    await page.getByLabel('Filter').fill('clone');
    const calls = await page.locator('#call-table tbody tr:not([hidden]) th').allTextContents();
    expect(calls.length).toBeGreaterThan(0);
    expect(calls.every((name) => name.includes('clone'))).toBe(true);
    const href = await page.getByText('Docker profile').getAttribute('href');
    expect(readFileSync(join(target, 'images', href ?? ''), 'utf8')).toBe(
      reportInput.images[0]?.dockerProfile,
    );
    await close();
  });

  it('draws its charts', async () => {
    for (const scheme of ['light', 'dark'] as const) {
      const { page, close } = await open('index.html', 1200, scheme);
      const colours = await page.evaluate(`[...document.querySelectorAll('canvas')].map((canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size;
      })`);
      expect(colours).toHaveLength(8);
      for (const count of colours as number[]) expect(count).toBeGreaterThan(10);
      await close();
    }
  });
});
