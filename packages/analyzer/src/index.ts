export type { Elf, ElfSymbol, Relocations, Section, Segment } from './elf/elf.js';
export { parseElf } from './elf/parse-elf.js';
export type { LinkInput } from './link/bind-symbols.js';
export { explainCall } from './link/explain-call.js';
export { type LinkResult, linkProgram } from './link/link-program.js';
export { decodeNames, decodeSummary, encodeNames, encodeSummary } from './summary/encode-summary.js';
export { analyzerVersion, type FileSummary, type Health, type NodeNames } from './summary/file-summary.js';
export { type Summarized, summarize, summarizeWithNames } from './summary/summarize.js';
export { type AnalyzeImageInput, analyzeImage, type Summarize } from './analyze-image.js';
export {
  type FoundProgram,
  type FoundPrograms,
  findPrograms,
  type LoaderEnvironment,
  type ProgramsInput,
} from './command/find-programs.js';
export { type DynamicInfo, dynamicInfo } from './loader/dynamic-info.js';
export {
  type Closure,
  type ClosureInput,
  type DynamicReader,
  type LoadedObject,
  type LoaderVariables,
  loadClosure,
} from './loader/load-closure.js';
export { type LoaderConfig, readLoaderConfig } from './loader/loader-config.js';
