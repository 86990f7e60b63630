import { ProfGenError } from '@prof-gen/core/base';
import { type Elf, type ElfSymbol, fileOffset, segmentType } from '../elf/elf.js';
import { isPacked } from '../elf/is-packed.js';
import { callNumbers } from '../function/call-numbers.js';

import { CodeMap } from '../function/code-map.js';
import { discoverFunctions, type FunctionTable } from '../function/discover-functions.js';
import { type GoCode, goCode } from '../function/go-table.js';
import { type ImageRange, reference } from '../function/scan-function.js';
import { type StaticCells, staticCells } from '../function/static-cells.js';
import { dataObjects, pointerSlots, type PointerSlot } from './data-objects.js';
import { EdgeList, type EdgeRows } from './edge-list.js';
import {
  type CallSite,
  edgeKinds,
  type EdgeKind,
  type ExportedSymbol,
  type GuardFacts,
  type ImportedSymbol,
  type InitialReason,
  type NameUse,
  type NodeFacts,
  nodeKinds,
  nodeRole,
  type NumberedCall,
  type UndecidedSite,
} from './file-summary.js';
import { goObjects } from './go-objects.js';
import { slotsInCode } from './slots-in-code.js';
import { exportedWriters, guardEdges, type ImportCall, plainEdges } from './guard-edges.js';
import { juliaImage } from './julia-image.js';
import type { CodeEdge } from './plan-guards.js';
import { bestNames } from './symbol-names.js';

/** Positions of words in a list, by word. */
const positions = <T extends string>(words: readonly T[]): Readonly<Record<T, number>> =>
  Object.fromEntries(words.map((word, i) => [word, i])) as Record<T, number>;
const edgeKind = positions<EdgeKind>(edgeKinds);
const nodeKind = positions(nodeKinds);

/**
 * The whole graph of one file, before anything is condensed. Nodes are functions, then data objects, then for
 * each function whose parameter becomes a call number a node "entered with unknown arguments".
 */
export interface FileGraph extends NodeFacts, GuardFacts {
  readonly nodes: number;
  /** 1 for functions whose parameters decide something: callers must not be mixed. */
  readonly alone: Uint8Array;
  /** Edges between nodes, the guarded among them. */
  readonly everyEdge: EdgeRows;
  /** By node, as in `FileDetail`. */
  readonly nameOf: (node: number) => string;
  readonly addressOf: (node: number) => number;
  readonly kinds: Uint8Array;
  /** By node: `nodeRole`. */
  readonly roles: Uint8Array;
  readonly initialReasons: ReadonlyMap<number, InitialReason>;
  readonly edges: EdgeRows;
  /** To indexes of `imports`; the kinds say nothing. */
  readonly importEdges: EdgeRows;
}

/** Rounds of "find functions, then pointers among the code". Two are enough unless a file is made for it. */
const MAX_ROUNDS = 8;
/** Imported functions that take a system call number first. */
const importedWrappers = new Set(['syscall']);
/** Who imports these may look any symbol up by a name it has as a string. */
const lookupFunctions = new Set(['dlsym', 'dlvsym', '__libc_dlsym']);

/** Builds the graph of a file. @throws ProfGenError `elf/too-complex` */
export function fileGraph(elf: Elf): FileGraph {
  const code = new CodeMap(elf);
  try {
    return build(elf, code);
  } finally {
    code.free();
  }
}

