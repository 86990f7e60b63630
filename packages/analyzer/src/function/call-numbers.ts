import type { KnownArgument } from '@prof-gen/core';
import { Mnemonic, Register } from '../decode/iced-numbers.js';
import { flow, flowOf, type Instructions, mnemonicOf, operandKind } from '../decode/instructions.js';
import {
  argumentRegisters,
  fullRegister,
  r10,
  r8,
  r9,
  rax,
  rdi,
  rdx,
  registerNames,
  registerWidth,
  rsi,
  rsp,
} from '../decode/registers.js';
import type { Elf } from '../elf/elf.js';
import type { CodeMap } from './code-map.js';
import type { FunctionTable } from './discover-functions.js';
import { keepsNumbersInVariables } from './go-names.js';
import type { GoFunction } from './go-table.js';
import { effortOfFile, interpret } from './interpret.js';
import type { MachineState } from './machine-state.js';
import { keepsRecord, recordUses } from './keeps-record.js';
import { neverReturning } from './no-return.js';
import { NumberMemory, type NumberPlace } from './number-memory.js';
import {
  eachReference,
  type FunctionCode,
  FunctionScanner,
  type ImageRange,
  reference,
} from './scan-function.js';
import type { StaticCell, StaticCells } from './static-cells.js';
import { tableTargets } from './table-targets.js';
import {
  constant,
  constantsOf,
  decodeAtom,
  mapAtoms,
  onlyAtom,
  plus,
  stackOffsetOf,
  termValue,
  type Value,
} from './value.js';

/** A system call with its number: at the instruction, or where a wrapper is called with that number. */
export interface NumberedSite {
  readonly owner: number;
  readonly number: number;
  readonly address: number;
  readonly arguments?: readonly KnownArgument[];
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
  /** The register points to a record that has the number at this offset. */
  readonly within?: number;
}

export interface CallNumbers {
  readonly sites: readonly NumberedSite[];
  readonly unknown: readonly UnknownSite[];
  /** By function: the parameters that are numbers. Entered with unknown arguments, it is itself undecided. */
  readonly wrappers: ReadonlyMap<number, readonly WrapperParameter[]>;
  /** Those of them that nobody calls but with records whose numbers are known. */
  readonly handedOver: ReadonlySet<number>;
  /** Numbers at calls of imported wrappers: by address of the call. */
  readonly importCalls: ReadonlyMap<
    number,
    {
      readonly owner: number;
      readonly numbers: readonly number[];
      readonly arguments?: readonly KnownArgument[];
    }
  >;
}

/** The highest number that may be a system call. x86-64's table ends below; 512 and up are x32's. */
const MAX_NUMBER = 511;
/** Wrapper parameters and static words followed per file; real libraries have a dozen. */
const MAX_SOURCES = 4096;

/** Where a number comes from and is asked for: what callers hand over, or what is stored in a static word. */
type Source =
  | { readonly kind: 'parameter'; readonly owner: number; readonly parameter: WrapperParameter }
  | { readonly kind: 'word'; readonly cell: StaticCell }
  /** At an offset in the records that the word points to. */
  | { readonly kind: 'pointed'; readonly cell: StaticCell; readonly offset: number };

/**
 * Decides the number at every system call, through wrappers inside the file, static words, and records that
 * a function is given by pointer.
 * @param goFunctions those of Go's convention, by start
 * @param cells gives the words that hold nothing but what is stored to them by name; asked for when first needed
 * @param importedWrapperCalls by function index: addresses of calls whose first argument is wanted
 * @param isPointedTo whether data, a symbol or the header leads to an address
 */
