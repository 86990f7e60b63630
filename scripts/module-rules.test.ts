import { createRequire } from 'node:module';
import { join } from 'node:path';
import { cruise, type IConfiguration, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser';
import { ESLint } from 'eslint';
import { describe, expect, it } from 'vitest';

const workspace = join(import.meta.dirname, '..');
const require = createRequire(import.meta.url);

async function violations(baseDir: string, folder: string): Promise<string[]> {
  const config = require('../.dependency-cruiser.cjs') as IConfiguration;
  const options: ICruiseOptions = { ...config.options, baseDir, validate: true, ruleSet: config };
  const { output } = await cruise([folder], options, config.options?.enhancedResolveOptions);
  return (output as ICruiseResult).summary.violations
    .filter((found) => found.rule.severity === 'error')
    .map((found) => `${found.rule.name}: ${found.from}`)
    .sort();
}

describe('the module rules catch a deliberate violation', () => {
  it('dependency-cruiser: an engine imported by core, zod outside of core, files read by a pure package', async () => {
    expect(await violations(join(workspace, 'scripts/fixtures/module-rules'), 'packages')).toEqual([
      'core-imports: packages/core/src/imports-engine.ts',
      'core-is-pure: packages/profile/src/reads-files.ts',
      'only-core-uses-zod: packages/report/src/uses-zod.ts',
    ]);
  });

  it('@nx/enforce-module-boundaries: an engine imported by another engine', async () => {
    // With CI=true typescript-eslint takes one run for granted and reads the file from disk, not the text given here.
    const overrideConfig = {
      languageOptions: { parserOptions: { disallowAutomaticSingleRunInference: true } },
    };
    const eslint = new ESLint({ cwd: workspace, overrideConfig });
    const filePath = join(workspace, 'packages/report/src/index.ts');
    const [result] = await eslint.lintText("export * from '@prof-gen/image';\n", { filePath });
    expect(result?.messages.map((message) => message.ruleId)).toContain('@nx/enforce-module-boundaries');
  });
});
