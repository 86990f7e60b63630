import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  adversarialLayers,
  buildLayer,
  dockerArchiveLegacy,
  dockerArchiveOci,
  type FixtureImage,
  fixtureImage,
  ociArchive,
  startFakeRegistry,
  writeOciLayout,
} from '@prof-gen/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OpenedImage, type OpenImageOptions, openImage } from './open-image.js';

const elf = Buffer.concat([Buffer.from('\x7fELF'), Buffer.alloc(600, 7)]);
const base = buildLayer([
  { name: './', flag: '5' },
  { name: 'usr/bin/', flag: '5' },
  { name: 'usr/bin/tool', content: elf, mode: 0o4755 },
  { name: 'usr/bin/twin', flag: '1', link: 'usr/bin/tool' },
  { name: 'bin', flag: '2', link: 'usr/bin' },
  { name: 'etc/gone', content: 'x' },
  { name: 'etc/ld.so.cache', content: Buffer.alloc(3000) },
  { name: 'opt/a', content: 'a' },
  { name: 'opt/sub/b', content: 'b' },
  { name: Buffer.from([0x6e, 0xff, 0x6e]), content: 'not UTF-8' },
  { name: `long/${'l'.repeat(120)}/${'m'.repeat(120)}`, content: 'long' },
]);
const upper = buildLayer([
  { name: 'etc/.wh.gone' },
  { name: 'opt/.wh..wh..opq' },
  { name: 'opt/c', content: 'c' },
  { name: 'start', content: '#!/bin/sh\nexec /bin/tool\n', mode: 0o755 },
  { name: 'pax', content: 'pax', pax: [['path', 'dir/näme']] },
]);
const image = fixtureImage({
  layers: [base, upper, base, upper],
  compressions: ['gzip', 'zstd', 'none', 'gzip'],
  config: { Entrypoint: ['/start'], Cmd: ['now'], Env: ['A=b'] },
});

let directory: string;
let cache: string;
const opened: OpenedImage[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'prof-gen-image-'));
  cache = join(directory, 'cache');
});

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  rmSync(directory, { recursive: true, force: true });
});

async function open(reference: string, options: Partial<OpenImageOptions> = {}): Promise<OpenedImage> {
  const result = await openImage(reference, {
    cache,
    engine: { socketPath: join(directory, 'no-engine') },
    registry: { dockerConfig: directory, firstPause: 1, silence: 2000 },
    ...options,
  });
  opened.push(result);
  return result;
}

