import { execFileSync } from 'node:child_process';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
  it.each(['layer.tar', 'layer.tar.zst'])('a %s of 1 GiB opens in under 300 MB', (layer) => {
    // Made by other programs: this process need not hold it either. Random, so that nothing is compressed away.
    const archive = join(directory, 'large.tar');
    const cache = join(directory, `cache-${layer}`);
    const script = `set -e; mkdir -p root/bin root/data; head -c 134217728 /dev/urandom > random
      for i in 1 2; do { printf '\\177ELF'; cat random; } > root/bin/tool$i; done
      for i in 1 2 3 4 5 6; do cat random; done > root/data/large
      tar -C root -cf layer.tar . && rm -r root random && sha256sum layer.tar > sum
      test ${layer} = layer.tar || zstd -q -1 --rm layer.tar`;
    execFileSync('sh', ['-c', script], { cwd: directory });
    const diffId = `sha256:${readFileSync(join(directory, 'sum'), 'latin1').slice(0, 64)}`;
    const config = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [diffId] } };
    writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
    const manifest = [{ Config: 'config.json', RepoTags: [], Layers: [layer] }];
    writeFileSync(join(directory, 'manifest.json'), JSON.stringify(manifest));
    execFileSync('tar', ['--remove-files', '-cf', archive, layer, 'config.json', 'manifest.json'], {
      cwd: directory,
    });

    // The built package, as users run it.
    const program = `
      import { openImage } from '@prof-gen/image';
      const image = await openImage(process.argv[1], { cache: process.argv[2] });
      const size = [...image.tree.entries()].reduce((sum, entry) => sum + entry.size, 0);
      process.stdout.write(JSON.stringify({ size, peak: process.resourceUsage().maxRSS * 1024 }));`;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', program, archive, cache], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
    });
    rmSync(archive);
    const { size, peak } = JSON.parse(output) as { size: number; peak: number };
    expect(size).toBeGreaterThanOrEqual(1024 ** 3);
    expect(peak).toBeLessThan(300e6);
  });
});
