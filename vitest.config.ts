import { defineConfig } from 'vitest/config';

const shared = {
  resolve: { conditions: ['@prof-gen/source'] },
  ssr: { resolve: { conditions: ['@prof-gen/source', 'node', 'module', 'default'] } },
};

export default defineConfig({
  test: {
    reporters: ['default', './scripts/vitest/closing-line-reporter.ts'],
    // A test that prints fails: see scripts/vitest/no-print.ts.
    setupFiles: ['./scripts/vitest/no-print.ts'],
    projects: [
      {
        ...shared,
        extends: true,
        test: { name: 'unit', include: ['packages/*/src/**/*.test.ts'], testTimeout: 30_000 },
      },
      {
        ...shared,
        extends: true,
        // Of the workspace itself: format, types, module rules.
        test: {
          name: 'checks',
          include: ['scripts/**/*.test.ts'],
          globalSetup: ['./scripts/vitest/project-graph.ts'],
          testTimeout: 300_000,
        },
      },
      {
        ...shared,
        extends: true,
        // With a real engine, registry, browser or compiler. One file at a time: they share the engine.
        test: {
          name: 'e2e',
          include: ['packages/*/e2e/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
