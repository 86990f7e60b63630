import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyse } from './native-programs.js';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'prof-gen-guards-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const GETPID = 39;
/** Guards are looked for only where most functions that make calls do not reach the one: so there are others. */
const others = Array.from({ length: 30 }, (_, i) => i);
const prelude = `
#define alone __attribute__((noipa))
static inline long sys(long n) { long r; __asm__ volatile("syscall" : "=a"(r) : "a"(n) : "rcx", "r11", "memory"); return r; }
${others.map((i) => `alone void other${i}(void) { sys(1); }`).join('\n')}
alone void needed(void) { sys(${GETPID}); }
volatile long opaque;
`;
const start = `void _start(void) { ${others.map((i) => `other${i}();`).join(' ')} test(); sys(60); for (;;) ; }`;

/** Whether getpid is found reachable, and equally so with and without optimisation and symbols. */
function reaches(name: string, source: string): boolean[] {
  const file = join(directory, name.replaceAll(/\W+/g, '-'));
  writeFileSync(`${file}.c`, prelude + source + start);
  return ['-O1', '-O2'].flatMap((level) => {
    const flags = [level, '-w', '-nostdlib', '-static', '-fno-pic', '-fno-stack-protector'];
    execFileSync('gcc', [...flags, '-o', file, `${file}.c`], { stdio: 'pipe' });
    const found = [analyse(file)];
    execFileSync('strip', ['--strip-all', file]);
    found.push(analyse(file));
    return found.map(({ syscalls }) => syscalls.some(({ number }) => number === GETPID));
  });
}

const asks = 'alone void f(int x) { if (x == 1) needed(); }';

describe('a call that a constant argument rules out', () => {
  it.each([
    ['equality', `${asks} void test(void) { f(0); f(2); }`],
    ['a bit', 'alone void f(int x) { if (x & 0x200) needed(); } void test(void) { f(0x100); }'],
    ['a sign', 'alone void f(int x) { if (x < 0) needed(); } void test(void) { f(5); }'],
    ['handed on', `${asks} alone void g(int x) { f(x + 1); } void test(void) { g(1); }`],
  ])('%s', (name, source) => {
    expect(reaches(`out ${name}`, source)).toEqual([false, false, false, false]);
  });
});

describe('a call that is needed stays, however its argument comes', () => {
  it.each([
    ['the constant itself', `${asks} void test(void) { f(0); f(1); }`],
    ['a bit among others', 'alone void f(int x) { if (x & 0x200) needed(); } void test(void) { f(0x300); }'],
    ['a negative number', 'alone void f(int x) { if (x < 0) needed(); } void test(void) { f(-5); }'],
    ['unsigned', 'alone void f(unsigned x) { if (x > 10) needed(); } void test(void) { f(-1); }'],
    ['handed on', `${asks} alone void g(int x) { f(x + 1); } void test(void) { g(0); }`],
    ['a tail call', `${asks} alone void g(int x) { return f(x); } void test(void) { g(1); }`],
    [
      'counting recursion',
      'alone void f(int x) { if (x == 3) needed(); if (x < 5) f(x + 1); } void test(void) { f(0); }',
    ],
    [
      'long recursion',
      'alone void f(int x) { if (x == 300) needed(); if (x < 500) f(x + 1); } void test(void) { f(0); }',
    ],
    ['a loop', `${asks} void test(void) { for (int i = 0; i < 4; i++) f(i); }`],
    ['either of two', `${asks} void test(void) { f(opaque ? 0 : 1); }`],
    ['unknown', `${asks} void test(void) { f(opaque); }`],
    [
      'a pointer to the function',
      `${asks} void (*volatile p)(int) = f; void test(void) { f(0); p(opaque); }`,
    ],
    [
      'a pointer in the code',
      `${asks} alone void run(void (*p)(int)) { p(opaque); } void test(void) { f(0); run(f); }`,
    ],
    [
      'overwritten before',
      'alone void f(int x) { x = opaque; if (x == 1) needed(); } void test(void) { f(0); }',
    ],
    [
      'changed through its address',
      'alone void set(int *x) { *x = 1; } alone void f(int x) { set(&x); if (x == 1) needed(); } void test(void) { f(0); }',
    ],
    [
      'the low half of a long',
      'alone void f(long x) { if ((int)x == 1) needed(); } void test(void) { f(0x100000001L); }',
    ],
    [
      'a long by its high half',
      'alone void f(long x) { if (x == 0x100000001L) needed(); } void test(void) { f(0x100000001L); }',
    ],
    [
      'a byte of it',
      'alone void f(int x) { if ((unsigned char)x == 1) needed(); } void test(void) { f(257); }',
    ],
    ['shifted', 'alone void f(int x) { if (x >> 4 == 1) needed(); } void test(void) { f(16); }'],
    ['multiplied', 'alone void f(int x) { if (x * 3 == 3) needed(); } void test(void) { f(1); }'],
    ['negated', 'alone void f(int x) { if (~x == -2) needed(); } void test(void) { f(1); }'],
    [
      'a jump table',
      'alone void f(int x) { switch (x) { case 0: other0(); break; case 1: other1(); break; case 2: other2(); break; case 3: other3(); break; case 4: other4(); break; case 5: needed(); break; case 6: other6(); } } void test(void) { f(5); }',
    ],
    [
      'the seventh argument',
      'alone void f(int a, int b, int c, int d, int e, int g, int x) { if (x == 1) needed(); } void test(void) { f(0, 0, 0, 0, 0, 0, 1); }',
    ],
    [
      'the sixth argument',
      'alone void f(int a, int b, int c, int d, int e, int x) { if (x == 1) needed(); } void test(void) { f(0, 0, 0, 0, 0, 1); }',
    ],
    [
      'two conditions',
      'alone void f(int x, int y) { if (x == 1 && y != 2) needed(); } void test(void) { f(1, 2); f(1, 3); }',
    ],
    [
      'two callers, one of each',
      'alone void f(int x, int y) { if (x == 1 && y == 1) needed(); } void test(void) { f(1, 0); f(1, 1); }',
    ],
    ['a conditional move', `${asks} alone void g(int x) { f(x > 2 ? 1 : x); } void test(void) { g(3); }`],
    [
      'a static that another function writes',
      'static int mode; alone void set(void) { mode = 1; } alone void f(void) { if (mode == 1) needed(); } void test(void) { set(); f(); }',
    ],
    [
      'a static written through a pointer',
      'static int mode; alone void set(int *p) { *p = 1; } alone void f(void) { if (mode == 1) needed(); } void test(void) { set(&mode); f(); }',
    ],
    [
      'a static that is initialised',
      'static int mode = 1; alone void clear(void) { mode = 0; } alone void f(void) { if (mode == 1) needed(); } void test(void) { f(); clear(); }',
    ],
  ])('%s', (name, source) => {
    expect(reaches(`in ${name}`, source)).toEqual([true, true, true, true]);
  });
});