function file(name: string, bytes: Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

async function everyFormat(of: FixtureImage): Promise<Record<string, () => Promise<OpenedImage>>> {
  const legacy = dockerArchiveLegacy(of, 'fixture:1');
  writeOciLayout(of, '1', join(directory, 'layout'));
  const registry = await startFakeRegistry();
  registry.add('fixture', '1', of);
  const pathOf = {
    legacy: file('legacy.tar', legacy),
    new: file('new.tar', dockerArchiveOci(of, 'fixture:1')),
    gz: file('legacy.tar.gz', gzipSync(legacy)),
    oci: file('oci.tar', ociArchive(of, '1')),
  };
  const own = (name: string): string => join(directory, `cache-${name}`);
  return {
    'docker-archive, old': () => open(`docker-archive:${pathOf.legacy}`, { cache: own('1') }),
    'docker-archive, new': () => open(pathOf.new, { cache: own('2') }),
    'docker-archive, gzip': () => open(pathOf.gz, { cache: own('3') }),
    'oci directory': () => open(`oci:${join(directory, 'layout')}:1`, { cache: own('4') }),
    'oci archive': () => open(pathOf.oci, { cache: own('5') }),
    registry: async () => {
      const result = await open(`${registry.host}/fixture:1`, { cache: own('6') });
      await registry.close();
      return result;
    },
  };
}

describe('the same image in every format', () => {
  it('gives the same tree and config', async () => {
    const results: [string, OpenedImage][] = [];
    for (const [name, format] of Object.entries(await everyFormat(image)))
      results.push([name, await format()]);
    const [, first] = results[0] as [string, OpenedImage];
    const expected = [...first.tree.entries()];
    expect(expected.map(({ path }) => path)).toEqual([...expected.map(({ path }) => path)].sort());
    for (const [name, { tree, config }] of results) {
      expect([...tree.entries()], name).toEqual(expected);
      expect(config, name).toEqual(first.config);
      const tool = tree.resolve('/bin/twin');
      expect(tool.ok && Buffer.compare(await tree.read(tool.entry), elf), name).toBe(0);
    }
    expect(first.tree.lookup('/etc/gone')).toBeUndefined();
    expect(first.tree.list('/opt').map(({ path }) => path)).toEqual(['/opt/c']);
    expect(first.tree.lookup('/usr/bin/tool')).toMatchObject({ mode: 0o4755, kind: 'elf' });
    expect(first.tree.lookup('/n\udcffn')).toMatchObject({ size: 9 });
    expect(first.tree.lookup('/dir/näme')).toMatchObject({ size: 3 });
    expect(first.tree.lookup('/etc/ld.so.cache')?.digest).toBeDefined();
    expect(first.config.entrypoint).toEqual(['/start']);
  });

  it('exports an archive that opens to the same tree', async () => {
    const layout = join(directory, 'layout');
    writeOciLayout(image, '1', layout);
    const source = await open(layout);
    const parts: Uint8Array[] = [];
    for await (const part of source.exportDockerArchive('again:1')) parts.push(part);
    const again = await open(file('again.tar', Buffer.concat(parts)), { cache: join(directory, 'other') });
    expect([...again.tree.entries()]).toEqual([...source.tree.entries()]);
    expect(again.digest).toBe(image.config.digest);
  });

  it('a cache that lost files or was cut off is made again', async () => {
    const layout = join(directory, 'layout');
    writeOciLayout(image, '1', layout);
    const expected = [...(await open(layout)).tree.entries()];
    rmSync(join(cache, 'files'), { recursive: true });
    const index = readdirSync(join(cache, 'layers'))[0] as string;
    writeFileSync(join(cache, 'layers', index), '{"rows":1}\n');
    const { tree } = await open(layout);
    expect([...tree.entries()]).toEqual(expected);
    const tool = tree.resolve('/bin/tool');
    expect(tool.ok && (await tree.read(tool.entry)).length).toBe(elf.length);
  });
});

describe('directories', () => {
  it('are read without following links out, and can be exported', async () => {
    const root = join(directory, 'root');
    mkdirSync(join(root, 'bin'), { recursive: true });
    writeFileSync(join(root, 'bin', 'tool'), elf, { mode: 0o755 });
    writeFileSync(join(directory, 'secret'), '#!secret');
    symlinkSync(join(directory, 'secret'), join(root, 'out'));
    symlinkSync('/bin', join(root, 'inside'));
    const fromDirectory = await open(root);
    const { tree } = fromDirectory;
    expect(fromDirectory.resolved).toBe(`dir:${root}`);
    expect(tree.resolve('/out')).toMatchObject({ ok: false, reason: 'not-found' });
    const tool = tree.resolve('/inside/tool');
    expect(tool.ok && (await tree.read(tool.entry)).length).toBe(elf.length);
    const parts: Uint8Array[] = [];
    for await (const part of fromDirectory.exportDockerArchive('dir:1')) parts.push(part);
    const again = await open(file('dir.tar', Buffer.concat(parts)));
    expect([...again.tree.entries()]).toEqual([...tree.entries()]);
    writeFileSync(join(root, 'bin', 'tool'), 'changed');
    await expect(tool.ok && tree.read(tool.entry)).rejects.toMatchObject({ code: 'image/content-missing' });
  });
});

describe('adversarial layers', () => {
  it.each(Object.entries(adversarialLayers))('%s', async (_, { layer, code }) => {
    const hostile = fixtureImage({ layers: [layer], compressions: ['none'] });
    const path = file('hostile.tar', ociArchive(hostile, '1'));
    const before = readdirSync(directory);
    const limits = { bytes: 1 << 30 };
    if (code === undefined) {
      const { tree } = await open(path, { limits });
      for (const entry of tree.entries()) {
        tree.resolve(entry.path);
        tree.list(entry.path);
        expect(entry.path).not.toMatch(/(?:^|\/)\.\.(?:\/|$)/);
      }
    } else {
      await expect(open(path, { limits })).rejects.toMatchObject({ name: 'ProfGenError', code });
    }
    expect(readdirSync(directory).filter((name) => name !== 'cache')).toEqual(before);
  });

  it('symlink-attack stays inside the image', async () => {
    const { layer } = adversarialLayers['symlink-attack'] ?? { layer: new Uint8Array(0) };
    const path = file('hostile.tar', ociArchive(fixtureImage({ layers: [layer] }), '1'));
    const { tree } = await open(path);
    expect(tree.lookup('/tmp/passwd')).toMatchObject({ size: 6 });
    expect(tree.resolve('/etc/passwd')).toMatchObject({ ok: true, entry: { path: '/tmp/passwd' } });
  });

  it.each([
    ['entries', { entries: 3 }],
    ['bytes', { bytes: 100 }],
    ['layers', { layers: 1 }],
    ['manifestBytes', { manifestBytes: 10 }],
    ['configBytes', { configBytes: 10 }],
    ['depth', { depth: 1 }],
    ['keptBytes', { keptBytes: 10 }],
    ['zstdWindowBytes', { zstdWindowBytes: 10 }],
  ])('the limit %s holds and is named', async (name, limits) => {
    const layout = join(directory, 'layout');
    writeOciLayout(image, '1', layout);
    await expect(open(layout, { limits })).rejects.toMatchObject({
      code: 'archive/too-large',
      hint: expect.stringContaining(name),
    });
  });

  it('a gzip bomb ends at the limit', async () => {
    const bomb = buildLayer([{ name: 'zeros', content: Buffer.alloc(64 * 1024 * 1024) }]);
    const path = file('bomb.tar', ociArchive(fixtureImage({ layers: [bomb] }), '1'));
    await expect(open(path, { limits: { bytes: 1024 * 1024 } })).rejects.toMatchObject({
      code: 'archive/too-large',
    });
  });
});

describe('references', () => {
  it('join the errors of all places', async () => {
    await expect(open('127.0.0.1:1/nothing/here')).rejects.toMatchObject({
      code: 'image/not-found',
      causes: [
        { code: 'image/not-found' },
        { code: 'environment/no-engine' },
        { code: 'registry/unreachable' },
      ],
    });
  });

  it.each([
    ['./nothing', 'image/not-found'],
    ['docker-archive:nothing', 'image/not-found'],
    ['oci:nothing', 'archive/missing-member'],
    ['dir:nothing', 'image/not-found'],
    ['docker:nothing', 'environment/no-engine'],
    ['UPPER', 'usage/reference'],
  ])('%s is %s', async (reference, code) => {
    await expect(open(reference)).rejects.toMatchObject({ code });
  });

  it('another platform, wrong digests and what is no image are said', async () => {
    const arm = fixtureImage({ layers: [base], architecture: 'arm64' });
    await expect(open(file('arm.tar', ociArchive(arm, '1')))).rejects.toMatchObject({
      code: 'image/platform-mismatch',
      message: expect.stringContaining('linux/arm64'),
    });
    const wrong = { ...image, layers: [base, upper, base, base] };
    await expect(open(file('wrong.tar', dockerArchiveLegacy(wrong, 'x')))).rejects.toMatchObject({
      code: 'image/digest-mismatch',
    });
    await expect(open(file('plain.tar', base))).rejects.toMatchObject({ code: 'image/not-an-image' });
    await expect(open(file('text', Buffer.from('hello')))).rejects.toMatchObject({
      code: 'archive/truncated',
    });
  });

  it('an abort is one', async () => {
    const layout = join(directory, 'layout');
    writeOciLayout(image, '1', layout);
    await expect(open(layout, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'image/aborted',
    });
  });
});
