import { CodeDecoder } from '../decode/decoder.js';
import { type Elf, relocationType, segmentType } from '../elf/elf.js';

const SHF_EXECINSTR = 4;
const SHT_PROGBITS = 1;

/**
 * The code of a file, each part with a decoder. Free it when done.
 * Executable sections where there are headers (old linkers put constants into the executable segment, and
 * constants must not be read as code), else whole executable segments. Headers that call code data are not
 * believed: where control is known to go must be code.
 */
export class CodeMap {
  readonly segments: readonly CodeDecoder[];

  constructor(elf: Elf) {
    const executable = elf.segments.filter(
      (segment) => segment.type === segmentType.load && (segment.flags & 1) !== 0 && segment.fileSize > 0,
    );
    const sections = elf.sections.filter(
      (section) =>
        section.type === SHT_PROGBITS &&
        (section.flags & SHF_EXECINSTR) !== 0 &&
        section.size > 0 &&
        executable.some(
          (segment) =>
            section.address >= segment.address &&
            section.address + section.size <= segment.address + segment.fileSize &&
            section.offset - segment.offset === section.address - segment.address,
        ),
    );
    const covered = (address: number): boolean =>
      sections.some((section) => address >= section.address && address < section.address + section.size) ||
      !executable.some((s) => address >= s.address && address < s.address + s.fileSize);
    const parts = sections.length > 0 && knownCode(elf).every(covered) ? sections : executable;
    const sorted = [...parts].sort((a, b) => a.address - b.address);
    const decoders: CodeDecoder[] = [];
    for (const part of sorted) {
      const size = 'size' in part ? part.size : part.fileSize;
      // Sections of a forged file may overlap; each byte is code of one part only.
      if (part.address < (decoders.at(-1)?.end ?? 0)) continue;
      decoders.push(new CodeDecoder(elf.view.bytes.subarray(part.offset, part.offset + size), part.address));
    }
    this.segments = decoders;
  }

  /** The part with the address. */
  at(address: number): CodeDecoder | undefined {
    for (const segment of this.segments) {
      if (address >= segment.start && address < segment.end) return segment;
    }
    return undefined;
  }

  free(): void {
    for (const segment of this.segments) segment.free();
  }
}

/** Addresses that the kernel and the loader give control to. */
function knownCode(elf: Elf): number[] {
  const addresses = [...elf.init];
  // 0 says "no entry point" (gABI) in a shared object, whose header may lie in the segment of its code.
  if (elf.entry !== 0 || elf.type === 'executable' || elf.pie) addresses.push(elf.entry);
  for (const symbol of elf.symbols) {
    if (symbol.defined && (symbol.kind === 'function' || symbol.kind === 'ifunc'))
      addresses.push(symbol.address);
  }
  const { relocations } = elf;
  for (let i = 0; i < relocations.count; i++) {
    if (relocations.type[i] === relocationType.irelative) addresses.push(relocations.addend[i] ?? 0);
  }
  return addresses;
}
