// CPU time of a redis server for each request of redis-benchmark: untraced, observed, and in a proof.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { workloadSchema } from '@prof-gen/core';
import { openTracer } from '@prof-gen/tracer';

const run = promisify(execFile);
const docker = async (...argv) => (await run('docker', argv, { maxBuffer: 16 << 20 })).stdout.trim();
const server = 'prof-gen/redis';
const client = 'prof-gen/tools';
/** Snapshots would be taken at times of the server's choosing. */
const cmd = ['redis-server', '--save', ''];
const ready = 'Ready to accept connections';
/** The list that the workload waits for: filled when the measurement is over. */
const measured = 'measured';
const connections = 50;

const workload = workloadSchema.parse({
  schemaVersion: 1,
  name: 'redis-benchmark',
  description: 'waits until somebody else has measured',
  tools: client,
  cmd,
  ready: { log: ready },
  steps: [{ name: 'is measured', run: ['redis-cli', 'blpop', measured, '0'], timeout: 600 }],
});

const beside = (container, ...argv) =>
  docker('run', '--rm', '--network', `container:${container}`, client, ...argv);

/** Microseconds that the threads of a process have run: the first field of proc_pid_schedstat, in nanoseconds. */
function processorTime(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const times = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1'));
  return times.reduce((sum, text) => sum + Number(text.split(' ')[0]) / 1000, 0);
}

/** Microseconds of the server's time for one request; `requests` SETs and as many GETs. */
async function microsecondsPerRequest(container, requests) {
  const pid = await docker('inspect', '--format', '{{.State.Pid}}', container);
  const before = processorTime(pid);
  await beside(
    container,
    'redis-benchmark',
    '-q',
    '-t',
    'set,get',
    '-c',
    String(connections),
    '-n',
    String(requests),
  );
  return (processorTime(pid) - before) / (2 * requests);
}

/** As a container of the tracer, but for the tracer: no bpftrace of this process runs meanwhile. */
export async function untraced(requests) {
  const limits = ['--memory', '1g', '--pids-limit', '1024', '--log-driver', 'json-file', '--network', 'none'];
  const container = await docker('run', '--detach', ...limits, server, ...cmd);
  try {
    while (!(await docker('logs', container)).includes(ready)) await sleep(100);
    return await microsecondsPerRequest(container, requests);
  } finally {
    await docker('rm', '--force', '--volumes', container);
  }
}

/** The server that the tracer has under way: the one that the container of the waiting step stands beside. */
async function tracedServer(signal) {
  const mine = `-${process.pid}-`;
  for (;;) {
    signal.throwIfAborted();
    const format = '{{.ID}} {{.Label "prof-gen.owner"}}';
    const found = await docker('ps', '--filter', `ancestor=${client}`, '--format', format);
    const id = found
      .split('\n')
      .find((line) => line.includes(mine))
      ?.split(' ')[0];
    const mode =
      id && (await docker('inspect', '--format', '{{.HostConfig.NetworkMode}}', id).catch(() => ''));
    if (mode?.startsWith('container:')) return mode.slice('container:'.length);
    await sleep(100);
  }
}

/** Measures while `work` runs the workload. */
async function measuredDuring(work, requests) {
  const failed = new AbortController();
  const done = work().catch((error) => {
    failed.abort(error);
    throw error;
  });
  done.catch(() => {});
  const container = await tracedServer(failed.signal);
  const figure = await microsecondsPerRequest(container, requests);
  await beside(container, 'redis-cli', 'rpush', measured, 'yes');
  return { figure, result: await done };
}

/**
 * Opens a tracer for the two ways that need one and measures each, in this order.
 * @param profile Docker seccomp JSON text, and what is meant to be denied by it
 */
export async function traced(ways, requests, { profile, isExpected }) {
  const tracer = await openTracer({});
  const image = { name: 'redis', image: server, overrides: {} };
  const figures = {};
  try {
    for (const way of ways) {
      const work =
        way === 'observed'
          ? () => tracer.observe({ ...image, workload })
          : () => tracer.prove({ ...image, workload, profile, isExpected });
      const { figure, result } = await measuredDuring(work, requests);
      if (way === 'proven' && result.status !== 'passed') {
        throw new Error(`the proof failed: ${JSON.stringify([result.phases, result.denials])}`);
      }
      figures[way] = figure;
    }
  } finally {
    await tracer.close();
  }
  return figures;
}
