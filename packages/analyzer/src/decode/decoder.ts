import { ProfGenError } from '@prof-gen/core/base';
import type * as Iced from 'iced-x86';
import { iced } from './iced.js';
import * as numbers from './iced-numbers.js';
import { Instructions, STRIDE } from './instructions.js';

/** The two private parts of iced-x86 1.21.0 that fast decoding reads: its WASM exports and object addresses. */
interface IcedWasm {
  readonly memory: { readonly buffer: ArrayBuffer };
  decoder_decodeOut(decoder: number, instruction: number): void;
  decoder_set_ip(decoder: number, ip: bigint): void;
}
interface WasmObject {
  readonly __wbg_ptr: number;
}

const wasm = (iced as unknown as { __wasm: IcedWasm }).__wasm;
const pointerOf = (object: unknown): number => (object as WasmObject).__wbg_ptr;

/**
 * Decodes code of one segment. Rows are copied straight from the decoder's 40-byte record in WASM memory
 * (next rip at 8, displacement 16, operand kinds 24, immediate 32, registers 36, code 40, scale 42, base 43,
 * index 44, length 46): ten times faster than the object's getters, which make a BigInt each.
 * The layout is private to iced-x86 1.21.0, so `selfTest` checks it before first use.
 */
export class CodeDecoder {
  readonly #decoder: Iced.Decoder;
  readonly #instruction = new iced.Instruction();
  readonly #start: number;
  readonly #end: number;
  readonly #bytes: Uint8Array;
  #memory: Uint32Array;

  /** @param bytes the segment's content, @param address of its first byte */
  constructor(bytes: Uint8Array, address: number) {
    this.#decoder = new iced.Decoder(64, bytes, iced.DecoderOptions.None);
    this.#start = address;
    this.#bytes = bytes;
    this.#end = address + bytes.length;
    this.#memory = new Uint32Array(wasm.memory.buffer);
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#end;
  }

  /** The byte at an address of the segment. */
  byteAt(address: number): number {
    return this.#bytes[address - this.#start] ?? 0;
  }

  /**
   * Appends the instructions from `from` to `to` in layout order. Stops early where `rowAt` says that there is an
   * instruction already, and at the end of the segment. Invalid bytes are rows of code 0.
   * @param rowAt filled: by distance from `origin`, row + 1 of the instruction that starts there
   */
  decode(from: number, to: number, into: Instructions, rowAt?: Int32Array, origin = 0): void {
    const limit = Math.min(to, this.#end);
    if (from < this.#start || from >= limit) return;
    this.#decoder.position = from - this.#start;
    const decoder = pointerOf(this.#decoder);
    const instruction = pointerOf(this.#instruction);
    wasm.decoder_set_ip(decoder, BigInt(from));
    if (this.#memory.length === 0 || this.#memory.buffer !== wasm.memory.buffer) {
      this.#memory = new Uint32Array(wasm.memory.buffer);
    }
    const memory = this.#memory;
    const row = instruction / 4 + 2;
    for (let at = from; at < limit; ) {
      if (rowAt && rowAt[at - origin] !== 0) return;
      wasm.decoder_decodeOut(decoder, instruction);
      into.reserve();
      const { words } = into;
      const word = into.count * STRIDE;
      // One by one: this runs for every instruction, and a loop or `set` takes twice as long.
      words[word] = memory[row] ?? 0;
      words[word + 1] = memory[row + 1] ?? 0;
      words[word + 2] = memory[row + 2] ?? 0;
      words[word + 3] = memory[row + 3] ?? 0;
      words[word + 4] = memory[row + 4] ?? 0;
      words[word + 5] = memory[row + 5] ?? 0;
      words[word + 6] = memory[row + 6] ?? 0;
      words[word + 7] = memory[row + 7] ?? 0;
      words[word + 8] = memory[row + 8] ?? 0;
      const last = memory[row + 9] ?? 0;
      words[word + 9] = last;
      into.count++;
      if (rowAt) rowAt[at - origin] = into.count;
      const length = (last >>> 16) & 0xff;
      // Only the cut-off last instruction of a segment has no length.
      if (length === 0) return;
      at += length;
    }
  }

  free(): void {
    this.#decoder.free();
    this.#instruction.free();
  }
}

let tested = false;

/**
 * Checks that the private layout and the numbers are as expected, once per thread.
 * @throws ProfGenError `environment/decoder`
 */
export function selfTest(): void {
  if (tested) return;
  // lea rax,[rip+0x12345678]; mov eax,60; syscall; mov bx,[rax+rbx*8-4]; movabs rax,0x0123456789; call $+0
  const code = '488d0578563412b83c0000000f05668b5cd8fc48b88967452301000000e800000000';
  const decoder = new CodeDecoder(
    Uint8Array.from(code.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)),
    0x1000,
  );
  const rows = new Instructions();
  decoder.decode(0x1000, 0x2000, rows);
  decoder.free();
  const seen = [
    rows.count,
    ...[0, 1, 2, 3, 4, 5].map((i) => rows.code(i)),
    rows.address(1),
    rows.displacement(0),
    rows.register(0, 0),
    rows.base(0),
    rows.immediate(1, rows.kind(1, 1)),
    rows.displacement(3),
    rows.base(3),
    rows.index(3),
    rows.scale(3),
    rows.register(3, 0),
    rows.immediate(4, rows.kind(4, 1)),
    rows.displacement(5),
  ];
  const { Code, Register } = numbers;
  const expected = [
    6,
    ...[
      Code.Lea_r64_m,
      Code.Mov_r32_imm32,
      Code.Syscall,
      Code.Mov_r16_rm16,
      Code.Mov_r64_imm64,
      Code.Call_rel32_64,
    ],
    0x1007,
    0x1234667f,
    Register.RAX,
    Register.RIP,
    60,
    -4,
    Register.RAX,
    Register.RBX,
    3,
    Register.BX,
    0x0123456789,
    0x1022,
  ];
  const isSame = Object.entries(numbers).every(([kind, ours]) => {
    const theirs: Readonly<Record<string, unknown>> = iced[kind as keyof typeof numbers];
    return Object.entries(ours).every(([name, number]) => theirs[name] === number);
  });
  if (seen.join() !== expected.join() || !isSame) {
    throw new ProfGenError('environment/decoder', 'The installed iced-x86 does not decode as expected', {
      hint: 'Install exactly iced-x86 1.21.0 (npm ci); its record layout is relied upon.',
    });
  }
  tested = true;
}
