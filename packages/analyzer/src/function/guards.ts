import { argumentRegisters } from '../decode/registers.js';
import type { Elf } from '../elf/elf.js';
import type { CodeMap } from './code-map.js';
import type { FunctionTable } from './discover-functions.js';
import { effortOfFile, interpret, type Memory } from './interpret.js';
import type { MachineState } from './machine-state.js';
import { eachReference, FunctionScanner, handsOver, type ImageRange } from './scan-function.js';
import { tableTargets } from './table-targets.js';
import { type Condition, type Constraint, LOW_HALF, type Term, type Terms } from './term.js';
import { decodeAtom, type Value } from './value.js';

const isArgument = (register: number): boolean => argumentRegisters.includes(register);

/** A parameter's value, or one of the caller's own parameters, cut and moved, that becomes it. */
export type ArgumentPart = number | Term;

/** What an argument may be, by register. What is not there may be anything. */
export type Arguments = ReadonlyMap<number, readonly ArgumentPart[]>;

/** What holds wherever an instruction is reached. */
export interface Guard {
  readonly condition: Condition;
  readonly arguments: Arguments;
  /** By register: parameters of the function that it may hold as they were, among others. Asked for of some alone. */
  readonly handedOn: ReadonlyMap<number, readonly number[]>;
}

const none: Guard = { condition: [], arguments: new Map(), handedOn: new Map() };

/** Longer functions take longer to interpret than their guards are worth: nothing holds there. */
const MAX_INSTRUCTIONS = 1500;

/** What is known of one function's ways out. */
export interface FunctionGuards {
  at(address: number): Guard;
  /** Registers that a condition or a handed-on argument depends on. */
  readonly parameters: ReadonlySet<number>;
}

/** Interprets functions of a file, each once and when asked for. */
export class GuardFinder {
  readonly #scanner = new FunctionScanner();
  readonly #known = new Map<number, FunctionGuards | undefined>();
  readonly #effort = effortOfFile();

  constructor(
    private readonly elf: Elf,
    private readonly code: CodeMap,
    private readonly table: FunctionTable,
    private readonly absolute: ImageRange | undefined,
    private readonly neverReturning: ReadonlySet<number>,
    private readonly terms: Terms,
    private readonly memoryOf: (owner: number) => Memory,
    private readonly wantsHandedOn: (owner: number) => boolean,
  ) {}

  /** Guards of the function at a position of the table; undefined where it was not or cannot be interpreted. */
  of(owner: number): FunctionGuards | undefined {
    if (!this.#known.has(owner)) this.#known.set(owner, this.#find(owner));
    return this.#known.get(owner);
  }

  /** What was found with less known of memory is asked again. */
  forget(owner: number): void {
    this.#known.delete(owner);
  }

  #find(owner: number): FunctionGuards | undefined {
    const target = this.table.functions[owner];
    const segment = target && this.code.at(target.start);
    if (!target || !segment || target.instructions > MAX_INSTRUCTIONS) return undefined;
    const watched = new Set<number>(target.syscalls);
    const calls = new Set<number>();
    eachReference(target, (kind, at) => {
      watched.add(at);
      if (handsOver(kind)) calls.add(at);
    });
    const { references, syscalls, legacyCalls } = target;
    const scanner = this.#scanner;
    scanner.scan(target, segment, this.absolute);
    Object.assign(target, { references, syscalls, legacyCalls });
    const observed = interpret(
      target,
      scanner,
      watched,
      tableTargets(this.elf, target),
      this.neverReturning,
      new Map(),
      this.#effort,
      this.memoryOf(owner),
    );
    if (!observed) return undefined;
    const wantsHandedOn = this.wantsHandedOn(owner);
    const guards = new Map<number, Guard>();
    const parameters = new Set<number>();
    for (const [address, state] of observed) {
      const condition = conditionOf(state);
      const row = scanner.rowOf(address);
      const handed = calls.has(address) && row >= 0 ? this.#argumentsOf(state) : none.arguments;
      const handedOn = wantsHandedOn && calls.has(address) ? handedOnBy(state) : none.handedOn;
      if (condition.length === 0 && handed.size === 0 && handedOn.size === 0) continue;
      guards.set(address, { condition, arguments: handed, handedOn });
      for (const { subject } of condition) {
        if (subject.kind === 'parameter') parameters.add(subject.register);
      }
    }
    return { at: (address) => guards.get(address) ?? none, parameters };
  }

  #argumentsOf(state: MachineState): Arguments {
    const found = new Map<number, readonly ArgumentPart[]>();
    for (const register of argumentRegisters) {
      const parts = this.#partsOf(state.registers[register] ?? null);
      if (parts) found.set(register, parts);
    }
    return found;
  }

  /** Constants and parameters that a value is made of, or undefined when there is more to it. */
  #partsOf(value: Value): ArgumentPart[] | undefined {
    if (value === null) return undefined;
    const parts: ArgumentPart[] = [];
    for (const number of value) {
      const atom = decodeAtom(number);
      if (atom.kind === 'constant') parts.push(atom.value);
      else if (atom.kind === 'register' && atom.part !== 'half' && isArgument(atom.register)) {
        const subject = { kind: 'parameter', register: atom.register } as const;
        parts.push({ subject, plus: atom.plus, mask: atom.part === 'low' ? LOW_HALF : undefined });
      } else if (atom.kind === 'term') {
        const term = this.terms.get(atom.term);
        if (term.subject.kind !== 'parameter' || !isArgument(term.subject.register)) return undefined;
        parts.push(term);
      } else return undefined;
    }
    return parts;
  }
}

function handedOnBy(state: MachineState): Guard['handedOn'] {
  const found = new Map<number, readonly number[]>();
  for (const register of argumentRegisters) {
    const own = (state.registers[register] ?? []).flatMap((number) => {
      const atom = decodeAtom(number);
      return atom.kind === 'register' && atom.part === 'whole' && atom.plus === 0 ? [atom.register] : [];
    });
    if (own.length > 0) found.set(register, own);
  }
  return found;
}

/** What a state knows that can be asked from outside, in a stable order. */
function conditionOf(state: MachineState): Condition {
  const found: [string, Constraint][] = [];
  for (const [key, constraint] of state.constraints) {
    const { subject } = constraint;
    if (subject.kind === 'parameter' && !isArgument(subject.register)) continue;
    found.push([key, constraint]);
  }
  return found.sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([, constraint]) => constraint);
}
