import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FileSummary } from '../src/summary/file-summary.js';
import { debugDataOf } from '../src/elf/debug-data.js';
import { summarize, summarizeWithDetail } from '../src/summary/summarize.js';
import { analyse, traced } from './native-programs.js';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'prof-gen-variants-'));
  writeFileSync(join(directory, 'c.c'), source);
  writeFileSync(join(directory, 'c.cc'), thrower);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Calls in every way a program has: tables, a jump table, constructors, threads, TLS, `syscall`, a tail call. */
const source = `#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
static __thread int count = 3; static __thread int (*inThread)(int) = (int (*)(int))getpgid;
static void *run(void *p) { syscall(SYS_gettid); count++; inThread(0); return p; }
static int a(void) { return getppid(); } static int b(void) { return umask(0); }
static int never(void) { return sethostname("", 0); }
static int (*const used[])(void) = { a, b };
static int (*const unused[])(void) = { never, never };
__attribute__((noinline)) int notCalled(int i) { return unused[i](); }
__attribute__((constructor)) static void first(void) { getpriority(0, 0); }
__attribute__((destructor)) static void last(void) { getsid(0); }
__attribute__((noinline)) int pick(int k) { switch (k) {
  case 0: puts("x"); return 3; case 1: sync(); return 5; case 2: alarm(0); return 7; case 3: getuid(); return 1;
  case 4: getgid(); return 2; case 5: geteuid(); return 9; case 6: getegid(); return 4; } return 0; }
int main(int c, char **v) { pthread_t t; pthread_create(&t, 0, run, 0); pthread_join(t, 0);
  for (int i = 0; i < 7; i++) c += pick(i); used[0](); return used[c & 1 ? 1 : 1](); }
`;
/** Of a function that nothing calls: found or not, it does not matter. */
const dead = 'sethostname';
const expected = ['getegid', 'getgid', 'getpgid', 'getppid', 'getpriority', 'getsid', 'sync', 'umask'];

const thrower = `#include <unistd.h>
#include <stdexcept>
struct Cleanup { ~Cleanup() { getppid(); } };
__attribute__((noinline)) void fail(int c) { Cleanup cleanup; if (c) throw std::runtime_error("x"); }
int main(int c, char **) { try { fail(c); } catch (const std::exception &) { getpgid(0); } return 0; }
`;

const summaries = new Map<string, FileSummary>();
const remembered = (bytes: Uint8Array, path: string): FileSummary => {
  // The libraries are the same every time.
  const key = `${path} ${bytes[40]}`;
  const known = path.startsWith(directory) ? undefined : summaries.get(key);
  const summarized = known ?? summarize(bytes);
  summaries.set(key, summarized);
  return summarized;
};

/** The file with no section headers (e_shoff, e_shentsize, e_shnum, e_shstrndx all 0). */
function withoutHeaders(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy.fill(0, 40, 48);
  copy.fill(0, 58, 64);
  return copy;
}

