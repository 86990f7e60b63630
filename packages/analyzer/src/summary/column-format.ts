/**
 * Plain data (what JSON can say, `Uint8Array` and `Uint32Array`) as bytes: an array of records is written field by
 * field, numbers as differences where that is shorter, each text once and without what it shares with the text
 * before it. This is smaller than JSON even after compression, and works for whatever fields a summary gets.
 *
 * First come the texts: flags (1 any, 2 two bytes a character, 4 with shared starts), their size in bytes, what each
 * has of its own, parted by NUL; then, where they have shared starts, how much each shares. Then comes one value: a
 * tag and what it needs.
 */
const tag = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  /** zigzag varint */
  integer: 4,
  /** 8 bytes */
  double: 5,
  /** index of the text */
  text: 6,
  /** count, column */
  list: 7,
  /** count of keys; for each: index of its text, value */
  record: 8,
  uint8: 9,
  uint32: 10,
} as const;

/** How a column of values is written. */
const column = {
  /** Each with its tag. */
  mixed: 0,
  integers: 1,
  differences: 2,
  texts: 3,
  /** One byte each. */
  booleans: 4,
  /** A column of lengths, then one of all items. */
  lists: 5,
  /** Count of keys; for each: index of its text, whether all have it (1) or a byte each says so (0), column. */
  records: 6,
} as const;

/** Values nest as deep as the types of a summary do; a damaged file must not exhaust the stack. */
const MAX_DEPTH = 16;

type Fields = Readonly<Record<string, unknown>>;

const isInteger = (value: unknown): value is number => Number.isSafeInteger(value) && !Object.is(value, -0);
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);

class Writer {
  #bytes = new Uint8Array(1 << 16);
  #length = 0;
  readonly #texts = new Map<string, number>();

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** LEB128 of a number up to 2^53. */
  count(value: number): void {
    while (value > 0x7f) {
      this.byte((value % 0x80) | 0x80);
      value = Math.floor(value / 0x80);
    }
    this.byte(value);
  }

  /** Signs alternate: 0, -1, 1, -2, … Beyond 2^52 the doubled number is even by itself, so those go as doubles. */
  integer(value: number): void {
    this.count(value < 0 ? -2 * value - 1 : 2 * value);
  }

