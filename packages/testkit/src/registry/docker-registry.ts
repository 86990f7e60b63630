import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FixtureImage } from '../image/fixture-image.js';

export interface DockerRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly username: string;
  push(repository: string, tag: string, image: FixtureImage): Promise<void>;
  close(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

/**
 * The distribution's own registry (Debian: docker-registry) on a free loopback port, in a directory of its own.
 * With a password it wants basic auth by the user `tester` (Debian: apache2-utils for htpasswd).
 * @throws Error when it is not installed or does not start
 */
export async function startDockerRegistry(
  options: { readonly password?: string } = {},
): Promise<DockerRegistry> {
  const username = 'tester';
  const { password } = options;
  const directory = mkdtempSync(join(tmpdir(), 'prof-gen-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  const config: Record<string, unknown> = {
    version: '0.1',
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: join(directory, 'data') } },
    http: { addr: host },
  };
  if (password !== undefined) {
    const file = join(directory, 'htpasswd');
    writeFileSync(file, execFileSync('htpasswd', ['-Bbn', username, password]));
    config['auth'] = { htpasswd: { realm: 'test', path: file } };
  }
  // JSON is YAML too.
  writeFileSync(join(directory, 'config.yml'), JSON.stringify(config));
  const child = spawn('docker-registry', ['serve', join(directory, 'config.yml')], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => {
    child.on('error', () => resolve());
    child.on('exit', () => resolve());
  });
  const headers: Record<string, string> =
    password === undefined
      ? {}
      : { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
  const close = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  };
  for (let tries = 0; ; tries += 1) {
    const up = await fetch(`http://${host}/v2/`, { headers }).then(
      (answer) => answer.status === 200,
      () => false,
    );
    if (up) break;
    if (tries === 100 || child.exitCode !== null || child.pid === undefined) {
      await close();
      throw new Error('docker-registry does not start: is the package docker-registry installed?');
    }
    await sleep(50);
  }

  async function expectStatus(status: number, url: string, init: RequestInit): Promise<Response> {
    const answer = await fetch(url, {
      ...init,
      headers: { ...headers, ...(init.headers as Record<string, string>) },
    });
    if (answer.status === status) return answer;
    throw new Error(`${init.method} ${url}: ${answer.status} ${await answer.text()}`);
  }

  return {
    host,
    username,
    async push(repository, tag, image) {
      const base = `http://${host}/v2/${repository}`;
      for (const { digest, bytes } of image.blobs) {
        const begun = await expectStatus(202, `${base}/blobs/uploads/`, { method: 'POST' });
        const url = new URL(begun.headers.get('location') ?? '', base);
        url.searchParams.set('digest', digest);
        await expectStatus(201, url.href, {
          method: 'PUT',
          body: Buffer.from(bytes),
          headers: { 'content-type': 'application/octet-stream' },
        });
      }
      await expectStatus(201, `${base}/manifests/${tag}`, {
        method: 'PUT',
        body: Buffer.from(image.manifest.bytes),
        headers: { 'content-type': image.manifest.mediaType },
      });
    },
    close,
  };
}
