import type { ByteInput } from '../stream/byte-input.js';
import { decodeFileName } from './file-name.js';
import { parsePaxRecords } from './pax-records.js';
import {
  checkedRuns,
  decimal,
  readGnuSparseMap,
  readPaxSparseMap,
  runsFromNumbers,
  type SparseRun,
} from './sparse-map.js';
import { badHeader, truncated } from './tar-error.js';
import { blockSize, isZeroBlock, parseTarHeader, upToNul } from './tar-header.js';

type TarType =
  | 'file'
  | 'hard-link'
  | 'symlink'
  | 'character-device'
  | 'block-device'
  | 'directory'
  | 'fifo'
  | 'unknown';

export interface TarMember {
  readonly type: TarType;
  /** As written, but for bytes that are not UTF-8: see decodeFileName. */
  readonly name: string;
  readonly linkName: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of the file's content, holes included. */
  readonly size: number;
  readonly devMajor: number;
  readonly devMinor: number;
  /** Where the stored bytes begin in the archive, and how many there are. Content is contiguous unless `sparse`. */
  readonly dataOffset: number;
  readonly stored: number;
  readonly sparse: boolean;
  /** Where the member's first header begins. */
  readonly offset: number;
  /** The first stored bytes, at most `length`, without taking them. */
  peek(length: number): Promise<Uint8Array>;
  /** The content, once, before the next member is asked for. */
  content(): AsyncGenerator<Uint8Array>;
}

const types: Readonly<Record<string, TarType>> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'hard-link',
  '2': 'symlink',
  '3': 'character-device',
  '4': 'block-device',
  '5': 'directory',
  '6': 'fifo',
};

/** Bytes of a long name or of a PAX header; as in Go's archive/tar. */
const maxExtension = 1024 * 1024;

/** What PAX and GNU headers say about the member that follows. */
interface Extension {
  path?: Uint8Array;
  linkPath?: Uint8Array;
  size?: number;
  uid?: number;
  gid?: number;
  sparseName?: Uint8Array;
  sparseSize?: number;
  sparseNumbers: string[];
  sparseMajor?: string;
}

/**
 * Members of a tar archive, in order: V7, ustar, star, PAX, GNU long names, and all sparse formats.
 * What engines do decides where the formats are vague (Go's archive/tar): a global PAX header changes
 * nothing, links and devices have no data whatever their size says, two zero blocks end the archive.
 * @throws ProfGenError `archive/bad-header`, `archive/truncated`
 */
