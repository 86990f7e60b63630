const base = 0x400000;
const headers = 64 + 56;

const word = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >> shift) & 0xff);

/** `mov eax, number; mov edi, argument; syscall` */
const codeOf = ({ number, argument = 0 }: TinyCall): number[] => [
  ...[0xb8, ...word(number)],
  ...[0xbf, ...word(argument)],
  ...[0x0f, 0x05],
];

/** A call with its first argument, 0 unless said. */
export interface TinyCall {
  readonly number: number;
  readonly argument?: number;
}

/** A static x86-64 executable that makes these calls, then exits with status 0. */
export function tinyProgram(calls: readonly TinyCall[]): Uint8Array {
  const exitGroup = 231;
  return executable(Buffer.from([...calls, { number: exitGroup }].flatMap(codeOf)));
}

/** A static x86-64 executable that starts at its code: the ELF header, one loadable segment, the code (elf(5)). */
export function executable(code: Uint8Array): Uint8Array {
  const file = Buffer.alloc(headers);
  file.write('\x7fELF', 0, 'latin1');
  file.set([2, 1, 1], 4); // 64-bit, little-endian, version 1
  file.writeUInt16LE(2, 16); // ET_EXEC
  file.writeUInt16LE(62, 18); // EM_X86_64
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(base + headers), 24); // entry
  file.writeBigUInt64LE(64n, 32); // program headers
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  const size = BigInt(headers + code.length);
  file.writeUInt32LE(1, 64); // PT_LOAD
  file.writeUInt32LE(5, 68); // readable, executable
  file.writeBigUInt64LE(BigInt(base), 64 + 16);
  file.writeBigUInt64LE(BigInt(base), 64 + 24);
  file.writeBigUInt64LE(size, 64 + 32);
  file.writeBigUInt64LE(size, 64 + 40);
  file.writeBigUInt64LE(0x1000n, 64 + 48);
  return Buffer.concat([file, code]);
}