export function callNumbers(
  elf: Elf,
  code: CodeMap,
  table: FunctionTable,
  absolute: ImageRange | undefined,
  goFunctions: ReadonlyMap<number, GoFunction>,
  cells: () => StaticCells,
  importedWrapperCalls: ReadonlyMap<number, readonly number[]>,
  isPointedTo: (address: number) => boolean,
): CallNumbers {
  const scanner = new FunctionScanner();
  const sites: NumberedSite[] = [];
  const unknown: UnknownSite[] = [];
  const importCalls = new Map<number, { owner: number; numbers: number[] }>();
  const wrappers = new Map<number, WrapperParameter[]>();
  const queue: Source[] = [];
  const handedOver = new Set<number>();
  const asked = new Set<string>();
  const memory = new NumberMemory();
  const { functions } = table;

  const final = neverReturning(table);
  const effort = effortOfFile();
  const observe = (
    owner: number,
    watched: ReadonlySet<number> | ((target: FunctionCode) => ReadonlySet<number> | undefined),
  ) => {
    const target = functions[owner];
    const segment = target && code.at(target.start);
    if (!target || !segment) return undefined;
    // The findings of this scan equal those the function already has; it fills the scanner's buffers.
    const { references, syscalls, legacyCalls } = target;
    scanner.scan(target, segment, absolute);
    target.references = references;
    target.syscalls = syscalls;
    target.legacyCalls = legacyCalls;
    const places = typeof watched === 'function' ? watched(target) : watched;
    return (
      places &&
      interpret(target, scanner, places, tableTargets(elf, target), final, goFunctions, effort, memory)
    );
  };

  const addParameter = (owner: number, parameter: WrapperParameter): void => {
    const known = wrappers.get(owner) ?? [];
    if (known.some((p) => sameParameter(p, parameter))) return;
    known.push(parameter);
    wrappers.set(owner, known);
    queue.push({ kind: 'parameter', owner, parameter });
  };
  const askOnce = (key: string, source: Source): void => {
    if (asked.has(key)) return;
    asked.add(key);
    queue.push(source);
  };

  /** Records what a number may be at a site. */
  const settle = (
    owner: number,
    address: number,
    value: Value,
    what: string,
    known: Pick<NumberedSite, 'arguments'> = {},
  ): void => {
    if (value === null) {
      unknown.push({ owner, address, reason: `${what} is not constant` });
      return;
    }
    for (const atom of value) {
      const part = decodeAtom(atom);
      if (part.kind === 'constant' || part.kind === 'low-constant') {
        const number = part.value | 0;
        if (number >= 0 && number <= MAX_NUMBER) sites.push({ owner, number, address, ...known });
        else unknown.push({ owner, address, reason: `${what} may be ${number}, which is no system call` });
      } else if (part.kind === 'register') {
        addParameter(owner, { register: part.register, plus: part.plus, offset: 0 });
      } else if (part.kind === 'slot') {
        addParameter(owner, { register: -1, plus: 0, offset: part.offset });
      } else {
        const place = memory.placeOfAtom(atom, 4);
        if (!place)
          unknown.push({
            owner,
            address,
            reason: `${what} is ${part.kind === 'term' ? 'computed' : 'an address'}`,
          });
        else if (!settlePlace(owner, address, place, what)) {
          unknown.push({
            owner,
            address,
            reason: `${what} is in memory that may be written in unknown ways`,
          });
        }
      }
    }
  };

  /** Whether the number at a place is only what can be asked for; it is asked for then. */
  const settlePlace = (owner: number, address: number, place: NumberPlace, what: string): boolean => {
    if (place.kind === 'record') return addRecord(owner, place.register, place.offset);
    const isPointer = place.kind === 'pointed';
    const at = isPointer ? place.word : place.address;
    const inGo = goFunctions.get(functions[owner]?.start ?? 0);
    const cell = cells().at(at, isPointer ? 8 : 4, inGo !== undefined && keepsNumbersInVariables(inGo.name));
    if (!cell || (isPointer ? cell.initial.isAddress || cell.initial.value !== 0 : cell.initial.isAddress))
      return false;
    if (!isPointer) {
      settle(owner, address, constant(cell.initial.value | 0), what);
      askOnce(`${at}`, { kind: 'word', cell });
      return true;
    }
    const { offset } = place;
    const keep = cell.loads.every((load) => keeps(load.owner, { kind: 'word', address: at }, offset));
    if (keep) askOnce(`${at} ${offset}`, { kind: 'pointed', cell, offset });
    return keep;
  };

  /** A number at an offset in a record that a register points to at entry: it is a parameter if nobody changes it. */
  const addRecord = (owner: number, register: number, offset: number): boolean => {
    if (!keeps(owner, register, offset)) return false;
    addParameter(owner, { register, plus: 0, offset: 0, within: offset });
    return true;
  };

  /** Whether a function, and those that find the record by a static word it puts its address in, leave it as it is. */
  const keeps = (owner: number, pointer: number | NumberPlace, offset: number, depth = 0): boolean => {
    const offsetIn = (value: Value): number | undefined => {
      for (const number of value ?? []) {
        const atom = decodeAtom(number);
        const place = memory.placeOfAtom(number, 8);
        if (typeof pointer === 'number') {
          if (atom.kind === 'register' && atom.register === pointer) return atom.plus;
        } else if (place?.kind === 'word' && pointer.kind === 'word' && place.address === pointer.address)
          return 0;
      }
      return undefined;
    };
    const observed = observe(owner, (target) => recordUses(target, scanner));
    const unknownMayLead = typeof pointer === 'number';
    const words = observed && keepsRecord(observed, scanner, { offset, offsetIn, unknownMayLead });
    return (
      words?.every((word) => {
        const cell = depth === 0 ? cells().at(word, 8) : undefined;
        return (
          cell?.loads.every((load) => keeps(load.owner, { kind: 'word', address: word }, offset, 1)) === true
        );
      }) === true
    );
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
      settle(
        owner,
        address,
        state?.registers[rax] ?? null,
        'the number',
        knownArguments(state, kernelArguments),
      );
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
      importCalls.set(address, {
        owner,
        numbers: decided ? numbers : [],
        ...knownArguments(observed?.get(address), wrapperArguments),
      });
    }
  });

  let handings: ReturnType<typeof handingsOf> | undefined;
  /**
   * Whether a function's address is only ever handed to another one beside a pointer to a record on the stack, as
   * musl's `__setxid` hands `do_setxid` and its arguments to `__synccall`: then the function is called with that record,
   * and the numbers in it are asked for.
   */
  const settleHandings = (owner: number, within: number): boolean => {
    const start = functions[owner]?.start ?? 0;
    const places = (handings ??= handingsOf(table)).get(owner) ?? [];
    if (places.length === 0 || isPointedTo(start)) return false;
    const found: (readonly [caller: number, address: number, value: Value])[] = [];
    for (const caller of new Set(places)) {
      const calls = callAddresses(functions[caller]);
      const observed = observe(caller, calls);
      for (const address of calls) {
        const state = observed?.get(address);
        const values = argumentRegisters.map((register) => state?.registers[register] ?? null);
        const isHanded = values.some((value) => {
          const atom = onlyAtom(value);
          if (atom?.kind === 'constant') return absolute !== undefined && atom.value === start;
          return atom?.kind === 'address' && atom.address === start;
        });
        const records = values.flatMap((value) => stackOffsetOf(value) ?? []);
        if (!isHanded || !state || records.length !== 1) continue;
        found.push([caller, address, state.load((records[0] ?? 0) + within, 4)]);
      }
    }
    // Each time its address is taken it must be for one of these calls.
    if (found.length !== places.length) return false;
    for (const [caller, address, value] of found) {
      settle(caller, address, value, 'the number in a record handed over with a function');
    }
    return true;
  };

  let callers: ReturnType<typeof callersOf> | undefined;
  /** What a source's users find: at each call the argument, at each store what is stored. */
  const ask = (source: Source): void => {
    const places =
      source.kind === 'parameter'
        ? ((callers ??= callersOf(table)).get(source.owner) ?? [])
        : source.cell.stores.map(({ owner, address }) => [owner, address] as const);
    const byOwner = new Map<number, Set<number>>();
    for (const [owner, address] of places) {
      const addresses = byOwner.get(owner) ?? new Set();
      addresses.add(address);
      byOwner.set(owner, addresses);
    }
    for (const [owner, addresses] of byOwner) {
      const observed = observe(owner, addresses);
      // What is settled may need other functions interpreted, in the scanner's buffers.
      const found = [...addresses].map((address) => {
        const state = observed?.get(address);
        const row = scanner.rowOf(address);
        if (!state || row < 0) return [address, null] as const;
        if (source.kind === 'parameter') {
          const isCall = flowOf[scanner.rows.code(row)] === flow.call;
          return [address, argument(state, source.parameter, isCall, memory)] as const;
        }
        const inGo = goFunctions.has(functions[owner]?.start ?? 0);
        return [address, storedValue(scanner.rows, row, state, inGo)] as const;
      });
      for (const [address, value] of found) {
        if (source.kind === 'parameter') {
          settle(owner, address, value, `the number given to a wrapper in ${where(source.parameter)}`);
        } else if (source.kind === 'word') {
          settle(owner, address, value, 'the number stored for a later call');
        } else if (!settlePointer(owner, value, source.offset)) {
          unknown.push({ owner, address, reason: 'the record stored for a later call is not known' });
        }
      }
    }
  };

  /** Whether a stored pointer is none, or one to a record that the function was given. */
  const settlePointer = (owner: number, value: Value, offset: number): boolean => {
    const pointer = onlyAtom(value);
    if (pointer?.kind === 'constant') return pointer.value === 0;
    return (
      pointer?.kind === 'register' &&
      pointer.part === 'whole' &&
      addRecord(owner, pointer.register, pointer.plus + offset)
    );
  };

  for (let done = 0; queue.length > 0 && done < MAX_SOURCES; done++) {
    const source = queue.shift();
    if (!source) continue;
    ask(source);
    if (source.kind !== 'parameter') continue;
    const { within } = source.parameter;
    if (within !== undefined && settleHandings(source.owner, within)) handedOver.add(source.owner);
  }
  // A function with another parameter that becomes a number is not known by its record alone.
  for (const owner of handedOver) if ((wrappers.get(owner)?.length ?? 0) > 1) handedOver.delete(owner);
  for (const source of queue) {
    const owner = source.kind === 'parameter' ? source.owner : (source.cell.loads[0]?.owner ?? 0);
    unknown.push({ owner, address: functions[owner]?.start ?? 0, reason: 'too many wrappers' });
  }
  return { sites, unknown, wrappers, handedOver, importCalls };
}

