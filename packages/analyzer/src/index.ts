export type { Elf, ElfSymbol, Relocations, Section, Segment } from './elf/elf.js';
export { parseElf } from './elf/parse-elf.js';
export type { LinkInput } from './link/bind-symbols.js';
export { explainCall } from './link/explain-call.js';
export { type LinkResult, linkProgram } from './link/link-program.js';
export { decodeNames, decodeSummary, encodeNames, encodeSummary } from './summary/encode-summary.js';
export { analyzerVersion, type FileSummary, type Health, type NodeNames } from './summary/file-summary.js';
export { type Summarized, summarize, summarizeWithNames } from './summary/summarize.js';
