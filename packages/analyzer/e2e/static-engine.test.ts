import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkProgram } from '../src/link/link-program.js';
import { summarize, summarizeWhole } from '../src/summary/summarize.js';
import { analyse, closure, traced, tracedFor } from './native-programs.js';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'prof-gen-engine-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Compiles C and returns the path of the program. */
function compile(name: string, source: string, compiler: string, ...flags: string[]): string {
  const path = join(directory, name);
  writeFileSync(`${path}.c`, source);
  execFileSync(compiler, ['-O2', '-w', '-o', path, `${path}.c`, ...flags], { stdio: 'pipe' });
  return path;
}

const bare = ['-nostdlib', '-static', '-fno-pic', '-fno-stack-protector'];
const CALL = `static inline long call(long n, long a) { long r;
  __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a) : "rcx", "r11", "memory"); return r; }
`;
const EXIT = 'call(60, 0); for (;;) ;';

describe('exact sets of small programs without a libc', () => {
  it.each([
    ['constants', `void _start(void) { call(39, 0); call(102, 0); ${EXIT} }`, [39, 60, 102]],
    [
      'a wrapper that is not inlined',
      `__attribute__((noinline, noclone)) long w(long a, long n) { return call(n, a); }
       void _start(void) { w(1, 39); w(2, 102); ${EXIT} }`,
      [39, 60, 102],
    ],
    [
      'a jump table',
      `__attribute__((noinline)) void pick(int k) { switch (k) {
         case 0: call(10, 1); break; case 1: call(11, 2); break; case 2: call(12, 3); break;
         case 3: call(13, 4); break; case 4: call(14, 5); break; case 5: call(15, 6); break; } }
       volatile int k; void _start(void) { pick(k); ${EXIT} }`,
      [10, 11, 12, 13, 14, 15, 60],
    ],
    [
      'a table of functions that is used, and one that is not',
      `static void a(void) { call(20, 0); } static void b(void) { call(21, 0); } static void c(void) { call(22, 0); }
       void (*const used[])(void) = { a, b }; __attribute__((used)) void dead(void) { c(); }
       volatile int k; void _start(void) { used[k](); ${EXIT} }`,
      [20, 21, 60],
    ],
    [
      'a loop with a number from a few',
      `volatile int k; void _start(void) { long n = 30; for (int i = 0; i < k; i++) { call(n, 0); n = i & 1 ? 31 : 32; } ${EXIT} }`,
      [30, 31, 32, 60],
    ],
  ])('%s', (name, source, expected) => {
    for (const pie of [false, true]) {
      const flags = pie ? ['-nostdlib', '-static-pie', '-fPIE', '-fno-stack-protector'] : bare;
      const path = compile(`${name.replaceAll(' ', '-')}-${pie}`, CALL + source, 'gcc', ...flags);
      const result = analyse(path);
      expect(result.syscalls.map(({ number }) => number)).toEqual(expected);
      expect(result.unresolved).toEqual([]);
      execFileSync('strip', ['--strip-all', path]);
      expect(analyse(path).syscalls.map(({ number }) => number)).toEqual(expected);
    }
  });

  it('calls resolvers of indirect functions and what they choose', () => {
    const source = `${CALL}static void one(void) { call(24, 0); }
      void *resolve(void) { return one; } void f(void) __attribute__((ifunc("resolve")));
      __attribute__((visibility("default"))) void g(void) { f(); }`;
    const path = compile('libifunc.so', source, 'gcc', '-shared', '-fPIC', '-nostdlib');
    const summary = summarize(readFileSync(path));
    const object = { path, sha256: '', role: 'late' as const };
    const { syscalls } = linkProgram({ program: path, objects: [{ object, summary }] });
    expect(syscalls.map(({ number }) => number)).toEqual([24]);
  });
});

const threaded = `#define _GNU_SOURCE
#include <stdio.h>
#include <pthread.h>
#include <unistd.h>
#include <sys/syscall.h>
static void *run(void *p) { syscall(SYS_gettid); return p; }
int main(void) { pthread_t t; char line[80]; pthread_create(&t, 0, run, 0); pthread_join(t, 0);
  FILE *f = fopen("/etc/passwd", "r"); if (f) { fgets(line, 80, f); fclose(f); } puts("done"); return 0; }
`;

describe('real programs', () => {
  it.each([
    ['glibc', 'gcc', ['-pthread'], 62],
    ['glibc, static', 'gcc', ['-static', '-pthread'], 50],
    ['glibc, static PIE', 'gcc', ['-static-pie', '-pthread'], 50],
    ['musl', 'musl-gcc', [], 62],
    ['musl, static', 'musl-gcc', ['-static'], 28],
  ])('a threaded program with %s makes no call that was not found', (name, compiler, flags, limit) => {
    const path = compile(`threaded-${name.replaceAll(/\W/g, '')}`, threaded, compiler, ...flags);
    const { names } = analyse(path);
    expect(traced(path).filter((call) => !names.includes(call))).toEqual([]);
    expect(names.length).toBeLessThanOrEqual(limit);
  });

  it.each([
    ['/bin/ls', ['-laR', '/etc/apt'], 69],
    ['/usr/bin/sort', ['--parallel=2', '/etc/passwd', '/etc/services'], 74],
    ['/usr/bin/sha256sum', ['/etc/passwd'], 48],
    ['/usr/bin/find', ['/etc', '-newer', '/etc/passwd'], undefined],
    ['/bin/tar', ['-cf', '/dev/null', '-C', '/etc', 'apt'], undefined],
    ['/bin/grep', ['-r', 'root', '/etc/apt'], undefined],
    [
      '/bin/bash',
      ['-c', 'for i in 1 2; do (echo $i | while read x; do echo $x; done); done; ulimit -a; kill -0 $$'],
      undefined,
    ],
  ])('%s makes no call that was not found, and its summary equals the whole graph', (path, args, limit) => {
    const { names, syscalls } = analyse(path);
    expect(traced(path, ...args).filter((call) => !names.includes(call))).toEqual([]);
    if (limit !== undefined) expect(names.length).toBeLessThanOrEqual(limit);
    const whole = linkProgram(closure(path, summarizeWhole));
    expect(whole.syscalls).toEqual(syscalls);
  });
});

describe('Go', () => {
  it('docker-registry makes no call that was not found, and each number is decided', () => {
    const program = '/usr/bin/docker-registry';
    const config = join(directory, 'registry.yml');
    writeFileSync(
      config,
      `version: 0.1\nstorage: { filesystem: { rootdirectory: ${directory}/registry } }\nhttp: { addr: "127.0.0.1:0" }\n`,
    );
    const { names, unresolved } = analyse(program);
    const seen = tracedFor(3, program, 'serve', config);
    expect(seen).toContain('epoll_pwait');
    expect(seen.filter((call) => !names.includes(call))).toEqual([]);
    expect(names.length).toBeLessThanOrEqual(112);
    expect(unresolved).toEqual([]);
  }, 60_000);
});