/** Registers of a call's arguments: for the kernel (syscall(2)), and of libc's `syscall` after the number. */
const kernelArguments: readonly number[] = [rdi, rsi, rdx, r10, r8, r9];
const wrapperArguments: readonly number[] = argumentRegisters.slice(1);

function knownArguments(
  state: MachineState | undefined,
  registers: readonly number[],
): Pick<NumberedSite, 'arguments'> {
  const found = registers.flatMap((register, index) => {
    const values = constantsOf(state?.registers[register] ?? null);
    return values === undefined || values.length === 0
      ? []
      : [{ index, values: values.sort((a, b) => a - b) }];
  });
  return found.length === 0 ? {} : { arguments: found };
}

function sameParameter(a: WrapperParameter, b: WrapperParameter): boolean {
  return a.register === b.register && a.plus === b.plus && a.offset === b.offset && a.within === b.within;
}

function where(parameter: WrapperParameter): string {
  if (parameter.within !== undefined) return `a record at ${registerNames[parameter.register] ?? ''}`;
  return parameter.register >= 0
    ? (registerNames[parameter.register] ?? '')
    : `stack argument ${parameter.offset}`;
}

/** The parameter's value as the callee sees it. A call pushes the return address, a jump does not. */
function argument(
  state: MachineState,
  parameter: WrapperParameter,
  isCall: boolean,
  memory: NumberMemory,
): Value {
  if (parameter.register === rsp) return null;
  const { within } = parameter;
  if (within !== undefined) {
    return mapAtoms(state.registers[parameter.register] ?? null, (atom) => {
      if (atom.kind === 'stack') return state.load(atom.offset + within, 4);
      const cell = memory.recordAt(atom, within);
      return cell === undefined
        ? null
        : termValue(memory.terms.intern({ subject: { kind: 'cell', cell }, plus: 0, mask: undefined }));
    });
  }
  if (parameter.register >= 0) {
    return plus(state.registers[parameter.register] ?? null, parameter.plus);
  }
  const stack = stackOffsetOf(state.registers[rsp] ?? null);
  return stack === undefined ? null : state.load(stack + parameter.offset - (isCall ? 8 : 0), 8);
}

