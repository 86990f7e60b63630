import { readFile } from 'node:fs/promises';

/** `PID-START`: the time it started (clock ticks since boot, proc(5)) tells it from later processes of its number. */
export async function processIdentity(pid: number = process.pid): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The name may have spaces and parentheses in it; field 22 is the twentieth behind it.
  const start = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return start === undefined ? undefined : `${pid}-${start}`;
}

export async function isRunning(identity: string): Promise<boolean> {
  return (await processIdentity(Number.parseInt(identity, 10))) === identity;
}