function build(elf: Elf, code: CodeMap): FileGraph {
  const absolute = fixedRange(elf);
  const go = goCode(elf);
  const goFunctions = new Map(go?.functions.map((each) => [each.start, each]));
  const slots = pointerSlots(elf, code, absolute, go?.table);
  const slotAt = new Map(slots.map((slot) => [slot.address, slot]));
  const stubs = new Map<number, PointerSlot | undefined>();
  const stubOf = (address: number): PointerSlot | undefined => {
    if (!stubs.has(address)) stubs.set(address, readStub(elf, address, slotAt));
    return stubs.get(address);
  };
  const discover = (pointers: readonly PointerSlot[]): FunctionTable =>
    discoverFunctions(elf, code, {
      pointers: pointers
        .filter((slot) => slot.kind === 'address' && code.at(slot.target))
        .map((slot) => slot.target),
      ...(go ? { ranges: go.functions.map(({ start, end }) => ({ start, end, landingPads: true })) } : {}),
      absolute,
      isRelative: (start) => go?.layout !== undefined && goFunctions.has(start),
      relative:
        elf.globalOffsetTable === undefined ? undefined : { base: elf.globalOffsetTable, ...imageRange(elf) },
      isStub: (address) => stubOf(address) !== undefined,
      wantsConstants: (kind, to) => {
        const slot = go ? undefined : calledSlot(kind, to, stubOf, slotAt);
        return slot?.kind === 'symbol' && elf.symbols[slot.symbol]?.defined === false;
      },
    });
  let table = discover(slots);
  // Pointers among the code lead to functions, and between those there may be pointers again.
  for (let round = 0; absolute; round++) {
    const found = slotsInCode(elf, code, table, absolute).filter((slot) => !slotAt.has(slot.address));
    if (found.length === 0) break;
    if (round === MAX_ROUNDS)
      throw new ProfGenError('elf/too-complex', 'The pointers among the code never end');
    for (const slot of found) slotAt.set(slot.address, slot);
    slots.push(...found);
    if (found.some(({ target }) => code.at(target) && table.at(target)?.start !== target)) {
      table = discover(slots);
    }
  }
  slots.sort((a, b) => a.address - b.address);
  const { functions } = table;

  // Data: which addresses are referred to, then objects.
  const referred = new Set<number>();
  for (const f of functions) {
    for (let i = 0; i < f.references.length; i += 3) {
      if ((f.references[i] ?? 0) >= reference.address) referred.add(f.references[i + 2] ?? 0);
    }
  }
  for (const slot of slots) if (slot.kind === 'address') referred.add(slot.target);
  // A pointer inside a function is that function's; data between functions ends where they start.
  const dataSlots: PointerSlot[] = [];
  const functionSlots: PointerSlot[] = [];
  const betweenFunctions: number[] = [];
  const goData = go && goObjects(elf, go, slotAt, referred);
  for (const slot of slots) {
    if (goData?.isIdle(slot, goFunctions.get(table.at(slot.target)?.start ?? -1)?.name)) continue;
    if (!code.at(slot.address)) dataSlots.push(slot);
    else if (table.indexAt(slot.address) >= 0) functionSlots.push(slot);
    else {
      dataSlots.push(slot);
      betweenFunctions.push(...table.around(slot.address));
    }
  }
  const data = dataObjects(elf, dataSlots, referred, [...betweenFunctions, ...(goData?.bounds ?? [])]);

  // Numbers.
  const isWrapperSlot = (slot: PointerSlot | undefined): boolean =>
    slot?.kind === 'symbol' && importedWrappers.has(elf.symbols[slot.symbol]?.name ?? '');
  const wrapperCalls = new Map<number, number[]>();
  functions.forEach((f, index) => {
    for (let i = 0; i < f.references.length; i += 3) {
      const slot = calledSlot(f.references[i] ?? 0, f.references[i + 2] ?? 0, stubOf, slotAt);
      if (!isWrapperSlot(slot)) continue;
      const calls = wrapperCalls.get(index) ?? [];
      calls.push(f.references[i + 1] ?? 0);
      wrapperCalls.set(index, calls);
    }
  });
  let cells: StaticCells | undefined;
  const isPointedTo = (address: number): boolean =>
    elf.entry === address ||
    slots.some(({ target }) => target === address) ||
    elf.symbols.some((symbol) => symbol.defined && symbol.binding !== 'local' && symbol.address === address);
  const numbers = callNumbers(
    elf,
    code,
    table,
    absolute,
    goFunctions,
    () => (cells ??= staticCells(elf, code, table, slotAt)),
    wrapperCalls,
    isPointedTo,
  );

  // Nodes.
  const firstObject = functions.length;
  const firstUnknown = firstObject + data.objects.length;
  const wrappers = [...numbers.wrappers.keys()]
    .filter((owner) => !numbers.handedOver.has(owner))
    .sort((a, b) => a - b);
  const unknownOf = new Map(wrappers.map((owner, i) => [owner, firstUnknown + i]));
  const nodes = firstUnknown + wrappers.length;
  const nameAt = bestNames(elf);
  const addressOf = (node: number): number => {
    if (node >= firstUnknown) return addressOf(wrappers[node - firstUnknown] ?? 0);
    const place = node < firstObject ? functions[node] : data.objects[node - firstObject];
    return place?.start ?? 0;
  };
  const nameOf = (node: number): string => {
    const address = addressOf(node);
    return nameAt(address) ?? `+0x${address.toString(16)}`;
  };
  const kinds = new Uint8Array(nodes).fill(nodeKind.function);
  kinds.fill(nodeKind['unknown-arguments'], firstUnknown);
  const roles = new Uint8Array(nodes);
  data.objects.forEach(({ firstSlot, lastSlot }, i) => {
    const isGotEntry = firstSlot === lastSlot && dataSlots[firstSlot]?.alone === true;
    kinds[firstObject + i] = isGotEntry ? nodeKind.got : nodeKind.data;
    roles[firstObject + i] = isGotEntry ? 0 : nodeRole.data;
  });
  const edges = new EdgeList();
  const importEdges = new EdgeList();
  const codeEdges: CodeEdge[] = [];
  const importCalls: ImportCall[] = [];
  // Only where system calls are made can a guard in the file decide about one.
  const mayHaveGuards = !go && numbers.sites.length > 0;
  const imports: ImportedSymbol[] = [];
  const importIndex = new Map<string, number>();
  const importOf = (symbolIndex: number, copy: boolean): number => {
    const symbol = elf.symbols[symbolIndex];
    const key = `${copy ? 1 : 0} ${symbol?.name} ${symbol?.version}`;
    let index = importIndex.get(key);
    if (index === undefined) {
      index = imports.length;
      importIndex.set(key, index);
      imports.push({
        name: symbol?.name ?? '',
        ...(symbol?.version === undefined ? {} : { version: symbol.version }),
        copy,
      });
    }
    return index;
  };
  const incoming = new Uint8Array(nodes);
  const linkData = (from: number, to: number, kind: number): void => {
    edges.add(from, to, kind);
    if (from !== to) incoming[to] = 1;
  };
  /** A way out of a function, which may turn out to be guarded. */
  const lead = (from: number, to: number, kind: number, address: number, isCall = false): void => {
    if (mayHaveGuards) codeEdges.push({ from, to, kind, address, isCall });
    else edges.add(from, to, kind);
    if (from !== to) incoming[to] = 1;
  };
  /** The node of a function that a pointer leads to: its arguments are unknown. */
  const pointedFunction = (address: number): number => {
    const index = table.indexAt(address);
    return index < 0 ? -1 : (unknownOf.get(index) ?? index);
  };
  const lateNames: NameUse[] = [];
  const lookups: NameUse[] = [];
  const isLoader = elf.symbols.some((s) => s.defined && (s.name === '_rtld_global' || s.name === '__dls2b'));
  const lookingUp = functionsLookingUp(elf, table, stubOf, slotAt);
  const julia = juliaImage(elf);
  // All of its functions are live, the first as well as any.
  if (functions.length > 0) for (const name of julia?.names ?? []) lookups.push({ node: 0, name });
  const useString = (node: number, address: number, fromCode: boolean): void => {
    const text = constantString(elf, address);
    if (text === undefined) return;
    if (/\.so(\.\d+)*$/.test(text) && text.length > 3) lateNames.push({ node, name: text });
    else if (
      fromCode &&
      (isLoader || julia !== undefined || lookingUp.has(node)) &&
      /^[A-Za-z_]\w{2,}$/.test(text)
    )
      lookups.push({ node, name: text });
  };
  /** Go's compiler makes no address outside of what it is for. */
  const isGoCode = (node: number): boolean => goFunctions.has(functions[node]?.start ?? -1);
  /**
   * A reference to an address that is not called directly: a pointer to a function, a stub, or data.
   * @param by the instruction and how it refers to it (`reference`); undefined for a pointer in data
   */
  const refer = (
    from: number,
    to: number,
    by?: { readonly kind: number; readonly address: number },
  ): void => {
    const link = (target: number, kind: number): void => {
      if (by === undefined) linkData(from, target, edgeKind.pointer);
      else lead(from, target, kind, by.address);
      if (by !== undefined && kind === edgeKind.address)
        roles[target] = (roles[target] ?? 0) | nodeRole.addressTaken;
    };
    const referToData = (): void => {
      for (const object of data.at(to, by?.kind === reference.address && !isGoCode(from))) {
        const node = firstObject + object;
        if (kinds[node] !== nodeKind.got) link(node, edgeKind.data);
        else if (by?.kind === reference.callMemory) link(node, edgeKind.call);
        else if (by?.kind === reference.jumpMemory) link(node, edgeKind.jump);
        else link(node, edgeKind.address);
      }
    };
    if (code.at(to)) {
      const slot = stubOf(to);
      const targets = slot
        ? data.at(slot.address, false).map((object) => firstObject + object)
        : [pointedFunction(to)].filter((node) => node >= 0);
      for (const node of targets) link(node, edgeKind.address);
      // What is no known function may be data among the code.
      if (slot || table.at(to)?.exact) return;
      if (betweenFunctions.length > 0) referToData();
    } else referToData();
    useString(from, to, by !== undefined);
  };

  const numberedCalls: NumberedCall[] = [];
  functions.forEach((f, node) => {
    for (let i = 0; i < f.references.length; i += 3) {
      const kind = f.references[i] ?? 0;
      const at = f.references[i + 1] ?? 0;
      const to = f.references[i + 2] ?? 0;
      const slot = calledSlot(kind, to, stubOf, slotAt);
      if (slot && isWrapperSlot(slot)) {
        const { owner: _, ...call } = numbers.importCalls.get(at) ?? { owner: node, numbers: [] };
        const symbol = importOf(slot.symbol, false);
        numberedCalls.push({ node, import: symbol, ...call, address: at, function: nameOf(node) });
        continue;
      }
      if (kind === reference.call || kind === reference.jump || kind === reference.fall) {
        const way = kind === reference.call ? edgeKind.call : edgeKind.jump;
        const constants = slot?.kind === 'symbol' && slot.alone ? f.constants?.get(at) : undefined;
        if (slot && constants) {
          importCalls.push({
            from: node,
            to: importOf(slot.symbol, false),
            kind: way,
            address: at,
            constants,
          });
        } else if (slot) {
          for (const object of data.at(slot.address, false)) lead(node, firstObject + object, way, at);
        } else {
          const callee = table.indexAt(to);
          if (callee >= 0) lead(node, callee, way, at, true);
        }
      } else refer(node, to, { kind, address: at });
    }
  });
  const holdPointer = (node: number, slot: PointerSlot): void => {
    if (slot.kind === 'address') refer(node, slot.target);
    else if (slot.kind === 'resolver') {
      const resolver = table.indexAt(slot.target);
      if (resolver >= 0) linkData(node, resolver, edgeKind.resolver);
    } else importEdges.add(node, importOf(slot.symbol, slot.kind === 'copy'), 0);
  };
  data.objects.forEach((object, i) => {
    for (const slot of dataSlots.slice(object.firstSlot, object.lastSlot + 1)) {
      holdPointer(firstObject + i, slot);
    }
  });
  for (const slot of functionSlots) holdPointer(table.indexAt(slot.address), slot);
  for (const [from, to] of goData?.links ?? []) {
    for (const object of data.at(from, false)) refer(firstObject + object, to);
  }

  // Sites.
  const sites: CallSite[] = numbers.sites.map(({ owner, ...site }) => ({
    node: owner,
    ...site,
    function: nameOf(owner),
  }));
  const undecided: UndecidedSite[] = numbers.unknown.map(({ owner, address, reason }) => ({
    node: owner,
    address,
    function: nameOf(owner),
    reason,
  }));
  // What the kernel or the loader has left in the registers is not known.
  const entry = code.at(elf.entry) ? pointedFunction(elf.entry) : -1;
  for (const { address, reason } of unreadCode(elf, go, code, table)) {
    undecided.push({ node: Math.max(entry, 0), address, function: nameOf(Math.max(entry, 0)), reason });
  }
  for (const [owner, node] of unknownOf) {
    linkData(node, owner, edgeKind.self);
    undecided.push({
      node,
      address: functions[owner]?.start ?? 0,
      function: nameOf(owner),
      reason: 'it makes the call whose number it is given, and unknown callers may give it any',
    });
  }

  const guards = mayHaveGuards
    ? guardEdges({ elf, code, table, absolute, edges, codeEdges, importCalls, sites, nodes })
    : plainEdges({ edges, importCalls, nodes });
  for (const list of [sites, undecided]) {
    list.forEach((site, i) => {
      const condition = guards.conditionAt(site.node, site.address);
      if (condition !== 0) (list as CallSite[])[i] = { ...(site as CallSite), condition };
    });
  }

  // Doors into the file.
  const initial = new Map<number, InitialReason>();
  const addInitial = (node: number, reason: InitialReason): void => {
    if (!initial.has(node)) initial.set(node, reason);
  };
  const addInitialFunction = (address: number, reason: InitialReason): void => {
    const node = pointedFunction(address);
    if (node < 0) return;
    addInitial(node, reason);
    incoming[node] = 1;
  };
  for (const address of elf.init) addInitialFunction(address, 'init-or-fini');
  for (const slot of slots) if (slot.kind === 'resolver') addInitialFunction(slot.target, 'resolver');
  for (const array of elf.initArrays) {
    for (let at = array.address; at < array.address + Math.min(array.size, 1 << 24); at += 8) {
      const slot = slotAt.get(at);
      for (const object of slot ? data.at(at, false) : []) addInitial(firstObject + object, 'array');
    }
  }
  const exports: ExportedSymbol[] = [];
  elf.symbols.forEach((symbol) => {
    if (!symbol.defined || symbol.binding === 'local' || symbol.name === '' || symbol.kind === 'tls') return;
    if (symbol.visibility === 'hidden' || symbol.visibility === 'internal') return;
    exports.push(exportOf(symbol));
  });
  // Neighbours by name share their beginnings, so that a stored summary is smaller; equal names keep their order.
  exports.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  function exportOf(symbol: ElfSymbol): ExportedSymbol {
    const isCode = code.at(symbol.address) !== undefined;
    let node = -1;
    let wrapper: ExportedSymbol['wrapper'];
    if (isCode) {
      const owner = table.indexAt(symbol.address);
      node = owner < 0 ? -1 : (unknownOf.get(owner) ?? owner);
      const parameters = numbers.wrappers.get(owner);
      const only = parameters?.length === 1 ? parameters[0] : undefined;
      if (
        only &&
        only.register >= 0 &&
        only.plus === 0 &&
        only.within === undefined &&
        functions[owner]?.start === symbol.address
      ) {
        wrapper = { register: only.register, node: owner };
      }
    } else {
      const object = data.at(symbol.address, false)[0];
      if (object !== undefined) node = firstObject + object;
    }
    if (node >= 0) incoming[node] = 1;
    return {
      name: symbol.name,
      ...(symbol.version === undefined ? {} : { version: symbol.version }),
      hidden: symbol.hiddenVersion,
      kind: isCode ? 'function' : 'data',
      node,
      ...(wrapper ? { wrapper } : {}),
    };
  }
  // GOT entries that nothing loads are left over by the linker; other data may be reached in ways unknown.
  data.objects.forEach((object, i) => {
    const node = firstObject + i;
    const isGotEntry = kinds[node] === nodeKind.got;
    const inTls =
      elf.tls && object.start >= elf.tls.address && object.start < elf.tls.address + elf.tls.fileSize;
    if (inTls) addInitial(node, 'thread-data');
    else if (goData?.owned.has(object.start)) return;
    else if (incoming[node] === 0 && !isGotEntry) addInitial(node, 'unreferenced-data');
    else if (go && !isGotEntry) addInitial(node, 'go');
  });
  // The linker has left no Go function in the file that nothing leads to: such a one is reached in a way unknown.
  if (go)
    for (let node = 0; node < firstObject; node++) {
      if (!goData || (incoming[node] === 0 && goFunctions.has(functions[node]?.start ?? 0)))
        addInitial(node, 'go');
    }
  if (julia) for (const { start } of functions) addInitialFunction(start, 'julia');
  if (entry >= 0) incoming[entry] = 1;
  let unreferenced = 0;
  functions.forEach((f, node) => {
    if (
      f.exact &&
      incoming[node] === 0 &&
      (!unknownOf.has(node) || incoming[unknownOf.get(node) ?? 0] === 0)
    ) {
      unreferenced++;
    }
  });
  return {
    nodes,
    nameOf,
    alone: guards.alone,
    everyEdge: guards.everyEdge(),
    guarded: guards.guarded,
    conditions: guards.conditions,
    argumentLists: guards.argumentLists,
    parameters: guards.parameters,
    cells: guards.cells,
    stores: [...guards.stores, ...exportedWriters(exports, guards)],
    addressOf,
    kinds,
    roles,
    initialReasons: initial,
    edges: edges.rows(nodes),
    importEdges: importEdges.rows(nodes),
    imports,
    exports,
    sites,
    undecided,
    numberedCalls,
    lateNames,
    lookups,
    entry,
    initial: [...initial.keys()].sort((a, b) => a - b),
    health: {
      functions: functions.length,
      instructions: functions.reduce((sum, f) => sum + f.instructions, 0),
      objects: data.objects.length,
      unwindEntries: table.unwindEntries,
      unreferencedUnwindEntries: unreferenced,
      syscallSites: functions.reduce((sum, f) => sum + f.syscalls.length + f.legacyCalls.length, 0),
      undecidedSites: undecided.length,
    },
  };
}

