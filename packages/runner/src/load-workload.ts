import { printable, validated, type Workload, workloadSchema } from '@prof-gen/core';
import { readYaml } from './read-yaml.js';

/**
 * An application-specific test from its file.
 * @throws ProfGenError `usage/bad-workload` and those of `readYaml`
 */
export async function loadWorkload(file: string): Promise<Workload> {
  return validated(workloadSchema, await readYaml(file), `workload ${printable(file)}`, 'usage/bad-workload');
}