export async function* readTar(input: ByteInput): AsyncGenerator<TarMember> {
  let extension: Extension = { sparseNumbers: [] };
  let start: number | undefined;
  for (;;) {
    const offset = input.position;
    const block = await input.read(blockSize);
    if (block.length === 0) return;
    if (block.length < blockSize) throw truncated(input.position);
    if (isZeroBlock(block)) {
      const second = await input.read(blockSize);
      if (second.length === 0 || (second.length === blockSize && isZeroBlock(second))) return;
      throw badHeader('a single block of zeros stands between members', offset);
    }
    const raw = parseTarHeader(block, offset);
    if (raw.size < 0) throw badHeader('a size is negative', offset);
    start ??= offset;

    if (raw.flag === 'L' || raw.flag === 'K' || raw.flag === 'x' || raw.flag === 'g') {
      if (raw.size > maxExtension) throw badHeader('an extended header is longer than 1 MiB', offset);
      const data = await input.read(raw.size);
      if (data.length < raw.size) throw truncated(input.position);
      await skipPadding(input, raw.size);
      if (raw.flag === 'L') extension.path = upToNul(data).slice();
      else if (raw.flag === 'K') extension.linkPath = upToNul(data).slice();
      else if (raw.flag === 'x') extension = withPax(extension, data, offset);
      else start = undefined;
      continue;
    }

    const nameBytes = extension.sparseName ?? extension.path ?? raw.name;
    const linkBytes = extension.linkPath ?? raw.linkName;
    if (nameBytes.includes(0) || linkBytes.includes(0)) throw badHeader('a name has a NUL in it', offset);
    const name = decodeFileName(nameBytes);
    let type = types[raw.flag] ?? 'unknown';
    if (raw.flag === '\0' && name.endsWith('/')) type = 'directory';
    const hasData = type === 'file' || type === 'unknown';
    let stored = hasData ? (extension.size ?? raw.size) : 0;
    const onDisk = stored;
    let size = stored;
    let runs: readonly SparseRun[] | undefined;
    if (raw.flag === 'S') {
      ({ runs, size } = await readGnuSparseMap(block, input, offset));
    } else if (type === 'file' && extension.sparseMajor === '1') {
      const map = await readPaxSparseMap(input, stored, offset);
      runs = map.runs;
      stored -= map.mapBytes;
      size = extension.sparseSize ?? 0;
    } else if (type === 'file' && extension.sparseNumbers.length > 0) {
      runs = runsFromNumbers(extension.sparseNumbers, offset);
      size = extension.sparseSize ?? 0;
    }
    if (runs !== undefined) checkedRuns(runs, size, stored, offset);

    const dataOffset = input.position;
    const end = dataOffset + stored;
    yield {
      type,
      name,
      linkName: decodeFileName(linkBytes),
      mode: raw.mode & 0o7777,
      uid: extension.uid ?? raw.uid,
      gid: extension.gid ?? raw.gid,
      size,
      devMajor: raw.devMajor,
      devMinor: raw.devMinor,
      dataOffset,
      stored,
      sparse: runs !== undefined,
      offset: start,
      peek: (length) => input.peek(Math.min(length, end - input.position)),
      content: () => (runs === undefined ? storedBytes(input, stored) : expanded(input, runs, size)),
    };
    const left = end - input.position;
    if (left < 0) throw badHeader('more was read than the member has', offset);
    if ((await input.skip(left)) < left) throw truncated(input.position);
    await skipPadding(input, onDisk);
    extension = { sparseNumbers: [] };
    start = undefined;
  }
}

async function skipPadding(input: ByteInput, size: number): Promise<void> {
  const padding = (blockSize - (size % blockSize)) % blockSize;
  if ((await input.skip(padding)) < padding) throw truncated(input.position);
}

function withPax(extension: Extension, data: Uint8Array, offset: number): Extension {
  const next: Extension = { ...extension, sparseNumbers: [] };
  for (const [key, value] of parsePaxRecords(data, offset)) {
    const text = (): string => Buffer.from(value).toString('latin1');
    // A number below zero is legal for an owner; nothing here depends on it.
    const owner = (): number => (text().startsWith('-') ? 0 : decimal(text(), offset));
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') {
      const turn = next.sparseNumbers.length % 2 === 0 ? 'GNU.sparse.offset' : 'GNU.sparse.numbytes';
      if (key !== turn) throw badHeader('the map of a sparse file is malformed', offset);
      next.sparseNumbers.push(text());
    }
    // An empty value takes the key back: what stands in the header counts.
    if (value.length === 0) continue;
    if (key === 'path') next.path = value;
    else if (key === 'linkpath') next.linkPath = value;
    else if (key === 'size') next.size = decimal(text(), offset);
    else if (key === 'uid') next.uid = owner();
    else if (key === 'gid') next.gid = owner();
    else if (key === 'GNU.sparse.name') next.sparseName = value;
    else if (key === 'GNU.sparse.size' || key === 'GNU.sparse.realsize')
      next.sparseSize = decimal(text(), offset);
    else if (key === 'GNU.sparse.major') next.sparseMajor = text();
    else if (key === 'GNU.sparse.map') next.sparseNumbers = text().split(',');
  }
  return next;
}

async function* storedBytes(input: ByteInput, length: number): AsyncGenerator<Uint8Array> {
  let left = length;
  while (left > 0) {
    const chunk = await input.some(left);
    if (chunk.length === 0) throw truncated(input.position);
    left -= chunk.length;
    yield chunk;
  }
}

const zeros = new Uint8Array(64 * 1024);

async function* expanded(
  input: ByteInput,
  runs: readonly SparseRun[],
  size: number,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const run of [...runs, { offset: size, length: 0 }]) {
    while (at < run.offset) {
      const hole = zeros.subarray(0, Math.min(zeros.length, run.offset - at));
      at += hole.length;
      yield hole;
    }
    yield* storedBytes(input, run.length);
    at += run.length;
  }
}
