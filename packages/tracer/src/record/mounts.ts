import { readFileSync } from 'node:fs';
import type { SeenFile } from './trace-log.js';

/** One line of mountinfo: where a directory of a file system is seen (proc_pid_mountinfo(5)). */
export interface Mount {
  readonly device: string;
  /** Directory of the file system that is mounted. */
  readonly root: string;
  readonly mountPoint: string;
}

/** mountinfo writes space, tab, newline and backslash as octal. */
const unescapeOctal = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

export function parseMountInfo(text: string): Mount[] {
  return text
    .split('\n')
    .map((line) => line.split(' '))
    .filter((fields) => fields.length > 5)
    .map(([, , device = '', root = '', mountPoint = '']) => ({
      device,
      root: unescapeOctal(root),
      mountPoint: unescapeOctal(mountPoint),
    }));
}

/** Mounts that a process of the container sees; none when it has ended. */
export function mountsOf(pid: number): Mount[] {
  try {
    return parseMountInfo(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'));
  } catch {
    return [];
  }
}

const below = (path: string, directory: string): boolean =>
  directory === '/' || path === directory || path.startsWith(`${directory}/`);

/**
 * Path of a file as the container's processes would write it. The kernel's names end at the root of the file's own
 * file system; for the container's root that is the answer, for a volume its mount point comes before.
 */
export function pathInContainer(file: SeenFile, mounts: readonly Mount[]): string {
  let best: Mount | undefined;
  for (const mount of mounts) {
    if (mount.device !== file.device || !below(file.path, mount.root)) continue;
    if (best === undefined || mount.root.length > best.root.length) best = mount;
  }
  if (best === undefined) return file.path;
  const rest = best.root === '/' ? file.path : file.path.slice(best.root.length);
  return best.mountPoint === '/' ? rest : `${best.mountPoint}${rest === '/' ? '' : rest}`;
}
