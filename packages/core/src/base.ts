// `@prof-gen/core/base`: what needs no schema. Schemas are most of the time that core takes to load, and the analyzer's
// threads need none.
export * from './error/outcome.js';
export * from './error/printable.js';
export * from './error/prof-gen-error.js';
export * from './order/compare-strings.js';
