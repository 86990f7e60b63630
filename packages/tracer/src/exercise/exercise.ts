import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ImageConfig } from '@prof-gen/core';
import type { Container } from '../container/container.js';
import { listeningPorts } from '../container/listening-ports.js';
import type { Run } from '../run.js';
import { hasShell, healthCommand, shellScript } from '../workload/run-workload.js';

/** Times of the generic exercise, in milliseconds. */
export interface ExerciseTimes {
  /** Longest wait for readiness. */
  readonly ready: number;
  /** With listening ports, this long without output and without a new port counts as ready. */
  readonly quietWithPorts: number;
  /** The same without any port, when the image exposes none. */
  readonly quietWithoutPorts: number;
  /** Longest wait for the exit after the stop signal. */
  readonly stop: number;
}

export const defaultTimes: ExerciseTimes = {
  ready: 30_000,
  quietWithPorts: 700,
  quietWithoutPorts: 2_000,
  stop: 15_000,
};

const commandLimit = 20_000;
const conversationLimit = 1_500;
/** Bytes of no protocol: what a server does with them is part of what it does. */
const garbage = Buffer.from([0, 1, 2, 3, 0xff, 0xfe, 0x0d, 0x0a, 0x0d, 0x0a]);

/**
 * Does with a container what can be done without knowing it: start, wait, connect to its ports, a shell, its health
 * check, the stop signal. A program that ends by itself is started once more with its standard input open.
 */
export async function exercise(run: Run, config: ImageConfig, times: ExerciseTimes): Promise<void> {
  run.phase('start');
  const container = await run.container({});
  await container.start();
  await waitUntilQuiet(run, container, config, times);
  if (container.exited === undefined) {
    await converse(run, container);
    await shell(run, container);
    await health(run, container, config);
    await stop(run, container, config, times);
    await run.remove(container);
    return;
  }
  run.note('ends by itself', `with status ${container.exited}`);
  await run.remove(container);

  run.phase('input');
  const reading = await run.container({ input: true });
  await reading.start(true);
  await waitUntilQuiet(run, reading, config, times);
  if (reading.exited === undefined) {
    await converse(run, reading);
    await shell(run, reading);
    await health(run, reading, config);
    run.phase('end of input');
    reading.closeInput();
    const exit = await reading.waitForExit(times.stop);
    run.note('end of input', exit === undefined ? 'it goes on' : `it ends with status ${exit}`);
    if (exit === undefined) await stop(run, reading, config, times);
  }
  await run.remove(reading);
}

async function waitUntilQuiet(
  run: Run,
  container: Container,
  config: ImageConfig,
  times: ExerciseTimes,
): Promise<void> {
  const started = performance.now();
  let ports = '';
  let changed = started;
  while (performance.now() - started < times.ready) {
    run.signal.throwIfAborted();
    if (container.exited !== undefined) {
      await container.finish(1_000);
      return;
    }
    const now = listeningPorts(container.pid).map(({ port }) => port);
    if (now.join() !== ports) {
      ports = now.join();
      changed = performance.now();
    }
    const quiet = Math.min(container.output.silence, performance.now() - changed);
    const exposed = config.exposedPorts.filter((port) => port.endsWith('/tcp'));
    if (now.length > 0 && quiet > times.quietWithPorts) {
      run.note('is ready', `listens on ${now.join(', ')}`);
      return;
    }
    if (now.length === 0 && exposed.length === 0 && quiet > times.quietWithoutPorts) {
      run.note('is ready', 'listens on no port');
      return;
    }
    await sleep(100, undefined, { signal: run.signal });
  }
  run.note('is ready', `taken as ready after ${times.ready / 1000} s`);
}

async function converse(run: Run, container: Container): Promise<void> {
  const ports = listeningPorts(container.pid);
  if (ports.length === 0) return;
  run.phase('ports');
  for (const { port, loopback } of ports) {
    if (loopback || container.address === '') {
      run.note(`port ${port}`, 'reachable from inside the container only');
      continue;
    }
    await openAndClose(container.address, port);
    const status = await getRoot(container.address, port);
    await send(container.address, port, garbage);
    run.note(`port ${port}`, status === undefined ? 'does not speak HTTP' : `HTTP status ${status}`);
  }
  // What a server does after a connection is closed belongs to this phase.
  await sleep(200, undefined, { signal: run.signal });
}

function openAndClose(host: string, port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: conversationLimit }, () => socket.end());
    socket.on('close', () => resolve()).on('error', () => resolve());
    socket.on('timeout', () => socket.destroy()).resume();
    setTimeout(() => socket.destroy(), conversationLimit).unref();
  });
}

function send(host: string, port: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: conversationLimit }, () => socket.end(bytes));
    socket.on('close', () => resolve()).on('error', () => resolve());
    socket.on('timeout', () => socket.destroy()).resume();
    setTimeout(() => socket.destroy(), conversationLimit).unref();
  });
}

function getRoot(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const get = request({ host, port, path: '/', agent: false, timeout: conversationLimit }, (response) => {
      response.on('close', () => resolve(response.statusCode)).on('error', () => {});
      response.resume();
    });
    get.on('error', () => resolve(undefined)).on('timeout', () => get.destroy());
    setTimeout(() => get.destroy(), conversationLimit).unref();
    get.end();
  });
}

async function shell(run: Run, container: Container): Promise<void> {
  if (container.exited !== undefined) return;
  run.phase('shell');
  if (!(await hasShell(container))) {
    run.note('docker exec of a shell', 'the image has none');
    return;
  }
  const { exit } = await container.exec(['/bin/sh', '-c', shellScript], commandLimit);
  run.note('docker exec of a shell', exit === undefined ? 'it did not end' : `status ${exit}`);
}

async function health(run: Run, container: Container, config: ImageConfig): Promise<void> {
  const command = healthCommand(config);
  if (command === undefined || container.exited !== undefined) return;
  run.phase('health');
  const { exit } = await container.exec(command, commandLimit);
  run.note('health check of the image', exit === undefined ? 'it did not end' : `status ${exit}`);
}

async function stop(
  run: Run,
  container: Container,
  config: ImageConfig,
  times: ExerciseTimes,
): Promise<void> {
  if (container.exited !== undefined) return;
  run.phase('stop');
  await container.kill(config.stopSignal);
  const exit = await container.waitForExit(times.stop);
  run.note(
    config.stopSignal,
    exit === undefined ? `it still runs after ${times.stop / 1000} s` : `it ends with status ${exit}`,
  );
}
