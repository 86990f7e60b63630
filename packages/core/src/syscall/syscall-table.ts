import type { Architecture } from '../platform/platform.js';
import { x86_64Table } from './x86-64-table.js';

/** The system calls of one architecture, looked up by number or by name. */
export interface SyscallTable {
  readonly architecture: Architecture;
  /** All names, in the order of their numbers. */
  readonly names: readonly string[];
  nameOf(number: number): string | undefined;
  numberOf(name: string): number | undefined;
}

function tableOf(architecture: Architecture, rows: readonly (readonly [number, string])[]): SyscallTable {
  const byNumber = new Map(rows);
  const byName = new Map(rows.map(([number, name]) => [name, number]));
  return {
    architecture,
    names: rows.map(([, name]) => name),
    nameOf: (number) => byNumber.get(number),
    numberOf: (name) => byName.get(name),
  };
}

const tables: Partial<Record<Architecture, SyscallTable>> = {
  amd64: tableOf('amd64', x86_64Table),
};

/** The table of `architecture`, or undefined where Prof-gen has none (then nothing can be analysed). */
export function syscallTable(architecture: Architecture): SyscallTable | undefined {
  return tables[architecture];
}

/** The x86-64 table, which every part of this version works with. */
export const x86_64Syscalls: SyscallTable = tableOf('amd64', x86_64Table);

/** Name of a number for people and files: the table's, else `syscall_N`. */
export function syscallName(table: SyscallTable, number: number): string {
  return table.nameOf(number) ?? `syscall_${number}`;
}
