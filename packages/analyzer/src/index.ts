export type { Elf, ElfSymbol, Relocations, Section, Segment } from './elf/elf.js';
export { parseElf } from './elf/parse-elf.js';
export { libraryGraph } from './lines/library-graph.js';
export { lineFacts, lineFactsVersion } from './lines/line-facts.js';
export { analyzeForComparison, type ComparedAnalysis, linkedFiles } from './lines/link-lines.js';
export type { LinkInput } from './link/bind-symbols.js';
export { explainImage, type ExplainedImage, type ExplainImageInput } from './explain-image.js';
export type { Answer, Question } from './link/explain-program.js';
export { type LinkResult, linkProgram } from './link/link-program.js';
export { decodeDetail, decodeSummary, encodeDetail, encodeSummary } from './summary/encode-summary.js';
export { analyzerVersion, type FileDetail, type FileSummary, type Health } from './summary/file-summary.js';
export { type AnalyzeImageInput, analyzeImage, type Summarize } from './analyze-image.js';
export {
  type FoundProgram,
  type FoundPrograms,
  findPrograms,
  type LoaderEnvironment,
  type ProgramsInput,
} from './command/find-programs.js';
export type { LoaderFacts } from './elf/elf.js';
export { loaderFacts } from './elf/loader-facts.js';
export {
  type Closure,
  type ClosureInput,
  type DynamicReader,
  type LoadedObject,
  type LoaderVariables,
  loadClosure,
} from './loader/load-closure.js';
export { type LoaderConfig, readLoaderConfig } from './loader/loader-config.js';
