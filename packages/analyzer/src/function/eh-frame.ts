import { ProfGenError } from '@prof-gen/core/base';
import { type Elf, fileOffset, segmentType } from '../elf/elf.js';

/** Extent of a function as its unwind entry says, in addresses; `end` is exclusive. */
export interface CodeRange {
  readonly start: number;
  readonly end: number;
  /** Has a language-specific data area: control may enter at landing pads that no branch leads to. */
  readonly landingPads: boolean;
}

const DW_EH_PE_OMIT = 0xff;

interface Cursor {
  at: number;
}

/** Something in one entry that no compiler writes. */
class Malformed extends Error {}

/**
 * The ranges of all unwind entries (FDEs), sorted by address, each address once.
 * Found through PT_GNU_EH_FRAME or the `.eh_frame` section; Linux Standard Base core specification, 10.6.
 * Damaged entries are left out: code without an entry is found by other ways.
 */
export function unwindRanges(elf: Elf): CodeRange[] {
  const section = sectionRange(elf);
  if (!section) return [];
  const { bytes } = elf.view;
  const view = elf.view;
  const ranges = new Map<number, CodeRange>();
  const encodings = new Map<
    number,
    { pointer: number; landingPads: boolean; augmented: boolean; signal: boolean } | undefined
  >();

  const uleb = (cursor: Cursor): number => {
    let value = 0;
    for (let shift = 0; shift < 63; shift += 7) {
      const byte = bytes[cursor.at++];
      if (byte === undefined) throw new Malformed();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Malformed();
  };
  const pointer = (cursor: Cursor, encoding: number): number => {
    const at = cursor.at;
    const address = section.address + (at - section.offset);
    let value: number;
    switch (encoding & 0x0f) {
      case 0x00:
      case 0x04:
      case 0x0c:
        value = view.i64(at);
        cursor.at += 8;
        break;
      case 0x03:
        value = view.u32(at);
        cursor.at += 4;
        break;
      case 0x0b:
        value = view.i32(at);
        cursor.at += 4;
        break;
      case 0x02:
        value = view.u16(at);
        cursor.at += 2;
        break;
      default:
        throw new Malformed();
    }
    return (encoding & 0x70) === 0x10 ? value + address : value;
  };
  const readCie = (
    at: number,
  ): { pointer: number; landingPads: boolean; augmented: boolean; signal: boolean } | undefined => {
    const cursor = { at: at + 8 };
    const version = view.u8(cursor.at++);
    if (version !== 1 && version !== 3) return undefined;
    const augmentation = view.string(cursor.at, 16);
    cursor.at += augmentation.length + 1;
    uleb(cursor);
    uleb(cursor);
    if (version === 1) cursor.at++;
    else uleb(cursor);
    const result = {
      pointer: 0,
      landingPads: false,
      augmented: augmentation.startsWith('z'),
      signal: augmentation.includes('S'),
    };
    if (!result.augmented) return result;
    uleb(cursor);
    for (const letter of augmentation.slice(1)) {
      if (letter === 'R') result.pointer = view.u8(cursor.at++);
      else if (letter === 'P') pointer(cursor, view.u8(cursor.at++));
      else if (letter === 'L') result.landingPads = view.u8(cursor.at++) !== DW_EH_PE_OMIT;
    }
    return result;
  };

  let at = section.offset;
  while (at + 8 <= section.end) {
    const length = view.u32(at);
    // A zero length ends the section of one input; crtend's terminator may be in the middle.
    if (length === 0) {
      at += 4;
      continue;
    }
    const next = at + 4 + length;
    if (length >= 0xfffffff0 || next > section.end) break;
    const id = view.u32(at + 4);
    if (id !== 0) {
      const cieAt = at + 4 - id;
      try {
        if (!encodings.has(cieAt)) {
          encodings.set(cieAt, cieAt >= section.offset && cieAt < at ? readCie(cieAt) : undefined);
        }
        const cie = encodings.get(cieAt);
        if (cie) {
          const cursor = { at: at + 8 };
          const described = pointer(cursor, cie.pointer);
          // glibc lets the entry of a signal frame start a byte early, so that unwinders that look up the
          // address before the return address find it (sysdeps/unix/sysv/linux/x86_64/libc_sigaction.c).
          const start = cie.signal ? described + 1 : described;
          const size = pointer(cursor, cie.pointer & 0x0f) - (start - described);
          const augmentationLength = cie.augmented ? uleb(cursor) : 0;
          const known = ranges.get(start);
          if (size > 0 && (!known || known.end < start + size)) {
            const landingPads = (known?.landingPads ?? false) || (cie.landingPads && augmentationLength > 0);
            ranges.set(start, { start, end: start + size, landingPads });
          }
        }
      } catch (error) {
        if (!(error instanceof Malformed || error instanceof ProfGenError)) throw error;
        encodings.set(cieAt, undefined);
      }
    }
    at = next;
  }
  return [...ranges.values()].sort((a, b) => a.start - b.start);
}

interface Located {
  readonly offset: number;
  readonly end: number;
  readonly address: number;
}

function sectionRange(elf: Elf): Located | undefined {
  const section = elf.sections.find((s) => s.name === '.eh_frame' && s.type !== 8 && s.size > 0);
  if (section && fileOffset(elf, section.address, section.size) === section.offset) {
    return { offset: section.offset, end: section.offset + section.size, address: section.address };
  }
  const header = elf.segments.find((segment) => segment.type === segmentType.ehFrame);
  if (!header || header.fileSize < 8) return undefined;
  const headerAt = fileOffset(elf, header.address, 8);
  // eh_frame_ptr is pc-relative, signed, 4 bytes in every linker's output.
  if (headerAt < 0 || elf.view.u8(headerAt + 1) !== 0x1b) return undefined;
  const address = header.address + 4 + elf.view.i32(headerAt + 4);
  const offset = fileOffset(elf, address, 4);
  if (offset < 0) return undefined;
  const segment = elf.segments.find(
    (s) => s.type === segmentType.load && address >= s.address && address < s.address + s.fileSize,
  );
  // Without section headers its size is unknown: entries are read until one does not fit.
  return segment ? { offset, address, end: segment.offset + segment.fileSize } : undefined;
}
