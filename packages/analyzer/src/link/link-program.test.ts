import type { LinkedObject } from '@prof-gen/core';
import { buildElf, CODE, DATA, type ElfPlan } from '@prof-gen/testkit';
import { describe, expect, it } from 'vitest';
import { decodeSummary, encodeSummary } from '../summary/encode-summary.js';
import { summarize, summarizeWhole } from '../summary/summarize.js';
import type { FileSummary } from '../summary/file-summary.js';
import type { AskedNames, LinkInput } from './bind-symbols.js';
import { linkProgram, programLinker } from './link-program.js';

const bytes = (hex: string): Uint8Array =>
  Uint8Array.from(hex.replace(/\s/g, '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

/** `mov eax,n; syscall; ret`, padded to 16 bytes. */
const call = (number: number): string =>
  `b8 ${number.toString(16).padStart(2, '0')} 000000 0f05 c3 ${'90'.repeat(8)}`;
const RET = `c3 ${'90'.repeat(15)}`;

type Part = [role: LinkedObject['role'], plan: ElfPlan];

function link(parts: readonly Part[], summarizer: (bytes: Uint8Array) => FileSummary = summarize): LinkInput {
  return {
    program: '/program',
    objects: parts.map(([role, plan], i) => ({
      object: { path: `/${role}${i}`, sha256: '', role },
      summary: summarizer(buildElf(plan)),
    })),
  };
}

/** Numbers found, after checking that the whole graph and the encoded summary say the same. */
function numbers(...parts: Part[]): number[] {
  const input = link(parts);
  const result = linkProgram(input);
  const found = result.syscalls.map(({ number }) => number);
  const whole = linkProgram(link(parts, summarizeWhole));
  expect(whole.syscalls.map(({ number }) => number)).toEqual(found);
  expect(whole.unresolved.map(({ site }) => site)).toEqual(result.unresolved.map(({ site }) => site));
  const again = input.objects.map((o) => ({ ...o, summary: decodeSummary(encodeSummary(o.summary)) }));
  expect(linkProgram({ ...input, objects: again })).toEqual(result);
  return found;
}

const unresolved = (...parts: Part[]): string[] =>
  linkProgram(link(parts)).unresolved.map(({ reason }) => reason);
const program = (hex: string, more: Partial<ElfPlan> = {}): Part => [
  'program',
  { entry: CODE, code: bytes(hex), ...more },
];

describe('numbers at call sites', () => {
  it.each([
    ['a constant', 'b83c000000 0f05 f4', [60]],
    ['push and pop', '6a27 58 0f05 f4', [39]],
    ['zero by xor', '31c0 0f05 f4', [0]],
    ['arithmetic', 'b802000000 83c003 0f05 f4', [5]],
    ['a byte over zero', '31c0 b027 0f05 f4', [39]],
    ['through the stack', 'c7442 4f8 09000000 8b4424f8 0f05 f4', [9]],
    // test edi,edi; mov eax,1; je +5; mov eax,2; syscall
    ['either way of a branch', '85ff b801000000 7405 b802000000 0f05 f4', [1, 2]],
    // mov eax,3; mov ecx,4; cmovne eax,ecx
    ['a conditional move', 'b803000000 b904000000 0f45c1 0f05 f4', [3, 4]],
    // test rax,rax; je to the call: rax is 0 there
    ['a value known from a test', '4885ff 4889f8 4885c0 7401 f4 0f05 f4', [0]],
  ])('%s', (_, hex, expected) => {
    expect(numbers(program(hex))).toEqual(expected);
  });

  it('follows a number through a wrapper, by register and by stack', () => {
    // mov edi,7; call w; mov edi,8; call w; hlt; w: mov eax,edi; syscall; ret
    expect(numbers(program('bf07000000 e80b000000 bf08000000 e801000000 f4 89f8 0f05 c3'))).toEqual([7, 8]);
    // push 11; call w; hlt; w: mov rax,[rsp+8]; syscall; ret
    expect(numbers(program('6a0b e801000000 f4 488b442408 0f05 c3'))).toEqual([11]);
  });

  it('goes on over a multiplication that leaves rax alone', () => {
    // mov r8d,11; mov eax,r8d; imul rsi,rdx; imul rdi,rdx,3; syscall; hlt
    expect(numbers(program('41b80b000000 4489c0 480faff2 486bfa03 0f05 f4'))).toEqual([11]);
    // mov eax,11; imul rsi; syscall; hlt
    expect(linkProgram(link([program('b80b000000 48f7ee 0f05 f4')])).unresolved).toHaveLength(1);
  });

  it('tells the arguments that are constant there', () => {
    const known = (hex: string): unknown =>
      linkProgram(link([program(hex)])).syscalls.map(({ evidence }) => evidence[0]?.arguments);
    // mov edi,2; xor esi,esi; mov r10d,7; mov eax,1; syscall; hlt
    expect(known('bf02000000 31f6 41ba07000000 b801000000 0f05 f4')).toEqual([
      [
        { index: 0, values: [2] },
        { index: 1, values: [0] },
        { index: 3, values: [7] },
      ],
    ]);
    // mov edx,1; test edi,edi; je +5; mov edx,3; mov eax,1; syscall; hlt
    expect(known('ba01000000 85ff 7405 ba03000000 b801000000 0f05 f4')).toEqual([
      [{ index: 2, values: [1, 3] }],
    ]);
    // mov rdi,[rsp]; mov eax,1; syscall; hlt
    expect(known('488b3c24 b801000000 0f05 f4')).toEqual([undefined]);
  });

  it('reports what it cannot decide', () => {
    expect(unresolved(program('0fa2 0f05 f4'))).toEqual(['the number is not constant']);
    // The entry's own rdi, and what that points to: nobody knows.
    for (const code of ['4889f8 0f05 f4', '488b07 0f05 f4']) {
      expect(unresolved(program(code))).toEqual([
        'it makes the call whose number it is given, and unknown callers may give it any',
      ]);
    }
    expect(unresolved(program('b801000000 cd80 f4'))).toEqual([
      'a call by the 32-bit table (int 0x80 or sysenter)',
    ]);
    expect(unresolved(program('b8ffff0000 0f05 f4'))).toEqual([
      'the number may be 65535, which is no system call',
    ]);
  });

  it('does not read what no way leads to', () => {
    // ret, then bytes that look like a call.
    expect(numbers(program('c3 b83c000000 0f05'))).toEqual([]);
  });
});

describe('reachability', () => {
  /** start: [lea rax,[DATA+at] or nops]; ret; two more functions behind pointers in data. */
  const table = (reference: string): Part => {
    const data = new Uint8Array(128);
    return [
      'program',
      {
        entry: CODE,
        code: bytes(`${reference} c3 ${'90'.repeat(8)} ${call(11)} ${call(22)}`),
        data,
        symbols: [
          { name: 'first', address: DATA, size: 16, kind: 'object' },
          { name: 'second', address: DATA + 96, size: 16, kind: 'object' },
        ],
        relocations: [
          { offset: DATA, type: 8, addend: CODE + 16 },
          { offset: DATA + 96, type: 8, addend: CODE + 32 },
        ],
      },
    ];
  };
  const lea = (address: number): string => {
    const distance = new Uint8Array(4);
    new DataView(distance.buffer).setInt32(0, address - (CODE + 7), true);
    return `488d05 ${[...distance].map((b) => b.toString(16).padStart(2, '0')).join('')}`;
  };

  it('counts a pointer in data only when its object is referred to', () => {
    expect(numbers(table('90909090909090'))).toEqual([]);
    expect(numbers(table(lea(DATA)))).toEqual([11]);
    expect(numbers(table(lea(DATA + 96)))).toEqual([22]);
    expect(numbers(table(lea(DATA + 8)))).toEqual([11]);
  });

  it('takes an address a little before an object for a biased pointer to it', () => {
    expect(numbers(table(lea(DATA + 64)))).toEqual([22]);
  });

  it('runs init arrays whoever loads the object', () => {
    const library: ElfPlan = {
      code: bytes(`${call(1)} ${call(2)}`),
      data: new Uint8Array(8),
      soname: 'l',
      initArray: { address: DATA, size: 8 },
      relocations: [{ offset: DATA, type: 8, addend: CODE + 16 }],
    };
    expect(numbers(program('f4'), ['needed', library])).toEqual([2]);
  });

  /** start: call [rip+slot]; hlt. The slot is bound to `f`. */
  const importer: Part = [
    'program',
    {
      entry: CODE,
      code: bytes('ff15 faef1f00 f4'),
      data: new Uint8Array(8),
      symbols: [{ name: 'f' }],
      relocations: [{ offset: DATA, type: 6, symbol: 0 }],
    },
  ];
  const exporter = (number: number, kind: 'function' | 'ifunc' = 'function'): ElfPlan => ({
    code: bytes(`${RET} ${call(number)} ${call(77)}`),
    soname: 'l',
    symbols: [
      { name: 'f', address: CODE + 16, kind },
      { name: 'g', address: CODE + 32 },
    ],
  });

  it('binds to the first definition in load order', () => {
    expect(numbers(importer, ['needed', exporter(5)], ['needed', exporter(6)])).toEqual([5]);
    expect(numbers(importer, ['preload', exporter(6)], ['needed', exporter(5)])).toEqual([6]);
    expect(numbers(importer, ['needed', exporter(9, 'ifunc')])).toEqual([9]);
    expect(numbers(importer)).toEqual([]);
  });

  it('takes every export of a late object for a beginning', () => {
    expect(numbers(program('f4'), ['late', exporter(5)])).toEqual([5, 77]);
    expect(numbers(program('f4'), ['needed', exporter(5)])).toEqual([]);
    expect(numbers(program('f4'), ['late-needed', exporter(5)])).toEqual([]);
  });

  it('takes of a late object what its opener asks for, once that is called', () => {
    const { program: path, objects } = link([importer, ['needed', exporter(5)], ['late', exporter(6)]]);
    const asking = (asked: AskedNames | undefined): number[] =>
      linkProgram({
        program: path,
        objects: objects.map((one) => (one.object.role === 'late' ? { ...one, asked } : one)),
      }).syscalls.map(({ number }) => number);
    expect(asking(undefined)).toEqual([5, 6, 77]);
    expect(asking({})).toEqual([5]);
    // The program refers to `f`, nothing to `h`.
    expect(asking({ g: ['f'] })).toEqual([5, 77]);
    expect(asking({ g: ['h'] })).toEqual([5]);
    expect(asking({ f: ['h', 'f'] })).toEqual([5, 6]);
  });

  it('passes the number on to an imported syscall()', () => {
    const libc: ElfPlan = {
      // syscall: mov eax,edi; syscall; ret
      code: bytes('89f8 0f05 c3'),
      soname: 'libc',
      symbols: [{ name: 'syscall', address: CODE }],
    };
    const caller = (before: string): Part => {
      const slot = DATA - (CODE + before.replace(/\s/g, '').length / 2 + 6);
      const distance = [slot & 0xff, (slot >> 8) & 0xff, (slot >> 16) & 0xff, 0];
      const hex = distance.map((b) => b.toString(16).padStart(2, '0')).join('');
      return [
        'program',
        {
          entry: CODE,
          code: bytes(`${before} ff15 ${hex} f4`),
          data: new Uint8Array(8),
          symbols: [{ name: 'syscall' }],
          relocations: [{ offset: DATA, type: 6, symbol: 0 }],
        },
      ];
    };
    expect(numbers(caller('bf27000000'), ['needed', libc])).toEqual([39]);
    expect(unresolved(caller('bf27000000'), ['needed', libc])).toEqual([]);
    expect(unresolved(caller('488b3f'), ['needed', libc])).toHaveLength(1);
  });

  it('finds names of objects that the program may load', () => {
    const data = new TextEncoder().encode('libplugin.so.2\0');
    const input = link([['program', { entry: CODE, code: bytes(`${lea(DATA)} f4`), data }]]);
    expect(linkProgram(input).lateNames).toEqual([{ object: '/program0', name: 'libplugin.so.2' }]);
  });
});

describe('linking that goes on', () => {
  /** start of an object: call [rip+slot of f]; hlt. */
  const asker = (soname: string): ElfPlan => ({
    code: bytes('ff15 faef1f00 f4'),
    data: new Uint8Array(8),
    soname,
    symbols: [{ name: 'f' }, { name: `${soname}_start`, address: CODE }],
    relocations: [{ offset: DATA, type: 6, symbol: 0 }],
  });
  const definer = (number: number): ElfPlan => ({
    code: bytes(`${RET} ${call(number)}`),
    soname: `d${number}`,
    symbols: [{ name: 'f', address: CODE + 16 }],
  });

  it('gives at each step what linking from the start gives', () => {
    const { program: path, objects } = link([
      program('f4'),
      ['needed', definer(1)],
      ['late', asker('a')],
      ['late-needed', definer(2)],
      ['late', asker('b')],
      ['late', definer(3)],
    ]);
    const linker = programLinker();
    const found: number[][] = [];
    for (let count = 1; count <= objects.length; count++) {
      const input = { program: path, objects: objects.slice(0, count) };
      const result = linker(input);
      expect(result).toEqual(linkProgram(input));
      found.push(result.syscalls.map(({ number }) => number));
    }
    // A late object's reference may be bound to objects that came after it.
    expect(found).toEqual([[], [], [1], [1, 2], [1, 2], [1, 2, 3]]);
  });

  it('starts anew when an object has changed its role', () => {
    const { program: path, objects } = link([program('f4'), ['late-needed', definer(2)]]);
    const linker = programLinker();
    expect(linker({ program: path, objects }).syscalls).toEqual([]);
    const late = objects.map((one) =>
      one.object.role === 'program' ? one : { ...one, object: { ...one.object, role: 'late' as const } },
    );
    expect(linker({ program: path, objects: late }).syscalls.map(({ number }) => number)).toEqual([2]);
  });

  it('starts anew when more may be asked of an object', () => {
    const { program: path, objects } = link([program('f4'), ['late', definer(2)]]);
    const linker = programLinker();
    const few = objects.map((one) => (one.object.role === 'late' ? { ...one, asked: {} } : one));
    expect(linker({ program: path, objects: few }).syscalls).toEqual([]);
    expect(linker({ program: path, objects }).syscalls.map(({ number }) => number)).toEqual([2]);
  });
});
