/**
 * Orders to the tracing program. bpftrace 0.17 gives user space no way to write its maps, so an order is written to
 * /dev/null and the program, which sees that write as it sees every system call, reads it from the writer's memory.
 * The maps are changed when `write` returns: what a container does afterwards is counted under the new order.
 */
export const operations = { watch: 1, phase: 2, dump: 3, clear: 4, judge: 5 } as const;
export type Operation = keyof typeof operations;

/** Bytes of a container id that tell it apart in the maps: 16 hexadecimal digits. */
const idBytes = 16;

/**
 * @param magic chosen by the tracer, so that two of one process do not hear each other
 * @returns five 64-bit words (magic, operation, two operands) and the beginning of a container id
 */
export function messageOf(magic: number, operation: Operation, a: number, b: number, id = ''): Uint8Array {
  const message = Buffer.alloc(32 + idBytes);
  message.writeBigUInt64LE(BigInt(magic), 0);
  message.writeBigUInt64LE(BigInt(operations[operation]), 8);
  message.writeBigUInt64LE(BigInt(a), 16);
  message.writeBigUInt64LE(BigInt(b), 24);
  message.write(id.slice(0, idBytes), 32, 'latin1');
  return message;
}
