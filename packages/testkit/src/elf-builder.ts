/** A dynamic symbol of a built file. Without an address it is undefined: a request. */
export interface BuiltSymbol {
  readonly name: string;
  readonly address?: number;
  readonly size?: number;
  readonly kind?: 'function' | 'object' | 'ifunc';
  readonly weak?: boolean;
}

/** An R_X86_64_* entry of `.rela.dyn`. */
export interface BuiltRelocation {
  readonly offset: number;
  readonly type: number;
  /** Position in `symbols`. */
  readonly symbol?: number;
  readonly addend?: number;
}

export interface ElfPlan {
  /** ET_EXEC, loaded where it says, or ET_DYN (default). */
  readonly executable?: boolean;
  readonly machine?: number;
  readonly entry?: number;
  /** Loaded readable and executable at `CODE`. */
  readonly code: Uint8Array;
  /** Loaded writable at `DATA`. */
  readonly data?: Uint8Array;
  readonly interpreter?: string;
  readonly soname?: string;
  readonly needed?: readonly string[];
  readonly runpath?: string;
  readonly rpath?: string;
  readonly symbols?: readonly BuiltSymbol[];
  readonly relocations?: readonly BuiltRelocation[];
  /** Address and size in bytes of DT_INIT_ARRAY. */
  readonly initArray?: { readonly address: number; readonly size: number };
  /** DT_FLAGS_1. */
  readonly flags1?: number;
}

/** Address of the first byte of code. */
export const CODE = 0x401000;
/** Address of the first byte of data. */
export const DATA = 0x600000;
const DYNAMIC = 0x700000;

/**
 * An x86-64 ELF file with program headers only, as small as a test wants it. Code lies at `CODE`, data at
 * `DATA`; a dynamic section is added when anything asks for one.
 */
export function buildElf(plan: ElfPlan): Uint8Array {
  const data = plan.data ?? new Uint8Array();
  const symbols = plan.symbols ?? [];
  const wantsDynamic =
    plan.soname !== undefined ||
    plan.needed !== undefined ||
    symbols.length > 0 ||
    plan.interpreter !== undefined;
  const blocks: { address: number; bytes: Uint8Array; flags: number }[] = [
    { address: CODE, bytes: plan.code, flags: 5 },
  ];
  if (data.length > 0) blocks.push({ address: DATA, bytes: data, flags: 6 });
  let dynamicRange: { address: number; size: number } | undefined;
  if (wantsDynamic || (plan.relocations?.length ?? 0) > 0 || plan.initArray) {
    const built = dynamicBlock(plan, symbols);
    dynamicRange = built.range;
    blocks.push({ address: DYNAMIC, bytes: built.bytes, flags: 4 });
  }
  const interpreter = plan.interpreter === undefined ? undefined : text(plan.interpreter);
  const headers = blocks.length + (dynamicRange ? 1 : 0) + (interpreter ? 1 : 0);
  let offset = align(64 + headers * 56, 16);
  const placed = blocks.map((block) => {
    const at = offset;
    offset = align(offset + block.bytes.length, 16);
    return { ...block, at };
  });
  const interpreterAt = offset;
  const file = new Uint8Array(offset + (interpreter?.length ?? 0));
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, plan.executable ? 2 : 3, true);
  view.setUint16(18, plan.machine ?? 62, true);
  view.setUint32(20, 1, true);
  put64(view, 24, plan.entry ?? 0);
  put64(view, 32, 64);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, headers, true);
  let header = 64;
  const segment = (type: number, flags: number, at: number, address: number, size: number): void => {
    view.setUint32(header, type, true);
    view.setUint32(header + 4, flags, true);
    put64(view, header + 8, at);
    put64(view, header + 16, address);
    put64(view, header + 24, address);
    put64(view, header + 32, size);
    put64(view, header + 40, size);
    put64(view, header + 48, 1);
    header += 56;
  };
  for (const block of placed) {
    segment(1, block.flags, block.at, block.address, block.bytes.length);
    file.set(block.bytes, block.at);
  }
  const dynamicAt = placed.find((block) => block.address === DYNAMIC)?.at ?? 0;
  if (dynamicRange) {
    segment(2, 4, dynamicAt + dynamicRange.address - DYNAMIC, dynamicRange.address, dynamicRange.size);
  }
  if (interpreter) {
    segment(3, 4, interpreterAt, 0, interpreter.length);
    file.set(interpreter, interpreterAt);
  }
  return file;
}

