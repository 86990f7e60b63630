import { buildElf, CODE } from '@prof-gen/testkit';
import { describe, expect, it } from 'vitest';
import { lineFacts } from './line-facts.js';

const bytes = (...parts: string[]): Uint8Array =>
  Uint8Array.from(parts.join('').replaceAll(' ', '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const nop = '90';
const call = '0f05';
const moveEax = (number: number): string => `b8${number.toString(16).padStart(2, '0')}000000`;
const direct = (code: Uint8Array, symbols: Parameters<typeof buildElf>[0]['symbols'] = []) => {
  const facts = lineFacts(buildElf({ code, symbols }));
  return { numbers: facts.direct, undecided: facts.undecided };
};

describe('direct calls', () => {
  it.each([
    ['mov to eax', 'b827000000'],
    ['mov to eax, long form', 'c7c027000000'],
    ['mov to rax', '48c7c027000000'],
    ['mov to edi', 'bf27000000'],
    ['mov to ecx', 'b927000000'],
  ])('reads %s', (_, move) => {
    expect(direct(bytes(move, call))).toEqual({ numbers: [39], undecided: 0 });
  });

  it.each([
    ['movabs', '48b82700000000000000'],
    ['mov to edx', 'ba27000000'],
    ['mov to memory', 'c70027000000'],
    ['xor', '31c0'],
  ])('does not read %s', (_, move) => {
    expect(direct(bytes(move, call))).toEqual({ numbers: [], undecided: 1 });
  });

  it('looks back over 15 lines, branches or not, and takes the nearest', () => {
    expect(direct(bytes(moveEax(39), nop.repeat(14), call)).numbers).toEqual([39]);
    expect(direct(bytes(moveEax(39), nop.repeat(15), call)).undecided).toBe(1);
    expect(direct(bytes(moveEax(39), 'c3', moveEax(60), 'bf01000000', call)).numbers).toEqual([1]);
  });

  it('counts an instruction of more than seven bytes as two lines', () => {
    // movabs rdx, 0: ten bytes
    const long = '48ba0000000000000000';
    expect(direct(bytes(moveEax(39), long.repeat(7), call)).numbers).toEqual([39]);
    expect(direct(bytes(moveEax(39), long.repeat(8), call)).undecided).toBe(1);
  });

  it('starts anew at a symbol', () => {
    const symbols = [{ name: 'f', address: CODE + 5, size: 2, kind: 'function' as const }];
    expect(direct(bytes(moveEax(39), call), symbols)).toEqual({ numbers: [], undecided: 1 });
  });

  it('takes calls of functions that are named after the call', () => {
    const code = bytes('bf27000000', 'e801000000', 'c3', 'c3');
    const symbols = [{ name: 'my_syscall', address: CODE + 11, size: 1, kind: 'function' as const }];
    expect(direct(code, symbols).numbers).toEqual([39]);
    expect(direct(code).numbers).toEqual([]);
  });
});

describe('imports', () => {
  it('tells those that may be missing', () => {
    const symbols = [
      { name: 'open' },
      { name: 'maybe', weak: true },
      { name: 'own', address: CODE },
      { name: 'bind' },
    ];
    const { imports, weakImports } = lineFacts(buildElf({ code: bytes(nop), symbols }));
    expect({ imports, weakImports }).toEqual({ imports: ['bind', 'open'], weakImports: ['maybe'] });
  });
});
