import { createRequire } from 'node:module';
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

const { mayImport } = createRequire(import.meta.url)('./scripts/module-rules.cjs');

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      '.cache/**',
      '.nx/**',
      'results/**',
      'reports/**',
      'vendor/**',
      'scripts/fixtures/**',
    ],
  },
  {
    files: ['packages/*/src/**/*.ts', 'packages/*/e2e/**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    plugins: { '@nx': nx },
    languageOptions: {
      parserOptions: { project: ['packages/*/tsconfig.lib.json', 'packages/*/tsconfig.spec.json'] },
    },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: false,
          depConstraints: Object.entries(mayImport).map(([name, others]) => ({
            sourceTag: `package:${name}`,
            // testkit for tests only: dependency-cruiser tells tests from the rest.
            onlyDependOnLibsWithTags: [name, ...others, 'testkit'].map((other) => `package:${other}`),
          })),
        },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-console': 'error',
    },
  },
  {
    files: ['packages/*/src/**/*.test.ts', 'packages/*/e2e/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
);
