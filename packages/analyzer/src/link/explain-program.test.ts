import type { LinkedObject, Reachability } from '@prof-gen/core';
import { buildElf, CODE, DATA, type ElfPlan } from '@prof-gen/testkit';
import { describe, expect, it } from 'vitest';
import { decodeDetail, encodeDetail } from '../summary/encode-summary.js';
import type { FileDetail } from '../summary/file-summary.js';
import { summarizeWithDetail } from '../summary/summarize.js';
import type { LinkInput } from './bind-symbols.js';
import { type Answer, explainProgram } from './explain-program.js';
import { linkProgram } from './link-program.js';

const bytes = (hex: string): Uint8Array =>
  Uint8Array.from(hex.replace(/\s/g, '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

/** `mov eax,n; syscall; ret`, padded to 16 bytes. */
const call = (number: number): string =>
  `b8 ${number.toString(16).padStart(2, '0')} 000000 0f05 c3 ${'90'.repeat(8)}`;

type Part = [role: LinkedObject['role'], plan: ElfPlan];

function link(parts: readonly Part[]): { input: LinkInput; details: Map<string, FileDetail> } {
  const details = new Map<string, FileDetail>();
  const objects = parts.map(([role, plan], i) => {
    const { summary, detail } = summarizeWithDetail(buildElf(plan));
    details.set(`${i}`, detail);
    const reason = role === 'late' ? { reason: 'a rule' } : {};
    return { object: { path: `/${role}${i}`, sha256: `${i}`, role, ...reason }, summary };
  });
  return { input: { program: '/program', objects }, details };
}

async function explain(parts: readonly Part[], syscalls: readonly number[]): Promise<Answer> {
  const { input, details } = link(parts);
  const question = { syscalls: new Set(syscalls), unresolved: true, chains: 1 };
  return explainProgram(input, question, (sha256) => Promise.resolve(details.get(sha256)));
}

/** A chain in one line. */
const line = (answer: Answer, number: number): string =>
  (answer.syscalls.get(number)?.[0]?.steps ?? [])
    .map(({ via, reference, symbol, because, object, function: name }) =>
      [via, reference, symbol, because && `(${because})`, `${object}:${name}`].filter(Boolean).join(' '),
    )
    .join(' > ');

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
const exporter = (number: number): ElfPlan => ({
  code: bytes(`c3 ${'90'.repeat(15)} ${call(number)} ${call(77)}`),
  soname: 'l',
  symbols: [
    { name: 'f', address: CODE + 16, kind: 'function' },
    { name: 'g', address: CODE + 32 },
  ],
});
/** start: lea rax,[DATA]; ret. A function that only data points to, and one that nothing calls and takes its address. */
const table: Part = [
  'program',
  {
    entry: CODE,
    // Function at 16: behind the table's pointer. At 32: `lea rax,[48]; ret`, never reached. At 48: taken there.
    code: bytes(
      `488d05 f9ef1f00 c3 ${'90'.repeat(8)} ${call(11)} 488d0509000000 c3 ${'90'.repeat(8)} ${call(12)}`,
    ),
    data: new Uint8Array(128),
    symbols: [
      { name: 'table', address: DATA, size: 16, kind: 'object' },
      { name: 'other', address: DATA + 96, size: 16, kind: 'object' },
      { name: 'unused', address: CODE + 32, kind: 'function' },
    ],
    relocations: [
      { offset: DATA, type: 8, addend: CODE + 16 },
      { offset: DATA + 96, type: 8, addend: CODE + 32 },
    ],
  },
];

describe('ways', () => {
  it('names what is bound, and passes GOT entries on', async () => {
    const answer = await explain([importer, ['needed', exporter(5)]], [5, 6]);
    expect(line(answer, 5)).toBe('entry /program0:+0x401000 > import call f /needed1:f');
    expect(answer.syscalls.get(5)?.[0]?.site).toEqual({
      object: '/needed1',
      function: 'f',
      address: `0x${(CODE + 21).toString(16)}`,
    });
    expect(answer.syscalls.has(6)).toBe(false);
  });

  it('says why a late object is loaded', async () => {
    const answer = await explain(
      [
        ['program', { entry: CODE, code: bytes('f4') }],
        ['late', exporter(5)],
      ],
      [77],
    );
    expect(line(answer, 77)).toBe('export g (a rule) /late1:g');
  });

  it('leads through data', async () => {
    const answer = await explain([table], [11]);
    expect(line(answer, 11)).toBe(
      'entry /program0:+0x401000 > data /program0:table > pointer /program0:+0x401010',
    );
  });

  it('names each function of those that call each other', async () => {
    // start: call a; hlt. a: call b; ret. b: call a; call c; ret. c: the call
    const code = `e80b000000 f4 ${'90'.repeat(10)} e80b000000 c3 ${'90'.repeat(10)} e8ebffffff e806000000 c3 ${'90'.repeat(5)} ${call(9)}`;
    const answer = await explain([['program', { entry: CODE, code: bytes(code) }]], [9]);
    expect(line(answer, 9)).toBe(
      'entry /program0:+0x401000 > call /program0:+0x401010 > call /program0:+0x401020 > call /program0:+0x401030',
    );
  });

  it('leads to sites that are not decided', async () => {
    const answer = await explain([['program', { entry: CODE, code: bytes('0fa2 0f05 f4') }]], []);
    expect(answer.unresolved.map(({ reason, steps }) => [reason, steps.length])).toEqual([
      ['the number is not constant', 1],
    ]);
  });
});

describe('reachability', () => {
  it.each<[Reachability, number[]]>([
    ['objects', [11]],
    ['code', [11, 12]],
    ['address-taken', [11, 12]],
    ['imports', [11, 12]],
  ])('%s', (reachability, expected) => {
    const { input } = link([table]);
    const { syscalls } = linkProgram({ ...input, reachability });
    expect(syscalls.map(({ number }) => number)).toEqual(expected);
  });

  it('takes from the C library what is imported, and the rest of all other files', () => {
    const parts: Part[] = [
      importer,
      ['needed', { ...exporter(5), soname: 'libc.so.6' }],
      ['needed', exporter(6)],
    ];
    const { input } = link(parts);
    const numbers = (reachability: Reachability): number[] =>
      linkProgram({ ...input, reachability }).syscalls.map(({ number }) => number);
    expect(numbers('objects')).toEqual([5]);
    expect(numbers('imports')).toEqual([5, 6, 77]);
  });
});

it('keeps a detail as bytes', () => {
  const { detail } = summarizeWithDetail(buildElf(table[1]));
  expect(decodeDetail(encodeDetail(detail))).toEqual(detail);
});