/** What of a file's code was not read, and why. */
function* unreadCode(elf: Elf, go: GoCode | undefined, code: CodeMap, table: FunctionTable) {
  for (const [address, to] of table.astray) {
    yield {
      address,
      reason: `control goes to 0x${to.toString(16)}, which is executable but no code by the section headers`,
    };
  }
  if (isPacked(elf))
    yield { address: elf.entry, reason: 'the file is packed (UPX): its real code is not in it' };
  if (go) yield* unreadGoCode(elf, go, code, table);
}

/**
 * What of a Go file's code was not read: system calls outside all functions, or all of it where the table of
 * functions cannot be read.
 */
function* unreadGoCode(elf: Elf, go: GoCode, code: CodeMap, table: FunctionTable) {
  if (go.functions.length === 0) {
    yield {
      address: code.segments[0]?.start ?? 0,
      reason: 'the file has Go code whose table of functions cannot be read: calls may be missing',
    };
  }
  for (const { start, end } of code.segments) {
    const offset = fileOffset(elf, start, end - start);
    if (offset < 0) continue;
    const bytes = elf.view.bytes.subarray(offset, offset + end - start);
    for (let at = bytes.indexOf(0x0f); at >= 0; at = bytes.indexOf(0x0f, at + 1)) {
      if (bytes[at + 1] !== 0x05 || table.indexAt(start + at) >= 0) continue;
      yield {
        address: start + at,
        reason: 'bytes of a system call outside all known functions of a Go file',
      };
    }
  }
}

