import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const workspace = join(import.meta.dirname, '../../..');

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prof-gen-fuzz-'));
  await writeFile(
    join(directory, 'a.c'),
    '#include <stdio.h>\nint f(int x) { switch (x) { case 1: return 5; case 2: return puts("a"); case 3: return 9;' +
      ' case 4: return x * x; case 5: return 77; default: return 0; } }\nint main(int n, char **v) { return f(n); }\n',
  );
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('mutated files', () => {
  it('cost no crash, no hang and no memory', async () => {
    const kinds = {
      dynamic: ['gcc'],
      static: ['gcc', '-static'],
      musl: ['musl-gcc'],
      shared: ['gcc', '-shared', '-fPIC'],
    };
    const files: string[] = [];
    for (const [name, [compiler = '', ...options]] of Object.entries(kinds)) {
      files.push(join(directory, name));
      await run(compiler, ['-O2', ...options, '-o', join(directory, name), join(directory, 'a.c')]);
    }
    const only = files.flatMap((file) => ['--file', file]);
    const { stdout } = await run('node', ['scripts/check-fuzz.mjs', '--count', '300', ...only], {
      cwd: workspace,
    });
    expect(stdout).toMatch(/300 mutated files of 4, 0 failures;/);
    // Some of the damage is noticed, some is not: the mutations reach what lies behind the header.
    expect(stdout).toMatch(/^ +\d+ {2}analysed$/m);
    expect(stdout).toMatch(/^ +\d+ {2}elf\/bad-header$/m);
  });
});