const O2 = ['gcc', '-O2'];
const variants: readonly (readonly [string, readonly string[]])[] = [
  ['gcc -O0', ['gcc', '-O0']],
  ['gcc -Os', ['gcc', '-Os']],
  ['gcc -O3', ['gcc', '-O3']],
  ['position-dependent', [...O2, '-no-pie', '-fno-pie']],
  ['one segment for code and constants', [...O2, '-no-pie', '-fno-pie', '-Wl,-z,noseparate-code']],
  ['static', [...O2, '-static']],
  ['static, position-dependent, one segment', [...O2, '-static', '-fno-pie', '-Wl,-z,noseparate-code']],
  ['static PIE', [...O2, '-static-pie']],
  ['packed relative relocations', [...O2, '-Wl,-z,pack-relative-relocs']],
  ['a hash table of the old kind', [...O2, '-Wl,--hash-style=sysv']],
  ['bound at start', [...O2, '-Wl,-z,now', '-fno-plt']],
  ['lazily bound', [...O2, '-Wl,-z,lazy', '-Wl,-z,norelro']],
  ['control-flow protection', [...O2, '-fcf-protection=full', '-Wl,-z,ibtplt']],
  ['TLS descriptors', [...O2, '-fPIC', '-mtls-dialect=gnu2']],
  ['the large code model', [...O2, '-mcmodel=large']],
  ['the large code model, position-dependent', [...O2, '-mcmodel=large', '-no-pie', '-fno-pie']],
  ['the medium code model', [...O2, '-mcmodel=medium', '-mlarge-data-threshold=0']],
  ['huge pages', [...O2, '-Wl,-z,max-page-size=0x200000', '-Wl,-z,common-page-size=0x200000']],
  ['no unwind tables', [...O2, '-fno-asynchronous-unwind-tables', '-Wl,--no-eh-frame-hdr']],
  ['no unwind tables, static', [...O2, '-static', '-fno-asynchronous-unwind-tables']],
  ['sections for each function', [...O2, '-ffunction-sections', '-fdata-sections', '-Wl,--gc-sections']],
  ['link-time optimisation', [...O2, '-flto']],
  ['compressed debug sections', [...O2, '-g', '-gz']],
  ['linked elsewhere', [...O2, '-no-pie', '-fno-pie', '-Wl,-Ttext-segment=0x10000000']],
  ['a shared object linked to an address', [...O2, '-Wl,-Ttext-segment=0x31000000']],
  ['gold', [...O2, '-fuse-ld=gold']],
  ['gold, static', [...O2, '-fuse-ld=gold', '-static']],
  ['lld', [...O2, '-fuse-ld=lld']],
  ['lld, position-dependent', [...O2, '-fuse-ld=lld', '-no-pie', '-fno-pie']],
  ['lld, static', [...O2, '-fuse-ld=lld', '-static']],
  ['mold', [...O2, '-fuse-ld=mold']],
  ['mold, static', [...O2, '-fuse-ld=mold', '-static']],
  ['clang', ['clang', '-O2']],
  ['clang, position-dependent', ['clang', '-O2', '-no-pie', '-fno-pie']],
  ['clang, the large code model', ['clang', '-O2', '-mcmodel=large', '-fPIC']],
  ['musl', ['musl-gcc', '-O2']],
  ['musl, static', ['musl-gcc', '-O2', '-static']],
  [
    'musl, static, one segment',
    ['musl-gcc', '-O2', '-static', '-no-pie', '-fno-pie', '-Wl,-z,noseparate-code'],
  ],
  ['musl, static PIE', ['musl-gcc', '-O2', '-static-pie', '-fPIE']],
];

