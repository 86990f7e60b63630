import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Io } from './io.js';

/** Where layers and summaries are kept: `--cache`, `PROF_GEN_CACHE`, else the XDG cache directory. */
export function cacheDirectory(io: Io, option: string | undefined): string {
  const base = io.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return option ?? (io.env['PROF_GEN_CACHE'] || join(base, 'prof-gen'));
}
