import { execFileSync, spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  buildLayer,
  dockerArchiveLegacy,
  fixtureImage,
  startDockerRegistry,
  writeOciLayout,
} from '@prof-gen/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openImage } from '../src/open-image.js';

const image = fixtureImage({
  layers: [
    buildLayer([
      { name: 'bin/', flag: '5' },
      { name: 'bin/tool', content: '#!/bin/sh\n', mode: 0o755 },
      { name: 'etc/gone', content: 'x' },
    ]),
    buildLayer([{ name: 'etc/.wh.gone' }, { name: 'sh', flag: '2', link: 'bin/tool' }]),
  ],
  config: { Cmd: ['/bin/tool'] },
});

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'prof-gen-image-e2e-'));
});

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe("the distribution's registry", () => {
  it.each([undefined, 'secret'])('gives the image, with the password %s', async (password) => {
    const registry = await startDockerRegistry(password === undefined ? {} : { password });
    try {
      await registry.push('a/app', '1', image);
      const docker = mkdtempSync(join(directory, 'docker-'));
      const options = {
        cache: mkdtempSync(join(directory, 'cache-')),
        registry: { dockerConfig: docker, firstPause: 1 },
      };
      const reference = `registry:${registry.host}/a/app:1`;
      if (password !== undefined) {
        await expect(openImage(reference, options)).rejects.toMatchObject({ code: 'registry/unauthorized' });
        const auth = Buffer.from(`${registry.username}:${password}`).toString('base64');
        writeFileSync(join(docker, 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }));
      }
      const opened = await openImage(reference, options);
      expect(opened.digest).toBe(image.manifest.digest);
      expect(opened.tree.resolve('/sh')).toMatchObject({
        ok: true,
        entry: { path: '/bin/tool', kind: 'script' },
      });
      await opened.close();
      await expect(openImage(`registry:${registry.host}/a/app:2`, options)).rejects.toMatchObject({
        code: 'image/not-found',
      });
    } finally {
      await registry.close();
    }
  });
});

describe('the container engine', () => {
  const tag = 'prof-gen-image-e2e:1';
  const again = 'prof-gen-image-e2e:2';

  afterAll(() => {
    execFileSync('docker', ['rmi', '-f', tag, again], { stdio: 'ignore' });
  });

  it('gives what it loaded, and loads what was exported', async () => {
    const file = join(directory, 'fixture.tar');
    writeFileSync(file, dockerArchiveLegacy(image, tag));
    execFileSync('docker', ['load', '-i', file]);
    const cache = join(directory, 'cache-engine');
    const fromEngine = await openImage(`docker:${tag}`, { cache });
    const layout = join(directory, 'layout');
    writeOciLayout(image, '1', layout);
    const fromLayout = await openImage(layout, { cache: join(directory, 'cache-layout') });
    expect([...fromEngine.tree.entries()]).toEqual([...fromLayout.tree.entries()]);
    expect(fromEngine.config).toEqual(fromLayout.config);
    expect(fromEngine.engineReference).toBe(tag);
    expect(() => fromEngine.exportDockerArchive('x:1')).toThrowError(
      expect.objectContaining({ code: 'image/not-loadable' }),
    );
    const exported = join(directory, 'exported.tar');
    await pipeline(Readable.from(fromLayout.exportDockerArchive(again)), createWriteStream(exported));
    execFileSync('docker', ['load', '-i', exported]);
    const id = (name: string): string =>
      execFileSync('docker', ['inspect', '-f', '{{.Id}}', name]).toString();
    expect(id(again)).toBe(id(tag));
    // By a name without a scheme, with the cache warm and so without `save`.
    expect((await openImage(tag, { cache })).resolved).toBe(`docker:${tag}`);
    await expect(openImage('docker:prof-gen-image-e2e:none', { cache })).rejects.toMatchObject({
      code: 'image/not-found',
    });
  });
});

describe('memory', () => {
  it('a layer of 1 GiB opens in under 300 MB', async () => {
    // Built by another program, as a user's would be: this process must not hold it either.
    const root = join(directory, 'large');
    const archive = join(directory, 'large.tar');
    execFileSync('sh', [
      '-c',
      `mkdir -p ${root}/bin ${root}/data && cd ${root} &&
      for i in 1 2 3 4; do printf '\\177ELF' > bin/tool$i && head -c 67108864 /dev/zero >> bin/tool$i; done &&
      head -c 805306368 /dev/zero > data/large && tar -cf ${directory}/layer.tar . && rm -r ${root}`,
    ]);
    const diffId = execFileSync('sha256sum', [join(directory, 'layer.tar')])
      .toString()
      .slice(0, 64);
    const config = JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      rootfs: { type: 'layers', diff_ids: [`sha256:${diffId}`] },
    });
    writeFileSync(join(directory, 'config.json'), config);
    writeFileSync(
      join(directory, 'manifest.json'),
      JSON.stringify([{ Config: 'config.json', RepoTags: [], Layers: ['layer.tar'] }]),
    );
    execFileSync('tar', ['-C', directory, '-cf', archive, 'layer.tar', 'config.json', 'manifest.json']);
    rmSync(join(directory, 'layer.tar'));

    const program = `
      import { openImage } from '@prof-gen/image';
      const image = await openImage(process.argv[1], { cache: process.argv[2] });
      const size = [...image.tree.entries()].reduce((sum, entry) => sum + entry.size, 0);
      process.stdout.write(JSON.stringify({ size, peak: process.resourceUsage().maxRSS * 1024 }));`;
    const output = await new Promise<string>((resolve, reject) => {
      const child = spawn(
        process.execPath,
        ['--input-type=module', '-e', program, archive, join(directory, 'cache-large')],
        {
          cwd: import.meta.dirname,
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      let text = '';
      child.stdout.on('data', (chunk) => {
        text += String(chunk);
      });
      child.on('error', reject);
      child.on('exit', () => resolve(text));
    });
    const { size, peak } = JSON.parse(output) as { size: number; peak: number };
    expect(size).toBeGreaterThan(1024 ** 3);
    expect(peak).toBeLessThan(300e6);
  });
});
