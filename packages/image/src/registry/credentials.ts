import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ProfGenError, printable } from '@prof-gen/core';

export type Credentials =
  | { readonly type: 'basic'; readonly username: string; readonly password: string }
  /** A refresh token for the registry's token server. */
  | { readonly type: 'identity-token'; readonly token: string }
  /** A bearer token to be sent as it is. */
  | { readonly type: 'registry-token'; readonly token: string };

interface AuthEntry {
  auth?: unknown;
  username?: unknown;
  password?: unknown;
  identitytoken?: unknown;
  registrytoken?: unknown;
}

interface DockerConfig {
  auths?: Record<string, AuthEntry | null>;
  credsStore?: unknown;
  credHelpers?: Record<string, unknown>;
}

const helperTime = 30_000;
const helperBytes = 1024 * 1024;

/** Docker Hub is stored under the address of its first version. */
function keysOf(registry: string): readonly string[] {
  if (registry === 'docker.io') {
    return ['https://index.docker.io/v1/', 'index.docker.io', 'docker.io', 'registry-1.docker.io'];
  }
  return [registry];
}

/** `https://host:port/v1/` and `host:port` mean the same. */
function hostOf(key: string): string {
  return (key.replace(/^https?:\/\//, '').split('/', 1)[0] ?? '').toLowerCase();
}

/**
 * What `docker login` stored for a registry, read from Docker's config.json and its helpers
 * (docker/cli, cli/config; docker-credential-helpers). Undefined when there is nothing: then one is anonymous.
 * @throws ProfGenError `environment/docker-config`, `environment/credential-helper`
 */
export async function credentialsFor(
  registry: string,
  directory: string | undefined,
): Promise<Credentials | undefined> {
  const file = join(directory ?? process.env['DOCKER_CONFIG'] ?? join(homedir(), '.docker'), 'config.json');
  const text = await readFile(file, 'utf8').catch((thrown: unknown) => {
    if (
      thrown instanceof Error &&
      'code' in thrown &&
      (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR')
    ) {
      return undefined;
    }
    throw new ProfGenError('environment/docker-config', `cannot read ${file}`, { causes: [thrown] });
  });
  if (text === undefined) return undefined;
  let config: DockerConfig;
  try {
    config = JSON.parse(text) as DockerConfig;
    if (typeof config !== 'object' || config === null) throw new Error('not an object');
  } catch {
    // Never the parser's message: it quotes the file, which has passwords in it.
    throw new ProfGenError('environment/docker-config', `${file} is not JSON`, {
      hint: 'repair or remove it',
    });
  }

  const keys = keysOf(registry);
  const helper =
    keys.map((key) => config.credHelpers?.[key]).find((name) => name !== undefined) ?? config.credsStore;
  if (typeof helper === 'string' && helper !== '') {
    for (const key of keys.slice(0, 1)) {
      const found = await askHelper(helper, key);
      if (found !== undefined) return found;
    }
  }
  const hosts = keys.map(hostOf);
  for (const [key, entry] of Object.entries(config.auths ?? {})) {
    const found = entry !== null && hosts.includes(hostOf(key)) ? readEntry(entry) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function readEntry(entry: AuthEntry): Credentials | undefined {
  const { auth, username, password, identitytoken, registrytoken } = entry;
  if (typeof identitytoken === 'string' && identitytoken !== '')
    return { type: 'identity-token', token: identitytoken };
  if (typeof registrytoken === 'string' && registrytoken !== '')
    return { type: 'registry-token', token: registrytoken };
  if (typeof auth === 'string' && auth !== '') {
    const decoded = Buffer.from(auth, 'base64').toString('utf8');
    const colon = decoded.indexOf(':');
    if (colon > 0) {
      return {
        type: 'basic',
        username: decoded.slice(0, colon),
        password: decoded.slice(colon + 1).replace(/\0+$/, ''),
      };
    }
  }
  if (typeof username === 'string' && username !== '' && typeof password === 'string') {
    return { type: 'basic', username, password };
  }
  return undefined;
}

async function askHelper(name: string, key: string): Promise<Credentials | undefined> {
  const failed = (why: string): ProfGenError =>
    new ProfGenError('environment/credential-helper', `docker-credential-${printable(name)} ${why}`, {
      hint: "install it, or take it out of Docker's config.json",
    });
  if (!/^[\w.-]+$/.test(name)) throw failed('is not a name of a program');
  const { status, output } = await runHelper(`docker-credential-${name}`, key).catch((thrown: unknown) => {
    throw failed(`cannot be run: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  });
  if (status !== 0) {
    // The helpers' one agreed error text.
    if (/credentials not found/i.test(output)) return undefined;
    throw failed(`ended with status ${status}`);
  }
  let answer: { Username?: unknown; Secret?: unknown };
  try {
    answer = JSON.parse(output) as typeof answer;
  } catch {
    throw failed('gave no JSON');
  }
  const { Username, Secret } = answer;
  if (typeof Username !== 'string' || typeof Secret !== 'string' || Secret === '') return undefined;
  return Username === '<token>'
    ? { type: 'identity-token', token: Secret }
    : { type: 'basic', username: Username, password: Secret };
}

function runHelper(program: string, key: string): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['get'], {
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: helperTime,
      killSignal: 'SIGKILL',
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      if (output.length > helperBytes) child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, output }));
    // It may end without reading.
    child.stdin.on('error', () => {});
    child.stdin.end(`${key}\n`);
  });
}
