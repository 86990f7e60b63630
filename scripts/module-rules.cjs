// Who may import whom, and who alone uses which library (ARCHITECTURE.md, "Packages").
// Read by eslint (@nx/enforce-module-boundaries) and by dependency-cruiser, so that both say the same.

/** Package → the packages it may import. */
const mayImport = {
  core: [],
  profile: ['core'],
  image: ['core'],
  crawler: ['core', 'image'],
  analyzer: ['core'],
  tracer: ['core'],
  comparator: ['core', 'profile'],
  report: ['core'],
  store: ['core'],
  // Layers are written and images carried with the tar, the registry and the engine of image.
  corpus: ['core', 'image'],
  runner: ['core', 'profile', 'image', 'crawler', 'analyzer', 'tracer', 'comparator', 'report', 'store'],
  cli: ['core', 'store', 'corpus', 'runner'],
  testkit: ['core'],
};

/** Library → the packages that alone use it, and why it is kept in one place. */
const usedBy = {
  zod: { packages: ['core'], why: 'schemas are vocabulary' },
  fzstd: { packages: ['image'], why: 'decompression is bounded in one place' },
  dockerode: {
    packages: ['image', 'tracer'],
    why: 'image saves, tracer runs; nobody else talks to the engine',
  },
  'iced-x86': { packages: ['analyzer'], why: 'its memory layout is private and read in one place' },
  'web-tree-sitter': { packages: ['analyzer'], why: 'only the analyzer reads scripts' },
  'tree-sitter-bash': { packages: ['analyzer'], why: 'only the analyzer reads scripts' },
  'chart.js': { packages: ['report'], why: 'charts belong to the report' },
  'chartjs-node-canvas': { packages: ['report'], why: 'charts belong to the report' },
  'better-sqlite3': { packages: ['store'], why: 'one writer, one schema' },
  piscina: { packages: ['runner'], why: 'one package owns the worker threads' },
  yaml: { packages: ['runner'], why: 'files of people are read in one place' },
  commander: { packages: ['cli'], why: 'one front end' },
};

module.exports = { mayImport, usedBy };
