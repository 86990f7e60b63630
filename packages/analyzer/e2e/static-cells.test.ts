import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyse, traced } from './native-programs.js';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'prof-gen-cells-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const PRELUDE = `static inline long call(long n, long a) { long r;
  __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a) : "rcx", "r11", "memory"); return r; }
#define AWAY __attribute__((noipa))
struct record { unsigned number; long first; long done; };
`;
const START = (body: string): string => `void _start(void) { ${body} call(60, 0); for (;;) ; }`;

/** Compiles a program without a libc, both ways of loading it, and what is found in each with and without symbols. */
function* built(name: string, source: string): Generator<ReturnType<typeof analyse>> {
  for (const pie of [false, true]) {
    const path = join(directory, `${name.replaceAll(/\W/g, '-')}-${pie}`);
    writeFileSync(`${path}.c`, PRELUDE + source);
    const mode = pie ? ['-static-pie', '-fPIE'] : ['-static', '-fno-pic'];
    const flags = ['-O2', '-w', '-nostdlib', '-fno-stack-protector', '-fno-toplevel-reorder', ...mode];
    execFileSync('gcc', [...flags, '-o', path, `${path}.c`], { stdio: 'pipe' });
    yield analyse(path);
    execFileSync('strip', ['--strip-all', path]);
    yield analyse(path);
  }
}

const run = (inside: string): string =>
  `struct record *current; AWAY long other(long unused) { return call(current->number, current->first); }
   AWAY long run(struct record *r) { r->done = 0; current = r; other(1); ${inside} return call(r->number, r->first); }
   AWAY void one(void) { struct record r = { 39, 1 }; run(&r); }
   AWAY void two(void) { struct record r = { 102, 2 }; run(&r); }
   ${START('one(); two();')}`;

/** As musl's `__setxid`: what every thread is to do, and with what. */
const handed = (how: string): string =>
  `AWAY void act(struct record *r) { r->done = call((int)r->number, r->first); }
   void (*volatile callback)(struct record *); struct record *volatile context;
   AWAY void each(void (*f)(struct record *), struct record *r) { callback = f; context = r; callback(context); }
   AWAY void set(int number) { struct record r = { number, 1 }; ${how} }
   ${START('set(39); set(102);')}`;

describe('numbers that pass through memory', () => {
  it.each([
    [
      'a static word, by its first value and by its stores',
      `static volatile long n = 39; AWAY void set(void) { n = 102; } ${START('call(n, 0); set(); call(n, 0);')}`,
      [39, 60, 102],
    ],
    [
      'a static word that is set from a parameter',
      `static volatile long n = 39; AWAY void set(long to) { n = to; } ${START('set(102); set(104); call(n, 0);')}`,
      [39, 60, 102, 104],
    ],
    ['a record that is given by pointer, and found by a static one', run(''), [39, 60, 102]],
    ['a record that is handed over beside a function', handed('each(act, &r);'), [39, 60, 102]],
  ])('%s', (name, source, expected) => {
    for (const { syscalls, unresolved } of built(name, source)) {
      expect(syscalls.map(({ number }) => number)).toEqual(expected);
      expect(unresolved).toEqual([]);
    }
  });

  it.each([
    [
      'a word whose address is stored',
      `static long n = 39; long *volatile p = &n; ${START('*p = 102; call(*(volatile long *)&n, 0);')}`,
    ],
    [
      'a word whose address is handed over',
      `static volatile long n = 39; AWAY void set(volatile long *at, long to) { __asm__ volatile("" ::: "memory"); *at = to; }
       ${START('set(&n, 102); call(n, 0);')}`,
    ],
    [
      'a word whose half is stored to',
      `static union { volatile long n; volatile short half[4]; } u = { 39 }; ${START('u.half[0] = 102; call(u.n, 0);')}`,
    ],
    [
      'a word that a wider store covers in part',
      `typedef long two __attribute__((vector_size(16))); static union { long n[4]; struct { long a; two b; } __attribute__((packed)) s; } u = { { 0, 39, 40 } };
       volatile long k; ${START('two t = { k, k }; u.s.b = t; __asm__ volatile("" ::: "memory"); call(*(volatile long *)&u.n[2], 0);')}`,
    ],
    ['a word that is counted up', `static volatile long n = 39; ${START('n++; call(n, 0);')}`],
    ['a record of a function that is kept elsewhere too', handed('callback = act; each(act, &r);')],
    [
      'a record of a function that data leads to',
      `void act(); void (*volatile kept)(void *) = act; ${handed('each(act, &r);')}`,
    ],
    [
      'one of two records that are handed over',
      handed('struct record s = r; ((void (*)())each)(act, &r, &s);'),
    ],
    ['a record that is changed on the way', run('r->number = other(1);')],
    [
      'a record that is changed elsewhere',
      `AWAY void change(struct record *r, int to) { r->number = to; } ${run('change(r, other(1));')}`,
    ],
    [
      'a record that is handed on through memory',
      `struct record *volatile box[4]; AWAY void change(void) { box[call(39, 0) & 3]->number = call(39, 0); } ${run('box[call(39, 0) & 3] = r; change();')}`,
    ],
    [
      'a record that is changed where it is found by a static pointer',
      `struct record *current; AWAY void other(long unused) { current->number = call(39, 0); }
       AWAY long run(struct record *r) { current = r; other(1); return call(r->number, r->first); }
       ${START('struct record r = { 39, 1 }; run(&r);')}`,
    ],
  ])('%s stays unknown', (name, source) => {
    for (const { unresolved } of built(name, source)) expect(unresolved).not.toEqual([]);
  });

  it.each([
    ['glibc', ['-pthread']],
    ['glibc, static', ['-static', '-pthread']],
  ])('what all threads must do has its number (setxid): %s', (name, flags) => {
    const path = join(directory, `setxid-${name.replaceAll(/\W/g, '')}`);
    writeFileSync(
      `${path}.c`,
      `#define _GNU_SOURCE
       #include <grp.h>
       #include <pthread.h>
       #include <unistd.h>
       static void *run(void *p) { sleep(1); return p; }
       int main(void) { pthread_t t; pthread_create(&t, 0, run, 0); setgroups(0, 0); setresgid(0, 0, 0); setuid(0);
         pthread_join(t, 0); return 0; }`,
    );
    execFileSync('gcc', ['-O2', '-w', '-o', path, `${path}.c`, ...flags], { stdio: 'pipe' });
    const { names, unresolved } = analyse(path);
    expect(names).toEqual(expect.arrayContaining(['setgroups', 'setresgid', 'setuid']));
    expect(names).not.toContain('setreuid');
    expect(traced(path).filter((call) => !names.includes(call))).toEqual([]);
    expect(unresolved).toEqual([]);
  });
});
