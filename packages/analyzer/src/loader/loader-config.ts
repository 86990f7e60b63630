import { posix } from 'node:path';
import type { FileTree } from '@prof-gen/core';
import { type LdSoCache, parseLdSoCache } from './ld-so-cache.js';

/** Files of an image that the dynamic loaders read. */
export interface LoaderConfig {
  readonly cache: LdSoCache;
  /** Directories of `ld.so.conf`; used only where the cache that was made from it cannot be read. */
  readonly configured: readonly string[];
  /** Names in `/etc/ld.so.preload`. */
  readonly preload: readonly string[];
  /** `/etc/ld-musl-x86_64.path`, where present. */
  readonly muslPath: readonly string[] | undefined;
}

const maximumConfig = 64;

async function read(tree: FileTree, path: string): Promise<Uint8Array | undefined> {
  const found = tree.resolve(path);
  if (!found.ok || found.entry.type !== 'file' || found.entry.digest === undefined) return undefined;
  return tree.read(found.entry);
}

/** Directories that `ld.so.conf` and what it includes name (ldconfig(8)). */
async function configuredDirectories(tree: FileTree): Promise<readonly string[]> {
  const directories: string[] = [];
  const queue = ['/etc/ld.so.conf'];
  for (let i = 0; i < queue.length && i < maximumConfig; i++) {
    const path = queue[i] as string;
    const text = new TextDecoder().decode((await read(tree, path)) ?? new Uint8Array());
    for (const line of text.split('\n')) {
      const words = line
        .replace(/#.*/, '')
        .split(/[\s:,]+/)
        .filter((word) => word !== '');
      if (words[0] !== 'include') {
        directories.push(...words.filter((word) => word.startsWith('/')));
        continue;
      }
      for (const pattern of words.slice(1)) {
        const absolute = posix.resolve(posix.dirname(path), pattern);
        const suffix = /\*([^*]*)$/.exec(absolute)?.[1];
        if (suffix === undefined) queue.push(absolute);
        else {
          const files = tree.list(posix.dirname(absolute)).map((entry) => entry.path);
          queue.push(...files.filter((file) => file.endsWith(suffix)));
        }
      }
    }
  }
  return [...new Set(directories)];
}

export async function readLoaderConfig(tree: FileTree): Promise<LoaderConfig> {
  const cacheBytes = await read(tree, '/etc/ld.so.cache');
  const cache = cacheBytes && parseLdSoCache(cacheBytes);
  const words = async (path: string, separator: RegExp): Promise<string[] | undefined> => {
    const bytes = await read(tree, path);
    return (
      bytes &&
      new TextDecoder()
        .decode(bytes)
        .split(separator)
        .filter((word) => word !== '')
    );
  };
  return {
    cache: cache ?? new Map(),
    configured:
      cache === undefined && tree.resolve('/etc/ld.so.cache').ok ? await configuredDirectories(tree) : [],
    preload: (await words('/etc/ld.so.preload', /[\s:,]+/)) ?? [],
    muslPath: await words('/etc/ld-musl-x86_64.path', /[\n:]/),
  };
}