/** Functions that call dlsym, and those that call such a function directly: a name they have may be looked up. */
function functionsLookingUp(
  elf: Elf,
  table: FunctionTable,
  stubOf: (address: number) => PointerSlot | undefined,
  slotAt: ReadonlyMap<number, PointerSlot>,
): Set<number> {
  const found = new Set<number>();
  if (!elf.symbols.some((s) => !s.defined && lookupFunctions.has(s.name))) return found;
  const eachCall = (visit: (caller: number, kind: number, to: number) => void): void => {
    table.functions.forEach((f, caller) => {
      for (let i = 0; i < f.references.length; i += 3)
        visit(caller, f.references[i] ?? 0, f.references[i + 2] ?? 0);
    });
  };
  eachCall((caller, kind, to) => {
    const slot =
      calledSlot(kind, to, stubOf, slotAt) ?? (kind === reference.memory ? slotAt.get(to) : undefined);
    if (slot?.kind === 'symbol' && lookupFunctions.has(elf.symbols[slot.symbol]?.name ?? ''))
      found.add(caller);
  });
  const direct = new Set(found);
  eachCall((caller, kind, to) => {
    if (kind !== reference.call && kind !== reference.jump) return;
    if (direct.has(table.indexAt(to))) found.add(caller);
  });
  return found;
}

