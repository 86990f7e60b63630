import { createRequire } from 'node:module';
import type * as Iced from 'iced-x86';

/**
 * The decoder's package. By `require`: importing it makes Node search its 900 kB of JavaScript for the names that it
 * exports, which takes three times as long as running it, in every thread.
 */
export const iced = createRequire(import.meta.url)('iced-x86') as typeof Iced;
