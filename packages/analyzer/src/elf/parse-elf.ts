import { ProfGenError } from '@prof-gen/core/base';
import { ByteView } from './byte-view.js';
import { dynamicOf, dynamicTag } from './dynamic.js';
import { type Elf, type Section, segmentType } from './elf.js';
import { loaderFactsOf } from './loader-facts.js';
import { readRelocations } from './relocations.js';
import { readSegments } from './segments.js';
import { readDynamicSymbols, readStaticSymbols } from './symbols.js';

const EM_X86_64 = 62;
const ET_EXEC = 2;
const ET_DYN = 3;

const MAX_SECTIONS = 65_536;

/** Section headers are hints: what is wrong in them is left out, not an error. */
function readSections(view: ByteView): Section[] {
  const start = view.u64(40);
  const entrySize = view.u16(58);
  const count = view.u16(60);
  const nameTable = view.u16(62);
  if (start === 0 || count === 0 || entrySize !== 64 || count > MAX_SECTIONS) return [];
  if (!(start + count * 64 <= view.length) || nameTable >= count) return [];
  const names = view.u64(start + nameTable * 64 + 24);
  const sections: Section[] = [];
  for (let at = start; at < start + count * 64; at += 64) {
    const type = view.u32(at + 4);
    const offset = view.u64(at + 24);
    const size = view.u64(at + 32);
    const nameAt = names + view.u32(at);
    const address = view.u64(at + 16);
    const inFile = (type === 8 || offset + size <= view.length) && address + size <= 2 ** 47;
    const nameEnd = nameAt < view.length ? view.bytes.indexOf(0, nameAt) : -1;
    const readable = nameEnd >= 0 && nameEnd - nameAt < 256;
    sections.push({
      name: readable ? view.string(nameAt, 256) : '',
      // An entry that lies outside the file keeps its place (indexes count) and says nothing.
      type: inFile ? type : 0,
      flags: view.u64(at + 8),
      address,
      offset: inFile ? offset : 0,
      size: inFile ? size : 0,
    });
  }
  return sections;
}

/**
 * Reads an x86-64 ELF file by its program headers; section headers are only hints.
 * Every count and offset is checked against the file before it is used.
 * @throws ProfGenError `elf/not-elf`, `elf/truncated`, `elf/unsupported-machine`, `elf/unsupported-type`,
 * `elf/bad-header`, `elf/bad-string`, `elf/too-complex`; `details` has the file offset
 */
export function parseElf(bytes: Uint8Array): Elf {
  const view = new ByteView(bytes);
  if (bytes.length < 4 || view.u32(0) !== 0x464c457f) {
    throw new ProfGenError('elf/not-elf', 'The file does not start with the ELF magic number', {
      hint: 'Only ELF programs and shared objects can be analysed.',
      details: { offset: 0 },
    });
  }
  view.need(0, 20, 'The ELF header');
  const machine = view.u16(18);
  if (view.u8(4) !== 2 || view.u8(5) !== 1 || machine !== EM_X86_64) {
    throw new ProfGenError('elf/unsupported-machine', `The file is not for 64-bit x86 (machine ${machine})`, {
      hint: 'Only x86-64 files can be analysed; choose the linux/amd64 platform of the image.',
      details: { offset: 18, machine, class: view.u8(4) },
    });
  }
  view.need(0, 64, 'The ELF header');
  const type = view.u16(16);
  if (type !== ET_EXEC && type !== ET_DYN) {
    throw new ProfGenError(
      'elf/unsupported-type',
      `ELF type ${type} is neither a program nor a shared object`,
      {
        hint: 'Object files and core dumps are never loaded, so there is nothing to analyse.',
        details: { offset: 16, type },
      },
    );
  }
  const segments = readSegments(view);
  const sections = readSections(view);
  const tls = segments.find((segment) => segment.type === segmentType.tls);
  const dynamic = dynamicOf(view, segments);
  const facts = loaderFactsOf(view, segments, dynamic);
  const { interpreter } = facts;
  const relocations = readRelocations(view, segments, sections, dynamic);
  const globalOffsetTable =
    dynamic.values.get(dynamicTag.pltGot) ??
    ['.got.plt', '.got'].flatMap((name) => sections.find((s) => s.name === name)?.address ?? [])[0];
  const symbols = readDynamicSymbols(view, segments, sections, dynamic, relocations);
  return {
    view,
    machine: 'x86-64',
    class: 64,
    type: type === ET_EXEC ? 'executable' : 'shared',
    positionIndependent: type === ET_DYN,
    pie: type === ET_DYN && (dynamic.flags.pie || interpreter !== undefined),
    static: interpreter === undefined && dynamic.needed.length === 0,
    entry: view.u64(24),
    segments,
    sections,
    ...facts,
    symbols,
    staticSymbols: readStaticSymbols(view, sections),
    relocations,
    init: dynamic.init,
    initArrays: dynamic.initArrays,
    ...(tls ? { tls } : {}),
    ...(globalOffsetTable === undefined ? {} : { globalOffsetTable }),
  };
}
