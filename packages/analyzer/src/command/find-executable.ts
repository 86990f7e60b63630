import { posix } from 'node:path';
import { type FileEntry, type FileTree, ProfGenError, printable } from '@prof-gen/core';

/** PATH where the image sets none: what Docker's daemon puts in its place (moby, oci/defaults.go). */
export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export type Executable =
  | { readonly ok: true; readonly path: string; readonly entry: FileEntry }
  | {
      readonly ok: false;
      readonly reason: 'not-found' | 'is-directory' | 'not-executable';
      /** Where it was looked for, in order. */
      readonly looked: readonly string[];
    };

function probe(tree: FileTree, path: string): Executable {
  const found = tree.resolve(path);
  const looked = [path];
  if (!found.ok) return { ok: false, reason: 'not-found', looked };
  if (found.entry.type === 'directory') return { ok: false, reason: 'is-directory', looked };
  if (found.entry.type !== 'file' || (found.entry.mode & 0o111) === 0) {
    return { ok: false, reason: 'not-executable', looked };
  }
  return { ok: true, path, entry: found.entry };
}

/**
 * The file that executing `name` leads to, links followed inside the image.
 * A name with a slash is taken from the working directory, any other is looked for on PATH, where an empty
 * element is the working directory; what cannot be executed is passed over (execvp(3), Go's exec.LookPath).
 * @param path value of PATH, elements separated by colons
 */
export function findExecutable(tree: FileTree, name: string, path: string, cwd: string): Executable {
  if (name.includes('/')) return probe(tree, posix.resolve(cwd, name));
  const looked: string[] = [];
  let reason: 'not-found' | 'is-directory' | 'not-executable' = 'not-found';
  if (name !== '') {
    for (const directory of path.split(':')) {
      const candidate = probe(tree, posix.resolve(cwd, directory, name));
      if (candidate.ok) return candidate;
      looked.push(...candidate.looked);
      if (candidate.reason !== 'not-found') reason = candidate.reason;
    }
  }
  return { ok: false, reason, looked };
}

/**
 * The run command's own executable.
 * @throws ProfGenError `analysis/command-not-found`, `analysis/command-is-directory`, `analysis/not-executable`
 */
export function requireExecutable(tree: FileTree, name: string, path: string, cwd: string) {
  const found = findExecutable(tree, name, path, cwd);
  if (found.ok) return found;
  const shown = `"${printable(name, 200)}"`;
  const looked = printable(found.looked.join(', '), 1000);
  if (found.reason === 'is-directory') {
    throw new ProfGenError('analysis/command-is-directory', `${shown} is a directory: it cannot be run`, {
      hint: 'say after `--` which program the container runs',
      details: { looked },
    });
  }
  if (found.reason === 'not-executable') {
    throw new ProfGenError(
      'analysis/not-executable',
      `${shown} is no executable file (looked at ${looked})`,
      {
        hint: 'the image would need `chmod +x`; say after `--` which program the container runs',
        details: { looked },
      },
    );
  }
  throw new ProfGenError(
    'analysis/command-not-found',
    looked === '' ? `${shown} is no name of a program` : `${shown} is not in the image (looked at ${looked})`,
    {
      hint: 'check the spelling and the PATH of the image; say after `--` which program the container runs',
      details: { looked },
    },
  );
}