/** The GOT entry through which an instruction calls or jumps, if it does. */
function calledSlot(
  kind: number,
  to: number,
  stubOf: (address: number) => PointerSlot | undefined,
  slotAt: ReadonlyMap<number, PointerSlot>,
): PointerSlot | undefined {
  if (kind === reference.call || kind === reference.jump) return stubOf(to);
  if (kind === reference.callMemory || kind === reference.jumpMemory) return slotAt.get(to);
  return undefined;
}

/** Where the file is loaded, relative to where it wants to be. */
function imageRange(elf: Elf): ImageRange {
  const loads = elf.segments.filter((s) => s.type === segmentType.load);
  const low = Math.min(...loads.map((s) => s.address));
  const high = Math.max(...loads.map((s) => s.address + s.memorySize));
  return { low: Math.max(low, 0x1000), high };
}

/** Addresses may be immediates and plain words only where the file has a fixed place. */
function fixedRange(elf: Elf): ImageRange | undefined {
  if (elf.positionIndependent) return undefined;
  const { low, high } = imageRange(elf);
  return { low, high: Math.min(high, 2 ** 32) };
}

/**
 * `jmp [rip+x]` through a GOT entry: a PLT stub. Before it there may be `endbr64`, `mov r11d, index` (mold) and
 * `bnd`.
 */
