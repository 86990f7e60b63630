import { ByteView } from './byte-view.js';
import type { Section } from './elf.js';

const MAX_SECTIONS = 65_536;

/** Section headers are hints: what is wrong in them is left out, not an error. */
export function readSections(view: ByteView): Section[] {
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

/** Sections of bytes that may be no ELF file of 64 bits: none then. */
export function sectionsOf(bytes: Uint8Array): Section[] {
  const view = new ByteView(bytes);
  const isElf = bytes.length >= 64 && view.u32(0) === 0x464c457f && view.u8(4) === 2 && view.u8(5) === 1;
  return isElf ? readSections(view) : [];
}
