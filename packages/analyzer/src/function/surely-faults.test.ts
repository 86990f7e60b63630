import { describe, expect, it } from 'vitest';
import { CodeDecoder } from '../decode/decoder.js';
import { surelyFaults } from './surely-faults.js';

const START = 0x1000;

function faults(...bytes: number[]): boolean {
  const decoder = new CodeDecoder(Uint8Array.from(bytes), START);
  try {
    return surelyFaults(decoder, START);
  } finally {
    decoder.free();
  }
}

describe('surelyFaults', () => {
  it.each([
    ['an invalid opcode', [0x06, 0x90, 0x90, 0x90], true],
    ['a privileged instruction after others', [0x90, 0x31, 0xc0, 0x0f, 0x09, 0xc3], true],
    ['one behind a jump', [0xeb, 0x01, 0x90, 0xf4, 0xc3], true],
    ['a path', [...'/bin/sh'].map((c) => c.charCodeAt(0)), true],
    ['text that begins with string output', [...'note'].map((c) => c.charCodeAt(0)), true],
    ['a function', [0x55, 0x48, 0x89, 0xe5, 0xc3, 0x06], false],
    ['ports, which a program may be given leave to use', [0xec, 0xc3], false],
    ['ud2, which compilers write', [0x0f, 0x0b], false],
    ['one that a branch may avoid', [0x74, 0x01, 0x06], false],
    ['one that a call may never return to', [0xe8, 0, 0, 0, 0, 0x06], false],
    ['an instruction that the end cuts off', [0x48, 0xb8, 0], false],
    ['a jump to itself', [0xeb, 0xfe], false],
    ['two jumps to each other', [0xeb, 0x00, 0xeb, 0xfc], false],
    ['a jump out of the bytes', [0xe9, 0, 0, 0, 1], false],
  ])('%s', (_, bytes, expected) => {
    expect(faults(...bytes)).toBe(expected);
  });
});
