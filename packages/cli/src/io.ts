import type { Writable } from 'node:stream';

/** Where a command writes. Results alone go to `stdout`; progress and errors go to `stderr`. */
export interface Io {
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
}