function dynamicBlock(
  plan: ElfPlan,
  symbols: readonly BuiltSymbol[],
): { bytes: Uint8Array; range: { address: number; size: number } } {
  let strings = '\0';
  const name = (value: string): number => {
    const at = strings.length;
    strings += `${value}\0`;
    return at;
  };
  const entries: [tag: number, value: number][] = [];
  for (const needed of plan.needed ?? []) entries.push([1, name(needed)]);
  if (plan.soname !== undefined) entries.push([14, name(plan.soname)]);
  if (plan.rpath !== undefined) entries.push([15, name(plan.rpath)]);
  if (plan.runpath !== undefined) entries.push([29, name(plan.runpath)]);
  if (plan.flags1 !== undefined) entries.push([0x6ffffffb, plan.flags1]);
  if (plan.initArray) entries.push([25, plan.initArray.address], [27, plan.initArray.size]);
  const names = symbols.map((symbol) => name(symbol.name));
  const relocations = plan.relocations ?? [];
  const stringBytes = Uint8Array.from(strings, (c) => c.charCodeAt(0));
  const symtabAt = align(stringBytes.length, 8);
  const hashAt = symtabAt + (symbols.length + 1) * 24;
  const relaAt = align(hashAt + 8, 8);
  const dynamicAt = relaAt + relocations.length * 24;
  entries.push([5, DYNAMIC], [10, stringBytes.length], [6, DYNAMIC + symtabAt], [4, DYNAMIC + hashAt]);
  if (relocations.length > 0) entries.push([7, DYNAMIC + relaAt], [8, relocations.length * 24]);
  entries.push([0, 0]);
  const bytes = new Uint8Array(dynamicAt + entries.length * 16);
  const view = new DataView(bytes.buffer);
  bytes.set(stringBytes);
  symbols.forEach((symbol, i) => {
    const at = symtabAt + (i + 1) * 24;
    view.setUint32(at, names[i] ?? 0, true);
    const kind = symbol.kind === 'object' ? 1 : symbol.kind === 'ifunc' ? 10 : 2;
    view.setUint8(at + 4, ((symbol.weak ? 2 : 1) << 4) | kind);
    view.setUint16(at + 6, symbol.address === undefined ? 0 : 1, true);
    put64(view, at + 8, symbol.address ?? 0);
    put64(view, at + 16, symbol.size ?? 0);
  });
  // Only the chain count of DT_HASH is filled in: it says how many symbols there are.
  view.setUint32(hashAt + 4, symbols.length + 1, true);
  relocations.forEach((relocation, i) => {
    const at = relaAt + i * 24;
    put64(view, at, relocation.offset);
    view.setUint32(at + 8, relocation.type, true);
    view.setUint32(at + 12, relocation.symbol === undefined ? 0 : relocation.symbol + 1, true);
    put64(view, at + 16, relocation.addend ?? 0);
  });
  entries.forEach(([tag, value], i) => {
    put64(view, dynamicAt + i * 16, tag);
    put64(view, dynamicAt + i * 16 + 8, value);
  });
  return { bytes, range: { address: DYNAMIC + dynamicAt, size: entries.length * 16 } };
}

function text(value: string): Uint8Array {
  return Uint8Array.from(`${value}\0`, (c) => c.charCodeAt(0));
}

function align(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

function put64(view: DataView, at: number, value: number): void {
  view.setBigInt64(at, BigInt(value), true);
}
