export { type MemoryFile, memoryTree } from './memory-tree.js';
export { type FixtureOptions, profileDocumentFixture } from './profile-document-fixture.js';
