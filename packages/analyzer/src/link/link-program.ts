import {
  compareStrings,
  printable,
  type StaticEvidence,
  type StaticSyscall,
  type UnresolvedSite,
} from '@prof-gen/core';
import type { LinkInput } from './bind-symbols.js';
import { doorsOf } from './chain-of.js';
import { GuardState } from './guard-state.js';
import { ReachWalk, type ReachVisitor } from './reach.js';

export interface LinkResult {
  /** By number. */
  readonly syscalls: readonly StaticSyscall[];
  /** Reachable calls whose number is not decided. */
  readonly unresolved: readonly UnresolvedSite[];
  /** Constant names of shared objects in reachable code: what it may load later. */
  readonly lateNames: readonly { readonly object: string; readonly name: string }[];
  /** Names of all imported symbols that reachable code refers to, in any order. */
  readonly imported: ReadonlySet<string>;
}

/** Evidence kept for each call. */
const MAX_EVIDENCE = 4;

const hex = (address: number): string => `0x${address.toString(16)}`;

/**
 * The system calls that a program can make with the objects it is linked to, each with evidence.
 * `restart_syscall`, which the kernel makes by itself, is not among them.
 */
export function linkProgram(input: LinkInput): LinkResult {
  return programLinker()(input);
}

/**
 * `linkProgram` for one program whose objects become more: when an input has all the objects of the one before, in
 * their places and roles, and only late ones besides, what was walked is not walked again. The results are the same,
 * but for the chains of unresolved sites, which are shortest among what was there when they were found.
 */
export function programLinker(): (input: LinkInput) => LinkResult {
  let link: ProgramLink | undefined;
  return (input) => {
    if (link?.extend(input) !== true) link = new ProgramLink(input);
    return link.result();
  };
}

/** A program on its way to being linked. */
class ProgramLink {
  readonly #input: LinkInput & { readonly objects: LinkInput['objects'][number][] };
  readonly #walk: ReachWalk;
  readonly #found = new Map<number, { order: number; address: number; evidence: StaticEvidence }[]>();
  readonly #unresolved = new Map<string, { order: number; address: number; site: UnresolvedSite }>();
  readonly #late = new Map<string, { object: string; name: string }>();

  constructor(input: LinkInput) {
    this.#input = { ...input, objects: [...input.objects] };
    this.#walk = new ReachWalk(this.#input, this.#visitor(), new GuardState(this.#input));
    this.#walk.run();
  }

  /** @returns whether the input is one that this link can go on with; if not, nothing has changed */
  extend({ program, reachability, objects }: LinkInput): boolean {
    const own = this.#input;
    if (program !== own.program || reachability !== own.reachability) return false;
    const isPrefix = own.objects.every(({ object, summary, asked }, i) => {
      const other = objects[i];
      return (
        other?.summary === summary &&
        other.asked === asked &&
        other.object.path === object.path &&
        other.object.role === object.role
      );
    });
    const more = objects.slice(own.objects.length);
    if (!isPrefix || !more.every(({ object: { role } }) => role === 'late' || role === 'late-needed')) {
      return false;
    }
    own.objects.push(...more);
    this.#walk.run();
    return true;
  }

  #visitor(): ReachVisitor {
    const input = this.#input;
    const { program, objects } = input;
    const pathOf = (object: number): string => objects[object]?.object.path ?? '';
    return {
      site: ({ object }, site) => {
        const evidence = {
          kind: 'static' as const,
          program,
          object: pathOf(object),
          function: printable(site.function),
          site: hex(site.address),
          ...(site.arguments && { arguments: [...site.arguments] }),
        };
        const list = this.#found.get(site.number);
        const entry = { order: object, address: site.address, evidence };
        if (list) list.push(entry);
        else this.#found.set(site.number, [entry]);
      },
      undecided: (reached, site) => {
        const { object } = reached;
        const key = `${object} ${site.address} ${site.reason}`;
        this.#unresolved.set(key, {
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
      lateName: ({ object }, name) => {
        this.#late.set(`${object} ${name}`, { object: pathOf(object), name });
      },
    };
  }

  result(): LinkResult {
    const inOrder = <T extends { readonly order: number; readonly address: number }>(
      list: Iterable<T>,
    ): T[] => [...list].sort((a, b) => a.order - b.order || a.address - b.address);
    return {
      syscalls: [...this.#found]
        .sort((a, b) => a[0] - b[0])
        .map(([number, list]) => {
          const sites = new Map(
            inOrder(list).map(({ evidence }) => [`${evidence.object} ${evidence.site}`, evidence]),
          );
          return { number, evidence: [...sites.values()].slice(0, MAX_EVIDENCE) };
        }),
      unresolved: inOrder(this.#unresolved.values()).map(({ site }) => site),
      lateNames: [...this.#late.values()].sort(
        (a, b) => compareStrings(a.object, b.object) || compareStrings(a.name, b.name),
      ),
      imported: this.#walk.imported,
    };
  }
}
