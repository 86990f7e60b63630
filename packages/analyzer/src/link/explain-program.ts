import { type Chain, type KnownArgument, printable } from '@prof-gen/core';
import type { FileDetail } from '../summary/file-summary.js';
import type { LinkInput } from './bind-symbols.js';
import { chainOf } from './chain-of.js';
import { type Reached, reachShortest } from './reach.js';

/** Gives the detail of a file by its content hash (hexadecimal), or undefined where there is none. */
export type ReadDetail = (sha256: string, path: string) => Promise<FileDetail | undefined>;

/** What is asked of a program. */
export interface Question {
  /** Numbers of system calls, or all that it can make. */
  readonly syscalls: 'all' | ReadonlySet<number>;
  /** Ask for reachable sites whose number is not decided as well. */
  readonly unresolved: boolean;
  /** Sites explained for each call, the nearest first. */
  readonly chains: number;
  /** Only sites in objects with these paths count; absent: all. */
  readonly isWantedObject?: (path: string) => boolean;
}

export interface Answer {
  /** By number, ascending; calls that the program cannot make are not there. */
  readonly syscalls: ReadonlyMap<number, readonly Chain[]>;
  readonly unresolved: readonly (Chain & { readonly reason: string })[];
}

interface Found {
  readonly reached: Reached;
  readonly address: number;
  readonly function: string;
  readonly reason: string;
  readonly arguments?: readonly KnownArgument[];
}

/**
 * Shortest ways from a program's beginnings to instructions that make a call, one for each instruction.
 *
 * Summaries join functions that call each other in a circle, so a way through them is no longer than the real
 * one. The details of the files on the ways found take the places of their summaries until all ways run through
 * details alone: then each is real, and no other is shorter. Few files are ever read in detail.
 */
export async function explainProgram(
  input: LinkInput,
  question: Question,
  readDetail: ReadDetail,
): Promise<Answer> {
  const details = new Map<number, FileDetail>();
  const without = new Set<number>();
  for (;;) {
    const refined = {
      ...input,
      objects: input.objects.map((object, i) => {
        const detail = details.get(i);
        return detail === undefined ? object : { ...object, summary: detail.graph };
      }),
    };
    const found = search(refined, question);
    const wanted = new Set<number>();
    for (const { reached } of [...found.syscalls.values(), found.unresolved].flat()) {
      for (let step: Reached | undefined = reached; step; step = step.from) {
        if (!details.has(step.object) && !without.has(step.object)) wanted.add(step.object);
      }
    }
    if (wanted.size === 0) return answerOf(refined, found, details);
    for (const position of wanted) {
      const object = input.objects[position]?.object;
      const detail = object && (await readDetail(object.sha256, object.path));
      if (detail === undefined) without.add(position);
      else details.set(position, detail);
    }
  }
}

interface Search {
  readonly syscalls: Map<number, Found[]>;
  readonly unresolved: Found[];
}

function search(input: LinkInput, { syscalls, unresolved, chains, isWantedObject }: Question): Search {
  const found: Search = { syscalls: new Map(), unresolved: [] };
  const isWanted = (reached: Reached): boolean =>
    isWantedObject?.(input.objects[reached.object]?.object.path ?? '') ?? true;
  reachShortest(input, {
    site(reached, site) {
      if ((syscalls !== 'all' && !syscalls.has(site.number)) || !isWanted(reached)) return;
      const ways = found.syscalls.get(site.number) ?? [];
      if (ways.length === chains || ways.some((way) => isSame(way, reached, site.address))) return;
      const { address, arguments: known } = site;
      ways.push({
        reached,
        address,
        function: site.function,
        reason: '',
        ...(known && { arguments: known }),
      });
      found.syscalls.set(site.number, ways);
    },
    undecided(reached, site) {
      if (!unresolved || !isWanted(reached)) return;
      const { address, reason } = site;
      if (found.unresolved.some((way) => isSame(way, reached, address) && way.reason === reason)) return;
      found.unresolved.push({ reached, address, function: site.function, reason });
    },
    lateName() {},
  });
  return found;
}

function isSame(way: Found, reached: Reached, address: number): boolean {
  return way.address === address && way.reached.object === reached.object;
}

function answerOf(input: LinkInput, found: Search, details: ReadonlyMap<number, FileDetail>): Answer {
  const chain = (way: Found): Chain => ({
    steps: chainOf(input, way.reached, details),
    site: {
      object: input.objects[way.reached.object]?.object.path ?? '',
      function: printable(way.function),
      address: `0x${way.address.toString(16)}`,
      ...(way.arguments && { arguments: [...way.arguments] }),
    },
  });
  return {
    syscalls: new Map(
      [...found.syscalls].sort((a, b) => a[0] - b[0]).map(([number, ways]) => [number, ways.map(chain)]),
    ),
    unresolved: found.unresolved.map((way) => ({ ...chain(way), reason: way.reason })),
  };
}
