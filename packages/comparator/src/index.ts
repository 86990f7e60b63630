export { type ClaimCommands, type ClaimsInput, claimsOf } from './claims/claims-of.js';
export { type CompareRunInput, compareRun } from './compare/compare-run.js';
export { languageOf } from './compare/language-of.js';
export { cLibraryOf } from './confine/c-library-files.js';
export { confineFiles } from './confine/confine-files.js';
export {
  type ConfineFile,
  type ConfineInput,
  type ConfineProfile,
  type ConfineSteps,
  confineMethod,
} from './confine/confine-method.js';
export * from './measure-profile.js';
