export { type BuildCorpusOptions, type BuildSummary, buildCorpus } from './build-corpus.js';
export type { BuiltImage } from './build-image.js';
export { type CorpusEntry, listCorpus } from './list-corpus.js';
export { type LoadCorpusOptions, loadCorpus } from './load-corpus.js';
export { type PushCorpusOptions, pushCorpus } from './push-corpus.js';
