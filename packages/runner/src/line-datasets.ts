import { readFile } from 'node:fs/promises';
import {
  type ConfineHandMade,
  type ConfinePublished,
  confineHandMadeSchema,
  confinePublishedSchema,
  type CveDataset,
  cveDatasetSchema,
  type SyscallFacts,
  syscallFactsSchema,
  validated,
} from '@prof-gen/core';

/** The workspace's datasets that profiles are compared and measured by. */
export interface LineDatasets {
  readonly cves: CveDataset;
  readonly confine: ConfinePublished;
  readonly handMade: ConfineHandMade;
  readonly syscalls: SyscallFacts;
}

/** @throws ProfGenError `internal/bad-dataset` */
export async function loadLineDatasets(): Promise<LineDatasets> {
  const read = async <S extends Parameters<typeof validated>[0]>(schema: S, path: string) => {
    const text = await readFile(new URL(`../../../datasets/${path}`, import.meta.url), 'utf8');
    return validated(schema, JSON.parse(text) as unknown, `datasets/${path}`, 'internal/bad-dataset');
  };
  const [cves, confine, handMade, syscalls] = await Promise.all([
    read(cveDatasetSchema, 'cve/cves.json'),
    read(confinePublishedSchema, 'confine-published/published.json'),
    read(confineHandMadeSchema, 'confine-published/hand-made.json'),
    read(syscallFactsSchema, 'syscalls/syscalls.json'),
  ]);
  return { cves, confine, handMade, syscalls };
}