/**
 * What an instruction leaves in the word that its first operand names; `null` where it depends on what was there.
 * Go's compiler keeps xmm15 zero (cmd/compile/abi-internal.md).
 */
function storedValue(rows: Instructions, row: number, state: MachineState, inGo: boolean): Value {
  const mnemonic = mnemonicOf[rows.code(row)] ?? 0;
  if (inGo && mnemonic === Mnemonic.Movups && rows.register(row, 1) === Register.XMM15) return constant(0);
  // Of an exchange on a condition the word keeps its value, which other stores account for, or takes this one.
  if (mnemonic !== Mnemonic.Mov && mnemonic !== Mnemonic.Xchg && mnemonic !== Mnemonic.Cmpxchg) return null;
  const kind = rows.kind(row, 1);
  if (kind !== operandKind.register) return constant(rows.immediate(row, kind));
  const register = rows.register(row, 1);
  const full = fullRegister[register] ?? -1;
  return full >= 0 && (registerWidth[register] ?? 0) >= 32 ? (state.registers[full] ?? null) : null;
}

/** Addresses of a function's calls. */
function callAddresses(target: FunctionCode | undefined): Set<number> {
  const found = new Set<number>();
  if (target === undefined) return found;
  eachReference(target, (kind, at) => {
    if (kind === reference.call) found.add(at);
  });
  return found;
}

/** By function: who takes its address, as often as it does. */
function handingsOf(table: FunctionTable): Map<number, number[]> {
  const found = new Map<number, number[]>();
  table.functions.forEach((target, owner) => {
    eachReference(target, (kind, _, address) => {
      const to = kind === reference.address ? table.indexAt(address) : -1;
      if (to < 0) return;
      const list = found.get(to);
      if (list) list.push(owner);
      else found.set(to, [owner]);
    });
  });
  return found;
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
