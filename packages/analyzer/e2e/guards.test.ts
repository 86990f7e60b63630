import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkProgram } from '../src/link/link-program.js';
import { summarize } from '../src/summary/summarize.js';
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

/**
 * Whether getpid is found reachable, and equally so with and without optimisation and symbols.
 * @param model `-fpic` makes jump tables of distances, as they are in libraries
 */
function reaches(name: string, source: string, model = '-fno-pic'): boolean[] {
  const file = join(directory, name.replaceAll(/\W+/g, '-'));
  writeFileSync(`${file}.c`, prelude + source + start);
  return ['-O1', '-O2'].flatMap((level) => {
    const flags = [level, '-w', '-nostdlib', '-static', model, '-fno-stack-protector'];
    execFileSync('gcc', [...flags, '-o', file, `${file}.c`], { stdio: 'pipe' });
    const found = [analyse(file)];
    execFileSync('strip', ['--strip-all', file]);
    found.push(analyse(file));
    return found.map(({ syscalls }) => syscalls.some(({ number }) => number === GETPID));
  });
}

const asks = 'alone void f(int x) { if (x == 1) needed(); }';

const cases =
  'alone void f(int x) { switch (x) { case 0: other0(); break; case 1: other1(); break; case 2: other2(); break; case 3: other3(); break; case 4: other4(); break; case 5: needed(); break; case 6: other6(); } }';
/** As glibc's `alloca_account`: a copy of the stack pointer tells how far it has moved. */
const room = `
alone void use(volatile char *p, long n) { for (long i = 0; i < n; i++) p[i] = 1; }
alone void f(int x, long n) {
  volatile int kept = x; long moved; char *room;
  __asm__ volatile("mov %%rsp,%0" : "=r"(moved));
  room = __builtin_alloca(n);
  __asm__ volatile("sub %%rsp,%0" : "+r"(moved));
  use(room, moved);
  if (kept & 0x200) needed();
}`;

describe('a call that a constant argument rules out', () => {
  it.each([
    ['equality', `${asks} void test(void) { f(0); f(2); }`],
    ['a bit', 'alone void f(int x) { if (x & 0x200) needed(); } void test(void) { f(0x100); }'],
    ['a sign', 'alone void f(int x) { if (x < 0) needed(); } void test(void) { f(5); }'],
    ['handed on', `${asks} alone void g(int x) { f(x + 1); } void test(void) { g(1); }`],
    [
      'a bit that is set on the way',
      'alone void f(int x) { if (x & 0x200) needed(); } alone void g(int x) { f(x | 0x100); } void test(void) { g(4); }',
    ],
    ['beside room on the stack', `${room} void test(void) { f(0x100, 40); }`],
  ])('%s', (name, source) => {
    expect(reaches(`out ${name}`, source)).toEqual([false, false, false, false]);
  });

  it('another case of a switch', () => {
    expect(reaches('out case', `${cases} void test(void) { f(4); f(6); }`, '-fpic')).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it('in a library that the program is linked to', () => {
    const library = join(directory, 'libasked.so');
    const body = `${prelude.replaceAll('alone void other', 'static alone void other').replace('alone void needed', 'static alone void needed')}
      void all(void) { ${others.map((i) => `other${i}();`).join(' ')} }
      alone void f(int x) { if (x == 1) needed(); }`;
    writeFileSync(`${library}.c`, body);
    const shared = ['-O2', '-w', '-nostdlib', '-shared', '-fpic', '-fno-stack-protector'];
    execFileSync('gcc', [...shared, '-o', library, `${library}.c`], { stdio: 'pipe' });
    const found = [0, 1].map((argument) => {
      const file = join(directory, `asker-${argument}`);
      const source = `void f(int); void all(void); void _start(void) { all(); f(${argument}); for (;;) ; }`;
      writeFileSync(`${file}.c`, source);
      const flags = ['-O2', '-w', '-nostdlib', '-nostartfiles', '-fno-stack-protector'];
      execFileSync('gcc', [...flags, '-o', file, `${file}.c`, library], { stdio: 'pipe' });
      const objects = [
        { object: { path: file, sha256: '', role: 'program' as const }, path: file },
        { object: { path: library, sha256: '', role: 'needed' as const }, path: library },
      ].map(({ object, path }) => ({ object, summary: summarize(readFileSync(path)) }));
      return linkProgram({ program: file, objects }).syscalls.map(({ number }) => number);
    });
    expect(found).toEqual([[1], [1, GETPID]]);
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
    ['beside room on the stack', `${room} void test(void) { f(0x300, 40); }`],
    [
      'a bit that is set on the way',
      'alone void f(int x) { if (x & 0x200) needed(); } alone void g(int x) { f(x | 0x200); } void test(void) { g(4); }',
    ],
    [
      'one of two constants, the other compared with',
      'alone void f(int x) { int y = opaque ? 3 : x; if (y == 3) other0(); if (y < 5) other1(); if (y == 1) needed(); } void test(void) { f(1); }',
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

  it('the case of a switch', () => {
    expect(reaches('in case', `${cases} void test(void) { f(5); }`, '-fpic')).toEqual([
      true,
      true,
      true,
      true,
    ]);
  });
});
