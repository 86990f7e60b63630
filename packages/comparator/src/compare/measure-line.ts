import {
  type ConfinePublished,
  type CveDataset,
  type ImageComparison,
  type LineMeasures,
  type SeenCall,
  type SyscallFacts,
  x86_64Syscalls,
} from '@prof-gen/core';
import { neutralised, reductionOf } from '../measure-profile.js';

export interface LineFactsInput {
  /** Calls that Docker's default profile allows to the container. */
  readonly dockerDefault: ReadonlySet<string>;
  readonly cves: CveDataset;
  readonly confine: ConfinePublished;
  readonly syscalls: SyscallFacts;
}

/** One line's figures for one image. A call that is allowed for some arguments counts as allowed everywhere. */
export function measureLine(
  { line, allowed: names, conditional }: ImageComparison['lines'][number],
  { observed, proof }: Pick<ImageComparison, 'observed' | 'proof'>,
  { dockerDefault, cves, confine, syscalls }: LineFactsInput,
): LineMeasures {
  const allowed = new Set(names);
  const table = x86_64Syscalls.names;
  const misses = (calls: readonly SeenCall[]): SeenCall[] => calls.filter(({ name }) => !allowed.has(name));
  return {
    line,
    allowed: {
      confine: reductionOf(
        confine.universe,
        confine.universe - confine.decided.filter((name) => !allowed.has(name)).length,
      ),
      table: reductionOf(table.length, table.filter((name) => allowed.has(name)).length),
      docker: reductionOf(
        table.length,
        table.filter((name) => allowed.has(name) && dockerDefault.has(name)).length,
      ),
    },
    cves: neutralised(cves, allowed),
    dangerous: syscalls.dangerous.map(({ name }) => name).filter((name) => allowed.has(name)),
    conditional: [...conditional],
    ...(observed === undefined ? {} : { missesTrace: misses(observed) }),
    ...(proof === undefined
      ? {}
      : {
          // A call that our own profile denied for its arguments is a miss of it, whatever the name says.
          missesProof:
            line === 'prof-gen'
              ? [...misses(proof.seen), ...proof.denied]
              : misses([...proof.seen, ...proof.denied]),
        }),
  };
}
