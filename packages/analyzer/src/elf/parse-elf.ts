import { ProfGenError } from '@prof-gen/core/base';
import { ByteView } from './byte-view.js';
import { dynamicOf, dynamicTag } from './dynamic.js';
import { type Elf, type ElfSymbol, segmentType } from './elf.js';
import { loaderFactsOf } from './loader-facts.js';
import { readRelocations } from './relocations.js';
import { readSections, sectionsOf } from './sections.js';
import { readSegments } from './segments.js';
import { readDynamicSymbols, readStaticSymbols } from './symbols.js';

const EM_X86_64 = 62;
const ET_EXEC = 2;
const ET_DYN = 3;

/**
 * Reads an x86-64 ELF file by its program headers; section headers are only hints.
 * Every count and offset is checked against the file before it is used.
 * @param debugData what `debugDataOf` gives: its symbols count where the file has no `.symtab` of its own
 * @throws ProfGenError `elf/not-elf`, `elf/truncated`, `elf/unsupported-machine`, `elf/unsupported-type`,
 * `elf/bad-header`, `elf/bad-string`, `elf/too-complex`; `details` has the file offset
 */
export function parseElf(bytes: Uint8Array, debugData?: Uint8Array): Elf {
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
  const own = readStaticSymbols(view, sections);
  const staticSymbols = own.length > 0 || debugData === undefined ? own : symbolsIn(debugData);
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
    staticSymbols,
    relocations,
    init: dynamic.init,
    initArrays: dynamic.initArrays,
    ...(tls ? { tls } : {}),
    ...(globalOffsetTable === undefined ? {} : { globalOffsetTable }),
  };
}

/** Symbols of the debug data; none where it is damaged, since they are hints. */
function symbolsIn(debugData: Uint8Array): ElfSymbol[] {
  try {
    return readStaticSymbols(new ByteView(debugData), sectionsOf(debugData));
  } catch (error) {
    if (error instanceof ProfGenError) return [];
    throw error;
  }
}
