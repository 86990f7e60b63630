import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ProfGenError, printable } from '@prof-gen/core';
import type { Engine } from '../engine/engine.js';
import { importPrograms } from '../self-test/import-programs.js';

/** An image that has `strace` on its PATH. */
export interface StraceImage {
  readonly reference: string;
  remove(): Promise<void>;
}

/** Where the image made here has it: on the PATH that the engine gives an image without one. */
const pathInImage = '/usr/bin/strace';
let number = 0;
const lddLimit = 20_000;
const fileLimit = 64 << 20;

const missing = (message: string, cause?: unknown): ProfGenError =>
  new ProfGenError('environment/strace', message, {
    hint: 'install the package strace, or name an image that has one by --strace-image',
    causes: cause === undefined ? [] : [cause],
  });

/**
 * The image that the helpers are made from: the one named, or one made of this machine's own strace and the libraries
 * it is linked to. Nothing of it comes from a registry, and nothing from the image that is observed.
 * @throws ProfGenError `environment/strace`
 */
export async function provideStraceImage(engine: Engine, named: string | undefined): Promise<StraceImage> {
  if (named !== undefined) {
    await engine
      .call('look at an image', () => engine.docker.getImage(named).inspect())
      .catch((thrown: unknown) => {
        if (!(thrown instanceof ProfGenError) || thrown.details?.['status'] !== 404) throw thrown;
        throw new ProfGenError('environment/strace', `the engine has no image ${printable(named)}`, {
          hint: 'pull it, or load it with `docker load`',
          causes: [thrown],
        });
      });
    return { reference: named, remove: async () => {} };
  }
  const strace = installedStrace();
  const libraries = await linkedTo(strace);
  const files = await Promise.all(
    [...new Map([[pathInImage, strace], ...libraries.map((path) => [path, path] as const)])].map(
      async ([path, file]) => ({ path, content: await content(file) }),
    ),
  );
  // A process may have several at once.
  const tag = `prof-gen/strace:${engine.owner}-${number++}`;
  const directories = [...new Set(libraries.map((path) => dirname(path)))];
  await importPrograms(engine, tag, files, [`ENV LD_LIBRARY_PATH=${directories.join(':')}`]);
  return {
    reference: tag,
    remove: () => engine.removeTag(tag),
  };
}

function installedStrace(): string {
  const directories = (process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin').split(':');
  for (const directory of directories.filter((path) => path.startsWith('/'))) {
    const path = join(directory, 'strace');
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // The next one.
    }
  }
  throw missing('strace is not installed');
}

async function content(file: string): Promise<Buffer> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw missing(`${printable(file)}, which strace needs, cannot be read`, cause);
  });
  if (bytes.length > fileLimit) throw missing(`${printable(file)}, which strace needs, is too large`);
  return bytes;
}

/** What this machine's loader would load for its own program; none for a static one. */
async function linkedTo(program: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ldd', [program], {
    timeout: lddLimit,
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
  }).catch((cause: unknown) => {
    const said = String((cause as { stderr?: unknown }).stderr);
    if (/not a dynamic executable/.test(said)) return { stdout: '' };
    throw missing('ldd does not tell which libraries strace needs', cause);
  });
  return librariesOf(stdout);
}

/**
 * Paths in what ldd prints (ldd(1)): `NAME => PATH (ADDRESS)` and `PATH (ADDRESS)`.
 * @throws ProfGenError `environment/strace` for a library that is not there
 */
export function librariesOf(printed: string): string[] {
  const absent = /^\s*(\S+) => not found/m.exec(printed)?.[1];
  if (absent !== undefined) throw missing(`${printable(absent)}, which strace needs, is not installed`);
  const paths = [...printed.matchAll(/(?:^|=> |\s)(\/[^\s()]+) \(0x[0-9a-f]+\)/gm)].map(
    ([, path = '']) => path,
  );
  return [...new Set(paths)].sort();
}
