import { executable } from '../self-test/tiny-program.js';

/** What the gate says first, on standard error: these bytes and its process number in its own namespace, 64 bits. */
export const greeting = Buffer.from('GPF-Gate', 'latin1');
export const greetingBytes = greeting.length + 8;

const status = Buffer.from('/proc/self/status\0', 'latin1');
/** struct timespec: 10 ms. */
const pause = Buffer.alloc(16);
pause.writeBigUInt64LE(10_000_000n, 8);

/**
 * x86-64 code (Intel SDM volume 2), each instruction with what it does. Registers: rbx, at the first argument to try;
 * r12, at the program's own arguments. System calls by number: read 0, write 1, open 2, close 3, nanosleep 35,
 * getpid 39, execve 59, exit_group 231.
 */
const code: readonly (readonly [bytes: string, what: string])[] = [
  ['48 89 e3', 'mov rbx, rsp              ; argc, argv, 0, environment'],
  ['4c 8d 63 08', 'lea r12, [rbx+8]'],
  ['49 83 c4 08', 'next: add r12, 8'],
  ['49 8b 04 24', 'mov rax, [r12]'],
  ['80 38 00', 'cmp byte [rax], 0'],
  ['75 f3', 'jne next                  ; until the empty argument'],
  ['49 83 c4 08', 'add r12, 8'],
  ['b8 27 00 00 00', 'mov eax, getpid'],
  ['0f 05', 'syscall'],
  ['50', 'push rax'],
  ['48 b8 47 50 46 2d 47 61 74 65', 'mov rax, the greeting'],
  ['50', 'push rax'],
  ['b8 01 00 00 00', 'mov eax, write'],
  ['bf 02 00 00 00', 'mov edi, 2'],
  ['48 89 e6', 'mov rsi, rsp'],
  ['ba 10 00 00 00', 'mov edx, 16'],
  ['0f 05', 'syscall'],
  ['48 81 ec 00 10 00 00', 'sub rsp, 4096'],
  ['48 8d 3d a1 00 00 00', 'wait: lea rdi, [pause]'],
  ['31 f6', 'xor esi, esi'],
  ['b8 23 00 00 00', 'mov eax, nanosleep'],
  ['0f 05', 'syscall'],
  ['48 8d 3d a1 00 00 00', 'lea rdi, [status]'],
  ['31 d2', 'xor edx, edx'],
  ['b8 02 00 00 00', 'mov eax, open'],
  ['0f 05', 'syscall'],
  ['85 c0', 'test eax, eax'],
  ['78 dc', 'js wait'],
  ['89 c5', 'mov ebp, eax'],
  ['89 c7', 'mov edi, eax'],
  ['48 89 e6', 'mov rsi, rsp'],
  ['ba 00 10 00 00', 'mov edx, 4096'],
  ['31 c0', 'xor eax, eax              ; read'],
  ['0f 05', 'syscall'],
  ['49 89 c5', 'mov r13, rax'],
  ['89 ef', 'mov edi, ebp'],
  ['b8 03 00 00 00', 'mov eax, close'],
  ['0f 05', 'syscall'],
  ['48 b8 54 72 61 63 65 72 50 69', 'mov rax, "TracerPi"'],
  ['48 89 e7', 'mov rdi, rsp'],
  ['4a 8d 74 2c f4', 'lea rsi, [rsp+r13-12]'],
  ['48 39 f7', 'scan: cmp rdi, rsi'],
  ['7f a9', 'jg wait'],
  ['48 ff c7', 'inc rdi'],
  ['48 39 07', 'cmp [rdi], rax'],
  ['75 f3', 'jne scan'],
  ['80 7f 0b 30', 'cmp byte [rdi+11], "0"    ; TracerPid:, a tab, the number'],
  ['74 9b', 'je wait'],
  ['48 8d 3d 3c 00 00 00', 'lea rdi, [pause]          ; it seizes first and stops then'],
  ['31 f6', 'xor esi, esi'],
  ['b8 23 00 00 00', 'mov eax, nanosleep'],
  ['0f 05', 'syscall'],
  ['48 8d 53 10', 'lea rdx, [rbx+16]'],
  ['48 8b 0b', 'mov rcx, [rbx]'],
  ['48 8d 14 ca', 'lea rdx, [rdx+rcx*8]      ; environment'],
  ['48 83 c3 10', 'add rbx, 16'],
  ['48 8b 3b', 'try: mov rdi, [rbx]'],
  ['80 3f 00', 'cmp byte [rdi], 0'],
  ['74 10', 'je failed'],
  ['4c 89 e6', 'mov rsi, r12'],
  ['b8 3b 00 00 00', 'mov eax, execve'],
  ['0f 05', 'syscall'],
  ['48 83 c3 08', 'add rbx, 8'],
  ['eb e8', 'jmp try'],
  ['bf 7f 00 00 00', 'failed: mov edi, 127'],
  ['b8 e7 00 00 00', 'mov eax, exit_group'],
  ['0f 05', 'syscall'],
];

/**
 * A static x86-64 executable that says who it is, waits until a tracer has attached to it (`TracerPid` in
 * proc_pid_status(5)), and then executes a program in its own place. Its arguments: paths to try in this order, an
 * empty one, and the program's whole argument vector. Status 127 when none can be executed.
 *
 * It asks again and again instead of stopping itself: the first process of a pid namespace cannot be stopped from
 * inside (kernel/signal.c, SIGNAL_UNKILLABLE), and nobody outside needs to let it go on.
 */
export function gateProgram(): Uint8Array {
  const bytes = Buffer.from(code.map(([hex]) => hex.replaceAll(' ', '')).join(''), 'hex');
  return executable(Buffer.concat([bytes, pause, status]));
}
