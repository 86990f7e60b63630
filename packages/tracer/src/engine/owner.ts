import { readFileSync } from 'node:fs';

/** On everything that Prof-gen makes in the engine. */
export const label = 'prof-gen';
/** Which process made it. */
export const ownerLabel = 'prof-gen.owner';

/** Start time in clock ticks since boot: field 22 of proc_pid_stat(5), counted after the name, which may hold spaces. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim().slice(0, 8);

/** Names a process for good: numbers are used again, the same number with the same start time is not. */
export function ownerOf(pid: number): string {
  return `${bootId()}-${pid}-${startTime(pid) ?? 'gone'}`;
}

/** Whether the process that made something still runs. */
export function ownerAlive(owner: string): boolean {
  const [boot, pid, start] = owner.split('-');
  return boot === bootId() && start !== undefined && start !== 'gone' && startTime(Number(pid)) === start;
}

const loadedRepository = 'prof-gen/loaded';

/** Name of an image that was loaded, which cannot bear labels of ours: its maker stands in the name. */
export function loadedTag(owner: string, number: number): string {
  return `${loadedRepository}:${owner}-${number}`;
}

/** Who loaded the image with this name; undefined for names that are not ours. */
export function loaderOf(tag: string): string | undefined {
  const [repository, name] = tag.split(':');
  return repository === loadedRepository ? name?.split('-').slice(0, 3).join('-') : undefined;
}
