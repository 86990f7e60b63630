import { createHash } from 'node:crypto';
import { lstat, lutimes, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Digest } from '@prof-gen/core';
import { blobPath } from './layout.js';
import { readTool, runTool } from './run-tool.js';

export interface PackedLayer {
  readonly digest: Digest;
  /** Bytes of the tar, which is not compressed. */
  readonly size: number;
}

/**
 * Writes a directory as a layer into a layout. Equal trees give equal bytes: members are sorted, owners are numbers,
 * what is younger than the build has the time 0, other times are those of the packages. Hard links and capabilities are
 * kept; the host's own extended attributes are not. The tar is GNU tar's: Node.js cannot read extended attributes.
 * @param since seconds since 1970 when the build began
 */
export async function packLayer(
  directory: string,
  layout: string,
  since: number,
  log: string,
  signal: AbortSignal | undefined,
): Promise<PackedLayer> {
  const touch = ['-exec', 'touch', '--no-dereference', '--date=@0', '{}', '+'];
  const status = await runTool(['find', directory, '-mindepth', '1', '-newermt', `@${since}`, ...touch], {
    log,
    signal,
  });
  if (status !== 0) throw new Error(`the times in ${directory} could not be set: see ${log}`);
  const names = (await readdir(directory)).sort();
  const list = `${directory}.names`;
  await writeFile(list, names.map((name) => `${name}\0`).join(''));
  const partial = `${directory}.tar`;
  const hash = createHash('sha256');
  let size = 0;
  const file = await open(partial, 'wx');
  try {
    await readTool(
      [
        'tar',
        ...[
          '--create',
          `--directory=${directory}`,
          '--null',
          '--verbatim-files-from',
          `--files-from=${list}`,
        ],
        ...['--sort=name', '--numeric-owner', '--format=posix'],
        '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
        ...['--xattrs', '--xattrs-include=security.capability', '--xattrs-include=user.*'],
      ],
      async (bytes) => {
        hash.update(bytes);
        size += bytes.length;
        await file.write(bytes);
      },
      signal,
    );
  } finally {
    await file.close();
    await rm(list);
  }
  const digest: Digest = `sha256:${hash.digest('hex')}`;
  await moveInto(partial, blobPath(layout, digest));
  return { digest, size };
}

/** The work directory may be on another disk than the layout. */
async function moveInto(file: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  try {
    await rename(file, target);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EXDEV') throw thrown;
    const partial = `${target}.partial`;
    await runOrThrow(['cp', '--', file, partial]);
    await rename(partial, target);
    await rm(file);
  }
}

async function runOrThrow(argv: readonly string[]): Promise<void> {
  await readTool(argv, async () => {}, undefined);
}

/**
 * Turns what an overlay left in its upper directory into what a layer says (OCI image specification, layer.md,
 * "Whiteouts"): the overlay's own marks go, and what the lower directory has and the whole has not gets a whiteout.
 * The overlay's opaque directories, which Node.js could not see, need nothing else.
 * @param lower all paths of the lower directory, and `merged` those of both together, as `./a/b`
 */
export async function markDeletions(
  upper: string,
  lower: readonly string[],
  merged: ReadonlySet<string>,
): Promise<void> {
  const isDirectory = async (path: string) =>
    (await lstat(join(upper, path)).catch(() => undefined))?.isDirectory() === true;
  for (const path of lower) {
    if (merged.has(path)) continue;
    const parent = dirname(path);
    // A whole tree that is gone has one whiteout, at its top; where a file took its place, none.
    if (parent !== '.' && (!merged.has(parent) || !(await isDirectory(parent)))) continue;
    const mark = join(upper, path);
    await rm(mark, { force: true });
    const whiteout = join(upper, parent, `.wh.${basename(path)}`);
    await writeFile(whiteout, '', { mode: 0o644 });
    await lutimes(whiteout, 0, 0);
  }
}
