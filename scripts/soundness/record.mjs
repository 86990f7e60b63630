// Records the workloads of datasets/soundness/cases with `strace -f`; kept in .cache/soundness/records until the
// workload or the root file system changes.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { soundnessCasesSchema } from '@prof-gen/core';
import { readStraceLog } from '@prof-gen/testkit';
import { parse } from 'yaml';
import { cache, inRootfs, workspace } from './rootfs.mjs';

const directory = join(workspace, 'datasets/soundness/cases');
/** Seconds that one command of a workload may take. */
const patience = 12;
/** Raised when a record holds something else for an equal workload. */
const recorderVersion = 2;

/**
 * Before each workload: its own directory, and what servers need. A command that is not started by `serve` is
 * ended after some seconds.
 */
const prelude = `
mkdir -p /tmp/work && cd /tmp/work
serve() { setsid "$@" & }
wait_port() { for _ in $(seq 200); do (: </dev/tcp/127.0.0.1/$1) 2>/dev/null && return; sleep 0.1; done; echo "nothing listens on port $1"; return 1; }
wait_file() { for _ in $(seq 200); do [ -e "$1" ] && return; sleep 0.1; done; echo "there is no $1"; return 1; }
`;
/** Ends what still runs, so that ends are recorded too. strace, the first process, is not reached by it. */
const main = `bash /shared/case.sh
kill -TERM -1 2>/dev/null
for _ in $(seq 40); do kill -0 -1 2>/dev/null || exit 0; sleep 0.1; done
kill -KILL -1`;

/** All cases, or those whose own name or whose file's name is among `names`. */
export async function readCases(names = []) {
  const chosen = [];
  for (const file of (await readdir(directory)).sort()) {
    const { cases } = soundnessCasesSchema.parse(parse(await readFile(join(directory, file), 'utf8')));
    const whole = names.length === 0 || names.includes(basename(file, '.yaml'));
    chosen.push(...cases.filter(({ name }) => whole || names.includes(name)));
  }
  const seen = new Set();
  for (const { name } of chosen) {
    if (seen.has(name)) throw new Error(`two cases are named ${name}`);
    seen.add(name);
  }
  for (const name of names) {
    if (!existsSync(join(directory, `${name}.yaml`)) && !seen.has(name))
      throw new Error(`no case is named ${name}`);
  }
  return chosen;
}

/**
 * What the workload's programs did: for each execution its path, arguments, calls by number, calls by the 32-bit
 * table, and files opened; equal executions once. `options` are more of strace's, and make the log come back too.
 */
export async function recordCase(rootfs, { name, run, timeout }, { fresh = false, options } = {}) {
  const key = createHash('sha256').update(
    JSON.stringify([recorderVersion, basename(rootfs), prelude, main, run]),
  );
  const kept = join(cache, 'records', `${name}-${key.digest('hex').slice(0, 16)}.json`);
  if (options === undefined && !fresh && existsSync(kept)) return JSON.parse(await readFile(kept, 'utf8'));
  await mkdir(join(cache, 'records'), { recursive: true });
  const shared = await mkdtemp(join(cache, 'record-'));
  try {
    await writeFile(join(shared, 'case.sh'), prelude + run);
    const strace = ['strace', '-f', '-qq', '-s', '100', ...(options ?? []), '-o', '/shared/log'];
    let output = '';
    let timedOut = false;
    try {
      await copyFile(join(import.meta.dirname, 'watchdog.py'), join(shared, 'watchdog.py'));
      const guarded = [
        'bash',
        '-c',
        `python3 /shared/watchdog.py ${patience} & exec "$@"`,
        'bash',
        ...strace,
      ];
      const argv = [...guarded, 'bash', '-c', main];
      const { stdout, stderr } = await inRootfs(rootfs, shared, argv, { seconds: timeout });
      output = stdout + stderr;
    } catch (error) {
      output = `${error.stdout ?? ''}${error.stderr ?? ''}`;
      timedOut = error.killed === true || error.signal === 'SIGKILL' || error.code === 137;
      // The workload's own end may be a failure; strace has then run all the same.
      if (!existsSync(join(shared, 'log'))) throw error;
    }
    const log = await readFile(join(shared, 'log'), 'latin1');
    if (options !== undefined) return { log };
    const record = {
      timedOut,
      output: output.slice(-20_000),
      ...(timedOut ? { unfinished: unfinished(log) } : {}),
      executions: merged(readStraceLog(log)),
    };
    const partial = `${kept}.${process.pid}`;
    await writeFile(partial, JSON.stringify(record));
    await rename(partial, kept);
    return record;
  } finally {
    await rm(shared, { recursive: true, force: true });
  }
}

/** Executions of one path together; the arguments that first made each call stand beside it. */
function merged(executions) {
  const byPath = new Map();
  for (const { path, argv, calls, calls32, opened } of executions) {
    const one = byPath.get(path) ?? { path, times: 0, calls: {}, calls32: {}, opened: new Set() };
    byPath.set(path, one);
    one.times += 1;
    for (const number of calls) one.calls[number] ??= argv;
    for (const name of calls32) one.calls32[name] ??= argv;
    for (const file of opened) if (/\.so(\.|$)/.test(file)) one.opened.add(file);
  }
  return [...byPath.values()].map((one) => ({ ...one, opened: [...one.opened].sort() }));
}

/** The last line of each process that had not ended, for a workload that takes too long. */
function unfinished(log) {
  const last = new Map();
  const executed = new Map();
  for (const line of log.split('\n')) {
    const pid = /^\d+/.exec(line)?.[0];
    if (pid === undefined) continue;
    if (line.includes(' execve(')) executed.set(pid, line.slice(0, 150));
    if (/ \+\+\+ /.test(line)) last.delete(pid);
    else last.set(pid, line);
  }
  return [...last].slice(-12).map(([pid, line]) => `${executed.get(pid) ?? ''} … ${line.slice(0, 100)}`);
}