function readStub(
  elf: Elf,
  address: number,
  slotAt: ReadonlyMap<number, PointerSlot>,
): PointerSlot | undefined {
  let at = fileOffset(elf, address, 16);
  if (at < 0) return undefined;
  const { view } = elf;
  let pc = address;
  if (view.u32(at) === 0xfa1e0ff3) {
    at += 4;
    pc += 4;
  }
  if (view.u16(at) === 0xbb41) {
    at += 6;
    pc += 6;
  }
  if (view.u8(at) === 0xf2) {
    at++;
    pc++;
  }
  if (view.u8(at) !== 0xff || view.u8(at + 1) !== 0x25) return undefined;
  const slot = slotAt.get(pc + 6 + view.i32(at + 2));
  return slot?.alone ? slot : undefined;
}

/** The text at an address when it is a short printable string. */
function constantString(elf: Elf, address: number): string | undefined {
  const at = fileOffset(elf, address);
  if (at < 0) return undefined;
  const { bytes } = elf.view;
  let text = '';
  for (let i = at; i < at + 256; i++) {
    const byte = bytes[i];
    if (byte === undefined) return undefined;
    if (byte === 0) return text === '' ? undefined : text;
    if (byte <= 0x20 || byte >= 0x7f) return undefined;
    text += String.fromCharCode(byte);
  }
  return undefined;
}
