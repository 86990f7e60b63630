import { createRequire } from 'node:module';

const manifest = createRequire(import.meta.url)('../package.json') as { version: string };

/** Version of Prof-gen, recorded with every result. */
export const toolVersion: string = manifest.version;
