import { lstat, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type NpmPackage, ProfGenError, printable } from '@prof-gen/core';
import { buildError } from './build-error.js';
import { runTool, type ToolOptions } from './run-tool.js';

/**
 * Fetches packages with the machine's npm, which runs nothing of them, and packs them as a tar with the paths that they
 * have in the image.
 * @param directory an empty one, for this alone
 * @param cache npm's cache; what is in it is not fetched again
 * @returns the tar's file
 */
export async function fetchNpmPackages(
  packages: readonly NpmPackage[],
  name: string,
  directory: string,
  cache: string,
  options: Pick<ToolOptions, 'log' | 'signal'>,
): Promise<string> {
  const tree = join(directory, 'tree');
  const run = async (argv: readonly string[], cwd: string): Promise<void> => {
    const status = await runTool(argv, { ...options, cwd });
    if (status !== 0) throw buildError(name, 'npm', await readFile(options.log, 'utf8'), options.log);
  };
  const npm = [
    'npm',
    ...['--cache', cache, '--prefer-offline', '--no-audit', '--no-fund', '--no-update-notifier'],
    ...['--ignore-scripts', '--loglevel=error', '--no-progress'],
  ];
  await mkdir(tree, { recursive: true });
  for (const [i, { package: wanted, version, from, to, dependencies }] of packages.entries()) {
    const place = join(directory, `package-${i}`);
    await mkdir(place);
    await run([...npm, 'pack', `${wanted}@${version}`], place);
    const [archive] = await readdir(place);
    if (archive === undefined) throw new Error(`npm pack gave no file for ${wanted}`);
    await run(['tar', '--extract', '--no-same-owner', '--file', archive], place);
    // `package/` by custom, and whatever else the author liked.
    const [root] = (await readdir(place)).filter((entry) => entry !== archive);
    const unpacked = join(place, root ?? 'package');
    if (dependencies !== undefined) {
      // Settings of the package's own could name another registry.
      await rm(join(unpacked, '.npmrc'), { force: true });
      const day = `${dependencies.before}T23:59:59Z`;
      await run(
        [...npm, 'install', '--omit=dev', '--legacy-peer-deps', '--no-package-lock', `--before=${day}`],
        unpacked,
      );
    }
    const source = from === undefined ? unpacked : join(unpacked, from);
    const target = join(tree, to);
    await checkParents(unpacked, from ?? '', wanted);
    await checkParents(tree, to.slice(1), wanted);
    await mkdir(dirname(target), { recursive: true });
    await rename(source, target).catch((thrown: unknown) => {
      throw new ProfGenError(
        'corpus/npm-failed',
        `${name}: ${printable(wanted)} has no ${printable(from ?? '.')}`,
        {
          hint: 'see what is in it: npm pack --dry-run',
          causes: [thrown],
        },
      );
    });
  }
  const tar = join(directory, 'npm.tar');
  // Without the directories that lead there: they are the image's own.
  const below = packages.map(({ to }) => `.${to}`).sort();
  await run(
    [
      'tar',
      '--create',
      '--sort=name',
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      `--file=${tar}`,
      `--directory=${tree}`,
      ...below,
    ],
    directory,
  );
  return tar;
}

/** A package is untrusted: no directory on the way to what is taken, or to where it is put, may be a link. */
async function checkParents(root: string, path: string, wanted: string): Promise<void> {
  let parent = root;
  for (const part of path.split('/').slice(0, -1)) {
    parent = join(parent, part);
    if ((await lstat(parent).catch(() => undefined))?.isSymbolicLink() === true) {
      throw new ProfGenError(
        'corpus/npm-failed',
        `${printable(wanted)}: ${printable(path)} leads through a link`,
      );
    }
  }
}
