import { flow, flowOf } from '../decode/instructions.js';
import { rax, rdi, registerNames, rsp } from '../decode/registers.js';
import type { Elf } from '../elf/elf.js';
import type { CodeMap } from './code-map.js';
import type { FunctionTable } from './discover-functions.js';
import type { GoFunction } from './go-table.js';
import { interpret } from './interpret.js';
import type { MachineState } from './machine-state.js';
import { neverReturning } from './no-return.js';
import { FunctionScanner, type ImageRange, reference } from './scan-function.js';
import { tableTargets } from './table-targets.js';
import { decodeAtom, plus, stackOffsetOf, type Value } from './value.js';

/** A system call with its number: at the instruction, or where a wrapper is called with that number. */
export interface NumberedSite {
  readonly owner: number;
  readonly number: number;
  readonly address: number;
}

export interface UnknownSite {
  readonly owner: number;
  readonly address: number;
  readonly reason: string;
}

/** Parameter of a function that becomes a system call number somewhere below. */
export interface WrapperParameter {
  /** A register's number, or -1 for a stack argument. */
  readonly register: number;
  readonly plus: number;
  /** Offset from the entry's rsp, for stack arguments. */
  readonly offset: number;
}

export interface CallNumbers {
  readonly sites: readonly NumberedSite[];
  readonly unknown: readonly UnknownSite[];
  /** By function: the parameters that are numbers. Entered with unknown arguments, it is itself undecided. */
  readonly wrappers: ReadonlyMap<number, readonly WrapperParameter[]>;
  /** Numbers at calls of imported wrappers: by address of the call. */
  readonly importCalls: ReadonlyMap<number, { readonly owner: number; readonly numbers: readonly number[] }>;
}

/** The highest number that may be a system call. x86-64's table ends below; 512 and up are x32's. */
const MAX_NUMBER = 511;
/** Wrapper parameters followed per file; real libraries have a dozen. */
const MAX_PARAMETERS = 4096;

/**
 * Decides the number at every system call, through wrappers inside the file.
 * @param goFunctions those of Go's convention, by start
 * @param importedWrapperCalls by function index: addresses of calls whose first argument is wanted
 */
