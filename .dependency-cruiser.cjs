const { mayImport, usedBy } = require('./scripts/module-rules.cjs');

const packages = Object.keys(mayImport);
// Anchored to a folder, not to the workspace: the test of the rules cruises a tree elsewhere.
const source = (name) => `(^|/)packages/${name}/src/`;
const tests = '\\.test\\.ts$';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...packages.map((name) => ({
      name: `${name}-imports`,
      comment: `${name} may import ${mayImport[name].join(', ') || 'no other package'}`,
      severity: 'error',
      from: { path: source(name), pathNot: tests },
      to: {
        path: '(^|/)packages/[^/]+/(src|dist)/|^@prof-gen/',
        pathNot: [name, ...mayImport[name]].flatMap((other) => [
          `(^|/)packages/${other}/(src|dist)/`,
          `^@prof-gen/${other}(/|$)`,
        ]),
      },
    })),
    ...Object.entries(usedBy).map(([library, { packages: users, why }]) => ({
      name: `only-${users.join('-')}-uses-${library}`,
      comment: why,
      severity: 'error',
      from: { path: '(^|/)packages/[^/]+/src/', pathNot: [tests, ...users.map(source)] },
      to: { path: `(^|/)node_modules/${library}/|^${library}$` },
    })),
    {
      name: 'no-cycles',
      comment: 'a cycle hides which of two files is the more basic one',
      severity: 'error',
      from: {},
      to: { circular: true, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'tests-are-leaves',
      comment: 'what a test needs from another test belongs to testkit',
      severity: 'error',
      from: {},
      to: { path: tests },
    },
    {
      name: 'core-is-pure',
      comment: 'core is vocabulary: no files, no processes, no network',
      severity: 'error',
      from: { path: ['core', 'profile', 'comparator'].map(source), pathNot: tests },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'resolvable',
      comment: 'an import that leads nowhere',
      severity: 'error',
      from: { pathNot: tests },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@prof-gen/source', 'import', 'require', 'node', 'default', 'types'],
    },
  },
};