  #indexOf(text: string): number {
    let index = this.#texts.get(text);
    if (index === undefined) {
      index = this.#texts.size;
      this.#texts.set(text, index);
    }
    return index;
  }

  text(value: string): void {
    this.count(this.#indexOf(value));
  }

  value(value: unknown): void {
    if (value === undefined) this.byte(tag.undefined);
    else if (value === null) this.byte(tag.null);
    else if (typeof value === 'boolean') this.byte(value ? tag.true : tag.false);
    else if (typeof value === 'string') {
      this.byte(tag.text);
      this.text(value);
    } else if (typeof value === 'number') {
      if (isInteger(value) && Math.abs(value) < 2 ** 52) {
        this.byte(tag.integer);
        this.integer(value);
      } else {
        this.byte(tag.double);
        this.raw(new Uint8Array(Float64Array.of(value).buffer));
      }
    } else if (value instanceof Uint8Array) {
      this.byte(tag.uint8);
      this.count(value.length);
      this.raw(value);
    } else if (value instanceof Uint32Array) {
      this.byte(tag.uint32);
      this.count(value.length);
      this.#integers(value);
    } else if (Array.isArray(value)) {
      this.byte(tag.list);
      this.count(value.length);
      this.#column(value);
    } else if (isFields(value)) {
      const keys = Object.keys(value).filter((key) => value[key] !== undefined);
      this.byte(tag.record);
      this.count(keys.length);
      for (const key of keys) {
        this.text(key);
        this.value(value[key]);
      }
    } else throw new TypeError(`A ${typeof value} is not plain data`);
  }

  #integers(values: ArrayLike<number>): void {
    let [plain, differences] = [0, 0];
    for (let i = 0; i < values.length; i++) {
      plain += bytesOf(values[i] ?? 0);
      differences += bytesOf((values[i] ?? 0) - (i > 0 ? (values[i - 1] ?? 0) : 0));
    }
    const asDifferences = differences < plain;
    this.byte(asDifferences ? column.differences : column.integers);
    let last = 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] ?? 0;
      this.integer(value - last);
      if (asDifferences) last = value;
    }
  }

  #column(values: readonly unknown[]): void {
    // Half of the range, so that differences are exact too.
    if (values.every((value) => isInteger(value) && Math.abs(value) < 2 ** 51)) {
      this.#integers(values as readonly number[]);
    } else if (values.every((value) => typeof value === 'string')) {
      this.byte(column.texts);
      this.#integers(values.map((value) => this.#indexOf(value)));
    } else if (values.every((value) => typeof value === 'boolean')) {
      this.byte(column.booleans);
      for (const value of values) this.byte(value ? 1 : 0);
    } else if (values.every((value) => Array.isArray(value))) {
      this.byte(column.lists);
      this.#integers(values.map((list) => list.length));
      this.#column(values.flat(1));
    } else if (values.every(isFields)) {
      this.byte(column.records);
      const keys = new Set<string>();
      for (const value of values) {
        for (const key in value) if (value[key] !== undefined) keys.add(key);
      }
      this.count(keys.size);
      for (const key of keys) {
        const present = values.filter((value) => value[key] !== undefined);
        this.text(key);
        this.byte(present.length === values.length ? 1 : 0);
        if (present.length < values.length)
          for (const value of values) this.byte(value[key] === undefined ? 0 : 1);
        this.#column(present.map((value) => value[key]));
      }
    } else {
      this.byte(column.mixed);
      for (const value of values) this.value(value);
    }
  }

  finish(): Uint8Array {
    const head = new Writer();
    const texts = [...this.#texts.keys()];
    const shared = texts.map((text, i) => (i === 0 ? 0 : sharedStart(texts[i - 1] ?? '', text)));
    const total = texts.reduce((sum, text) => sum + text.length, 0);
    // Texts that are not sorted share little with the one before, and compress better when left whole.
    const isShared = shared.reduce((sum, same) => sum + same, 0) > total * WORTH_SHARING;
    const all = texts.map((text, i) => escaped(text.slice(isShared ? shared[i] : 0))).join('\0');
    // Names are bytes of a file, so nearly always one byte a character.
    const isWide = /[^\0-\xff]/.test(all);
    const bytes = Buffer.from(all, isWide ? 'utf16le' : 'latin1');
    head.byte((texts.length > 0 ? 1 : 0) + (isWide ? 2 : 0) + (isShared ? 4 : 0));
    head.count(bytes.length);
    head.raw(bytes);
    if (isShared) for (const same of shared) head.count(same);
    head.raw(this.#bytes.subarray(0, this.#length));
    return head.#bytes.slice(0, head.#length);
  }
}

/** The part of all text that must be shared. */
const WORTH_SHARING = 1 / 3;

function sharedStart(a: string, b: string): number {
  const limit = Math.min(a.length, b.length);
  let same = 0;
  while (same < limit && a.charCodeAt(same) === b.charCodeAt(same)) same++;
  return same;
}

/** Texts are parted by NUL; one that has it says so otherwise. */
function escaped(text: string): string {
  return /[\0\x01]/.test(text) ? text.replaceAll('\x01', '\x01\x02').replaceAll('\0', '\x01\x01') : text;
}

function unescaped(text: string): string {
  return text.includes('\x01')
    ? text.replace(/\x01([\x01\x02])/g, (_, what) => (what === '\x01' ? '\0' : '\x01'))
    : text;
}

/** Bytes of `Writer.integer`, good enough to choose by. */
function bytesOf(value: number): number {
  const magnitude = value < 0 ? -value : value;
  return magnitude < 0x40
    ? 1
    : magnitude < 0x2000
      ? 2
      : magnitude < 0x10_0000
        ? 3
        : magnitude < 0x800_0000
          ? 4
          : 6;
}

class Reader {
  #at = 0;
  readonly #texts: string[] = [];

  constructor(private readonly bytes: Uint8Array) {
    const flags = this.#byte();
    const all = Buffer.from(this.#raw(this.#length())).toString((flags & 2) === 0 ? 'latin1' : 'utf16le');
    let last = '';
    for (const own of (flags & 1) === 0 ? [] : all.split('\0')) {
      last = (flags & 4) === 0 ? unescaped(own) : last.slice(0, this.count()) + unescaped(own);
      this.#texts.push(last);
    }
  }

  #byte(): number {
    const byte = this.bytes[this.#at++];
    if (byte === undefined) throw new RangeError('The data ends too early');
    return byte;
  }

  #raw(size: number): Uint8Array {
    const from = this.#at;
    if (from + size > this.bytes.length) throw new RangeError('The data ends too early');
    this.#at += size;
    return this.bytes.subarray(from, this.#at);
  }

  count(): number {
    let byte = this.#byte();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let unit = 0x80; byte >= 0x80; unit *= 0x80) {
      byte = this.#byte();
      value += (byte & 0x7f) * unit;
    }
    return value;
  }

  /** A count of things that take a byte each at least, or nearly so: a forged one must not fill the memory. */
  #length(): number {
    const length = this.count();
    if (length > this.bytes.length * 8) throw new RangeError('A count is larger than the data');
    return length;
  }

  #integer(): number {
    const value = this.count();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  #text(): string {
    return this.#textAt(this.count());
  }

  #textAt(index: number): string {
    const text = this.#texts[index];
    if (text === undefined) throw new RangeError('A text is missing');
    return text;
  }

  value(depth = 0): unknown {
    if (depth > MAX_DEPTH) throw new RangeError('The data nests too deep');
    switch (this.#byte()) {
      case tag.undefined:
        return undefined;
      case tag.null:
        return null;
      case tag.false:
        return false;
      case tag.true:
        return true;
      case tag.integer:
        return this.#integer();
      case tag.double:
        return new Float64Array(Uint8Array.from(this.#raw(8)).buffer)[0];
      case tag.text:
        return this.#text();
      case tag.list:
        return this.#column(this.#length(), depth + 1);
      case tag.record: {
        const count = this.#length();
        const record: Record<string, unknown> = {};
        for (let i = 0; i < count; i++) record[this.#text()] = this.value(depth + 1);
        return record;
      }
      case tag.uint8:
        return Uint8Array.from(this.#raw(this.#length()));
      case tag.uint32:
        return this.#integers(new Uint32Array(this.#length()));
      default:
        throw new RangeError('An unknown tag');
    }
  }

  /** Fills the array with the column that comes. */
  #integers<T extends { length: number; [index: number]: number }>(into: T, layout = this.#byte()): T {
    if (layout !== column.integers && layout !== column.differences)
      throw new RangeError('Not a column of integers');
    let last = 0;
    for (let i = 0; i < into.length; i++) {
      const value = this.#integer() + last;
      into[i] = value;
      if (layout === column.differences) last = value;
    }
    return into;
  }

  #column(length: number, depth: number): unknown[] {
    if (depth > MAX_DEPTH) throw new RangeError('The data nests too deep');
    const layout = this.#byte();
    switch (layout) {
      case column.mixed:
        return Array.from({ length }, () => this.value(depth + 1));
      case column.texts:
        return this.#integers(new Array<number>(length).fill(0)).map((index) => this.#textAt(index));
      case column.booleans:
        return Array.from({ length }, () => this.#byte() === 1);
      case column.lists: {
        const lengths = this.#integers(new Array<number>(length).fill(0));
        const total = lengths.reduce((sum, count) => sum + count, 0);
        if (!(total <= this.bytes.length * 8)) throw new RangeError('A count is larger than the data');
        const items = this.#column(total, depth + 1);
        let at = 0;
        return lengths.map((count) => items.slice(at, (at += count)));
      }
      case column.records: {
        const records = Array.from({ length }, (): Record<string, unknown> => ({}));
        for (let keys = this.#length(); keys > 0; keys--) {
          const key = this.#text();
          const having = this.#byte() === 1 ? records : records.filter(() => this.#byte() === 1);
          const values = this.#column(having.length, depth + 1);
          having.forEach((record, i) => {
            record[key] = values[i];
          });
        }
        return records;
      }
      default:
        return this.#integers(new Array<number>(length).fill(0), layout);
    }
  }
}

/** Equal values with equal orders of keys give equal bytes. Fields that are undefined are left out. */
export function encodeColumns(value: unknown): Uint8Array {
  const writer = new Writer();
  writer.value(value);
  return writer.finish();
}

/** @throws RangeError where the bytes are not of `encodeColumns` */
export function decodeColumns(bytes: Uint8Array): unknown {
  return new Reader(bytes).value();
}