export function callNumbers(
  elf: Elf,
  code: CodeMap,
  table: FunctionTable,
  absolute: ImageRange | undefined,
  goFunctions: ReadonlyMap<number, GoFunction>,
  importedWrapperCalls: ReadonlyMap<number, readonly number[]>,
): CallNumbers {
  const scanner = new FunctionScanner();
  const sites: NumberedSite[] = [];
  const unknown: UnknownSite[] = [];
  const importCalls = new Map<number, { owner: number; numbers: number[] }>();
  const wrappers = new Map<number, WrapperParameter[]>();
  const queue: { owner: number; parameter: WrapperParameter }[] = [];
  const { functions } = table;

  const final = neverReturning(table);
  const observe = (owner: number, watched: ReadonlySet<number>) => {
    const target = functions[owner];
    const segment = target && code.at(target.start);
    if (!target || !segment) return undefined;
    // The findings of this scan equal those the function already has; it fills the scanner's buffers.
    const { references, syscalls, legacyCalls } = target;
    scanner.scan(target, segment, absolute);
    target.references = references;
    target.syscalls = syscalls;
    target.legacyCalls = legacyCalls;
    return interpret(target, scanner, watched, tableTargets(elf, target), final, goFunctions);
  };

  const addParameter = (owner: number, parameter: WrapperParameter): void => {
    const known = wrappers.get(owner) ?? [];
    if (known.some((p) => sameParameter(p, parameter))) return;
    known.push(parameter);
    wrappers.set(owner, known);
    queue.push({ owner, parameter });
  };

  /** Records what a number may be at a site. */
  const settle = (owner: number, address: number, value: Value, what: string): void => {
    if (value === null) {
      unknown.push({ owner, address, reason: `${what} is not constant` });
      return;
    }
    for (const atom of value) {
      const part = decodeAtom(atom);
      if (part.kind === 'constant' || part.kind === 'low-constant') {
        const number = part.value | 0;
        if (number >= 0 && number <= MAX_NUMBER) sites.push({ owner, number, address });
        else unknown.push({ owner, address, reason: `${what} may be ${number}, which is no system call` });
      } else if (part.kind === 'register') {
        addParameter(owner, { register: part.register, plus: part.plus, offset: 0 });
      } else if (part.kind === 'slot') {
        addParameter(owner, { register: -1, plus: 0, offset: part.offset });
      } else unknown.push({ owner, address, reason: `${what} is an address` });
    }
  };

  functions.forEach((target, owner) => {
    const wanted = importedWrapperCalls.get(owner) ?? [];
    for (const address of target.legacyCalls) {
      unknown.push({ owner, address, reason: 'a call by the 32-bit table (int 0x80 or sysenter)' });
    }
    if (target.syscalls.length === 0 && wanted.length === 0) return;
    const observed = observe(owner, new Set([...target.syscalls, ...wanted]));
    for (const address of target.syscalls) {
      const state = observed?.get(address);
      settle(owner, address, state?.registers[rax] ?? null, 'the number');
    }
    for (const address of wanted) {
      const value = observed?.get(address)?.registers[rdi] ?? null;
      const numbers: number[] = [];
      let decided = value !== null;
      for (const atom of value ?? []) {
        const part = decodeAtom(atom);
        const isConstant = part.kind === 'constant' || part.kind === 'low-constant';
        const number = isConstant ? part.value | 0 : -1;
        if (number >= 0 && number <= MAX_NUMBER) numbers.push(number);
        else decided = false;
      }
      importCalls.set(address, { owner, numbers: decided ? numbers : [] });
    }
  });

  if (queue.length > 0) {
    const callers = callersOf(table);
    for (let done = 0; queue.length > 0 && done < MAX_PARAMETERS; done++) {
      const { owner, parameter } = queue.shift() ?? {
        owner: -1,
        parameter: { register: 0, plus: 0, offset: 0 },
      };
      const byCaller = new Map<number, Set<number>>();
      for (const [caller, address] of callers.get(owner) ?? []) {
        const addresses = byCaller.get(caller) ?? new Set();
        addresses.add(address);
        byCaller.set(caller, addresses);
      }
      for (const [caller, addresses] of byCaller) {
        const observed = observe(caller, addresses);
        for (const address of addresses) {
          const state = observed?.get(address);
          const row = scanner.rowOf(address);
          const isCall = row >= 0 && flowOf[scanner.rows.code(row)] === flow.call;
          const value = state ? argument(state, parameter, isCall) : null;
          settle(caller, address, value, `the number given to a wrapper in ${where(parameter)}`);
        }
      }
    }
    for (const { owner } of queue) {
      unknown.push({ owner, address: functions[owner]?.start ?? 0, reason: 'too many wrappers' });
    }
  }
  return { sites, unknown, wrappers, importCalls };
}

function sameParameter(a: WrapperParameter, b: WrapperParameter): boolean {
  return a.register === b.register && a.plus === b.plus && a.offset === b.offset;
}

function where(parameter: WrapperParameter): string {
  return parameter.register >= 0
    ? (registerNames[parameter.register] ?? '')
    : `stack argument ${parameter.offset}`;
}

/** The parameter's value as the callee sees it. A call pushes the return address, a jump does not. */
function argument(state: MachineState, parameter: WrapperParameter, isCall: boolean): Value {
  if (parameter.register === rsp) return null;
  if (parameter.register >= 0) {
    return plus(state.registers[parameter.register] ?? null, parameter.plus);
  }
  const stack = stackOffsetOf(state.registers[rsp] ?? null);
  return stack === undefined ? null : state.load(stack + parameter.offset - (isCall ? 8 : 0), 8);
}

/** By callee: every direct call, tail call and fall-through that leads to it. */
function callersOf(table: FunctionTable): Map<number, [caller: number, address: number][]> {
  const callers = new Map<number, [number, number][]>();
  table.functions.forEach((target, caller) => {
    for (let i = 0; i < target.references.length; i += 3) {
      const kind = target.references[i];
      if (kind !== reference.call && kind !== reference.jump && kind !== reference.fall) continue;
      const callee = table.indexAt(target.references[i + 2] ?? 0);
      if (callee < 0 || callee === caller) continue;
      const list = callers.get(callee) ?? [];
      list.push([caller, target.references[i + 1] ?? 0]);
      callers.set(callee, list);
    }
  });
  return callers;
}
