import { type ChainStep, printable } from '@prof-gen/core';
import type { LinkInput } from './bind-symbols.js';
import { type Reached, reach } from './reach.js';

/** Chains shown for one call. */
const MAX_CHAINS = 3;

/**
 * Shortest ways from the program's beginnings to instructions that make the call, the shortest first;
 * empty when none is reachable. A step stands for functions that call each other in a circle by the first
 * of them. Steps are named from `names` where the input has it.
 */
export function explainCall(input: LinkInput, syscall: number): ChainStep[][] {
  const chains: ChainStep[][] = [];
  reach(input, {
    site(reached, site) {
      if (site.number === syscall && chains.length < MAX_CHAINS)
        chains.push(chainOf(input, reached, site.function));
    },
    undecided() {},
    lateName() {},
  });
  return chains;
}

function chainOf(input: LinkInput, reached: Reached, last: string): ChainStep[] {
  const steps: ChainStep[] = [];
  for (let step: Reached | undefined = reached; step; step = step.from) {
    const linked = input.objects[step.object];
    const name = step === reached ? last : nameOf(linked, step.node);
    steps.push({ object: linked?.object.path ?? '', function: printable(name), via: step.via });
  }
  return steps.reverse();
}

function nameOf(linked: LinkInput['objects'][number] | undefined, node: number): string {
  const known = linked?.names?.names[node];
  if (known) return known;
  return linked?.summary.exports.find((symbol) => symbol.node === node)?.name ?? `node ${node}`;
}
