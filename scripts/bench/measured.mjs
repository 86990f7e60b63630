// Runs a command to its end and says how long it took. Node does not give the resources of a child, bash does.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Seconds of wall, user and system time of a command whose output goes nowhere. */
export async function measured(argv) {
  const { stderr } = await run(
    'bash',
    ['-c', 'TIMEFORMAT="%3R %3U %3S"; time "$@" >/dev/null', 'bash', ...argv],
    { env: { ...process.env, LC_ALL: 'C' }, maxBuffer: 64 << 20 },
  );
  const figures = /([\d.]+) ([\d.]+) ([\d.]+)\s*$/.exec(stderr);
  if (figures === null) throw new Error(`bash gave no times: ${stderr.slice(-200)}`);
  const [wall, user, system] = figures.slice(1).map(Number);
  return { wall, user, system };
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
