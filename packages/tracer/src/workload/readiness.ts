import { get } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Readiness } from '@prof-gen/core';
import type { Container } from '../container/container.js';
import { problemOf, tailOf } from './expectation.js';

const pause = 100;
const attemptLimit = 2_000;

/** Whether a TCP port accepts a connection. */
function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: attemptLimit });
    const end = (accepted: boolean): void => {
      socket.destroy();
      resolve(accepted);
    };
    socket
      .on('connect', () => end(true))
      .on('error', () => end(false))
      .on('timeout', () => end(false));
  });
}

/** Status of a GET, or undefined when there is no HTTP answer. The body is read and dropped. */
function httpStatus(host: string, port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = get({ host, port, path, timeout: attemptLimit, agent: false }, (response) => {
      response
        .on('error', () => resolve(response.statusCode))
        .on('close', () => resolve(response.statusCode))
        .resume();
    });
    request.on('error', () => resolve(undefined)).on('timeout', () => request.destroy());
  });
}

/** Waits until the container is ready. @returns what is wrong, or undefined */
export async function waitUntilReady(
  container: Container,
  ready: Readiness,
  signal: AbortSignal,
): Promise<string | undefined> {
  const limit = ready.timeout * 1000;
  if ('exit' in ready) {
    return problemOf(await container.finish(limit), { exit: 0, output: ready.output, not: [] });
  }
  const isReady = async (): Promise<boolean> => {
    if ('log' in ready) return new RegExp(ready.log, 'm').test(container.output.text());
    if ('port' in ready) return accepts(container.address, ready.port);
    if ('http' in ready) {
      const { port, path, status } = ready.http;
      return (await httpStatus(container.address, port, path)) === status;
    }
    return (await container.exec(ready.command, limit)).exit === 0;
  };
  const started = performance.now();
  while (performance.now() - started < limit) {
    signal.throwIfAborted();
    if (await isReady()) return undefined;
    if (container.exited !== undefined) {
      await container.finish(1_000);
      return `it ended with status ${container.exited}; it said: ${tailOf(container.output.text())}`;
    }
    await sleep(pause, undefined, { signal });
  }
  return `not ready after ${ready.timeout} s; it said: ${tailOf(container.output.text())}`;
}
