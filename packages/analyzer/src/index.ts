export type { Elf, ElfSymbol, Relocations, Section, Segment } from './elf/elf.js';
export { parseElf } from './elf/parse-elf.js';
