import { printable, type StaticEvidence, type StaticSyscall, type UnresolvedSite } from '@prof-gen/core';
import type { LinkInput } from './bind-symbols.js';
import { doorsOf } from './chain-of.js';
import { reach } from './reach.js';

export interface LinkResult {
  /** By number. */
  readonly syscalls: readonly StaticSyscall[];
  /** Reachable calls whose number is not decided. */
  readonly unresolved: readonly UnresolvedSite[];
  /** Constant names of shared objects in reachable code: what it may load later. */
  readonly lateNames: readonly { readonly object: string; readonly name: string }[];
}

/** Evidence kept for each call. */
const MAX_EVIDENCE = 4;

const hex = (address: number): string => `0x${address.toString(16)}`;

/**
 * The system calls that a program can make with the objects it is linked to, each with evidence.
 * `restart_syscall`, which the kernel makes by itself, is not among them.
 */
export function linkProgram(input: LinkInput): LinkResult {
  const { program, objects } = input;
  const found = new Map<number, { order: number; address: number; evidence: StaticEvidence }[]>();
  const unresolved = new Map<string, { order: number; address: number; site: UnresolvedSite }>();
  const late = new Map<string, { object: string; name: string }>();
  const pathOf = (object: number): string => objects[object]?.object.path ?? '';
  reach(input, {
    site({ object }, site) {
      const evidence = {
        kind: 'static' as const,
        program,
        object: pathOf(object),
        function: printable(site.function),
        site: hex(site.address),
      };
      const list = found.get(site.number);
      const entry = { order: object, address: site.address, evidence };
      if (list) list.push(entry);
      else found.set(site.number, [entry]);
    },
    undecided(reached, site) {
      const { object } = reached;
      const key = `${object} ${site.address} ${site.reason}`;
      unresolved.set(key, {
        order: object,
        address: site.address,
        site: {
          program,
          object: pathOf(object),
          function: printable(site.function),
          site: hex(site.address),
          reason: site.reason,
          chain: doorsOf(input, reached),
        },
      });
    },
    lateName({ object }, name) {
      late.set(`${object} ${name}`, { object: pathOf(object), name });
    },
  });
  const inOrder = <T extends { readonly order: number; readonly address: number }>(list: Iterable<T>): T[] =>
    [...list].sort((a, b) => a.order - b.order || a.address - b.address);
  return {
    syscalls: [...found]
      .sort((a, b) => a[0] - b[0])
      .map(([number, list]) => {
        const sites = new Map(
          inOrder(list).map(({ evidence }) => [`${evidence.object} ${evidence.site}`, evidence]),
        );
        return { number, evidence: [...sites.values()].slice(0, MAX_EVIDENCE) };
      }),
    unresolved: inOrder(unresolved.values()).map(({ site }) => site),
    lateNames: [...late.values()].sort((a, b) => compare(a.object, b.object) || compare(a.name, b.name)),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