describe('every kind of file', () => {
  it.each(variants)('%s: nothing missed, with section headers, stripped and without any', (name, command) => {
    const path = join(directory, name.replaceAll(/\W+/g, '-'));
    const [compiler = '', ...flags] = command;
    execFileSync(compiler, ['-w', ...flags, '-o', path, join(directory, 'c.c'), '-pthread'], {
      stdio: 'pipe',
    });
    const seen = traced(path);
    for (const call of expected) expect(seen).toContain(call);
    const whole = analyse(path, remembered);
    expect(seen.filter((call) => !whole.names.includes(call))).toEqual([]);

    const bare = analyse(path, (bytes, file) => remembered(withoutHeaders(bytes), `${file} bare`));
    expect(whole.names.filter((call) => call !== dead && !bare.names.includes(call))).toEqual([]);

    copyFileSync(path, `${path}.stripped`);
    execFileSync('strip', ['--strip-all', `${path}.stripped`]);
    const stripped = analyse(`${path}.stripped`, remembered);
    expect(whole.names.filter((call) => call !== dead && !stripped.names.includes(call))).toEqual([]);
    expect(readFileSync(`${path}.stripped`).length).toBeLessThanOrEqual(readFileSync(path).length);
  });

  // This glibc applies no REL tables on x86-64, and wants a mark beside RELR that this lld does not write.
  it.each([
    ['REL', '-Wl,-z,rel'],
    ['RELR', '-Wl,--pack-dyn-relocs=relr'],
  ])('lld, %s: the same calls as with RELA', (name, flag) => {
    const link = (path: string, ...flags: string[]): readonly string[] => {
      const command = ['-O2', '-w', '-fuse-ld=lld', ...flags, '-o', path, join(directory, 'c.c'), '-pthread'];
      execFileSync('gcc', command, { stdio: 'pipe' });
      return analyse(path, remembered).names;
    };
    const names = link(join(directory, `lld-${name}`), flag);
    expect(names).toEqual(link(join(directory, `lld-${name}-rela`)));
    for (const call of expected) expect(names).toContain(call);
  });

  it.each([
    ['g++', []],
    ['g++', ['-static']],
    ['clang++', []],
  ])('landing pads: %s %s', (compiler, flags) => {
    const path = join(directory, `thrower-${compiler}${flags.join('')}`);
    execFileSync(compiler, ['-O2', '-w', ...flags, '-o', path, join(directory, 'c.cc')], { stdio: 'pipe' });
    const seen = traced(path);
    expect(seen).toEqual(expect.arrayContaining(['getppid', 'getpgid']));
    const { names } = analyse(path, remembered);
    expect(seen.filter((call) => !names.includes(call))).toEqual([]);
  });

  it('a shared object with its constants in the segment of its code: they are no calls', () => {
    const source = join(directory, 'constants.c');
    writeFileSync(
      source,
      'static const unsigned char constants[] = { 0xb8, 101, 0, 0, 0, 0x0f, 0x05, 0xc3 };\n' +
        'const void *f(void) { return constants; }\n',
    );
    const path = join(directory, 'libconstants.so');
    const flags = ['-O2', '-shared', '-fPIC', '-nostdlib', '-Wl,-z,noseparate-code'];
    execFileSync('gcc', [...flags, '-o', path, source], { stdio: 'pipe' });
    const bytes = readFileSync(path);
    // No entry point, and an executable segment from address 0 on.
    expect(bytes.readBigUInt64LE(24)).toBe(0n);
    const { sites, undecided } = summarize(bytes);
    expect([sites, undecided]).toEqual([[], []]);
  });
});

describe('symbols that a stripped file has compressed inside it', () => {
  /** As gdb's manual makes it ("MiniDebugInfo"), with other bytes in place of the compressed ones where given. */
  const withDebugData = (content?: Uint8Array): Uint8Array => {
    const at = (name: string): string => join(directory, name);
    const run = (...argv: string[]): void => {
      execFileSync(argv[0] ?? '', argv.slice(1), { cwd: directory, stdio: 'pipe' });
    };
    run('gcc', '-g', '-O1', '-o', 'mini', 'c.c', '-pthread');
    run('objcopy', '--only-keep-debug', 'mini', 'mini.debug');
    writeFileSync(at('keep'), 'run\nnotCalled\n');
    run('objcopy', '-S', '--keep-symbols=keep', 'mini.debug', 'mini.data');
    run('xz', '--force', 'mini.data');
    if (content) writeFileSync(at('mini.data.xz'), content);
    run('strip', '--strip-all', '-R', '.comment', 'mini');
    run('objcopy', '--add-section', '.gnu_debugdata=mini.data.xz', 'mini');
    return readFileSync(at('mini'));
  };

  it('gives functions their names and changes nothing else', async () => {
    const bytes = withDebugData();
    const { summary, detail } = summarizeWithDetail(bytes, await debugDataOf(bytes));
    expect(detail.names).toContain('run');
    expect(summarizeWithDetail(bytes).detail.names).not.toContain('run');
    const sites = ({ numberedCalls }: FileSummary) => numberedCalls.map(({ numbers }) => numbers);
    expect(sites(summary)).toEqual(sites(summarize(bytes)));
    expect(summary.imports).toEqual(summarize(bytes).imports);
  });

  it.each([
    ['no xz at all', new TextEncoder().encode('not compressed')],
    // The header of an xz stream (its specification, 2.1.1), and then nothing.
    ['cut short', Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4, 0xe6, 0xd6, 0xb4, 0x46)],
  ])('are left out when they are %s', async (_, content) => {
    expect(await debugDataOf(withDebugData(content))).toBeUndefined();
  });

  it('are left out when they would fill the memory', async () => {
    const zeros = execFileSync('xz', ['--stdout'], { input: Buffer.alloc(80 << 20) });
    expect(await debugDataOf(withDebugData(zeros))).toBeUndefined();
  });
});
