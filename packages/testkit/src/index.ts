export { type MemoryFile, memoryTree } from './memory-tree.js';
