import { Register } from './iced-numbers.js';

/** General registers in the processor's order: rax 0, rcx 1, rdx 2, rbx 3, rsp 4, rbp 5, rsi 6, rdi 7, r8…r15. */
export const rax = 0;
export const rcx = 1;
export const rdx = 2;
export const rsp = 4;
export const rbp = 5;
export const rsi = 6;
export const rdi = 7;
export const r8 = 8;
export const r9 = 9;
export const r10 = 10;
export const r11 = 11;

/** Registers that hand over arguments (System V ABI, 3.2.3), in order. */
export const argumentRegisters: readonly number[] = [rdi, rsi, rdx, rcx, r8, r9];

export const registerNames = 'rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15'.split(' ');

/** For each iced register: number of the 64-bit register it is part of, or -1 (vector, segment, rip, none). */
export const fullRegister = new Int8Array(256).fill(-1);
/** Width in bits of each iced register that is part of a general one; 0 for others. `ah` and its like are 9. */
export const registerWidth = new Uint8Array(256);

for (let i = 0; i < 16; i++) {
  const set = (register: number, width: number, full = i): void => {
    fullRegister[register] = full;
    registerWidth[register] = width;
  };
  set(Register.RAX + i, 64);
  set(Register.EAX + i, 32);
  set(Register.AX + i, 16);
  if (i < 4) {
    set(Register.AL + i, 8);
    set(Register.AH + i, 9);
  } else {
    set(Register.SPL + i - 4, 8);
  }
}
