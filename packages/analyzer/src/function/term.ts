import { includes, type Ranges } from './ranges.js';

/** What a branch may depend on that is decided outside the function. */
export type Subject =
  /** The value that a register had at entry. */
  | { readonly kind: 'parameter'; readonly register: number }
  /** A word of memory, by a name that is unique among all files, or in the file for one of its own. */
  | { readonly kind: 'cell'; readonly cell: string };

/** `((subject + plus) & mask) | or`, unsigned. Without a mask: all 64 bits, signed, and nothing set. */
export interface Term {
  readonly subject: Subject;
  readonly plus: number;
  readonly mask: number | undefined;
  readonly or?: number;
}

/** What constraints on a term are kept under, whatever is added to it. */
export function constraintKey({ subject, mask }: Pick<Term, 'subject' | 'mask'>): string {
  const name = subject.kind === 'cell' ? subject.cell : `${subject.register}`;
  return `${subject.kind} ${name} ${mask ?? '-'}`;
}

export const LOW_HALF = 0xffff_ffff;

/** The bits of a mask of at most 32 bits. */
export function cut(value: number, mask: number): number {
  const low = ((value % 0x1_0000_0000) + 0x1_0000_0000) % 0x1_0000_0000;
  return (low & mask) >>> 0;
}

/** Whether the mask is one of the lowest bits without a gap: then addition wraps around inside it. */
export function isLowMask(mask: number): boolean {
  return ((mask + 1) & mask) >>> 0 === 0;
}

/** Terms by small numbers, so that values can hold them. One for each file. */
export class Terms {
  readonly #terms: Term[] = [];
  readonly #numbers = new Map<string, number>();

  intern(term: Term): number {
    const key = `${constraintKey(term)} ${term.plus} ${term.or ?? 0}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#terms.length;
      this.#numbers.set(key, number);
      this.#terms.push(term);
    }
    return number;
  }

  get(number: number): Term {
    const term = this.#terms[number];
    if (!term) throw new RangeError(`no term ${number}`);
    return term;
  }
}

/** Something that held on every way to an instruction. Terms of constraints have `plus` 0. */
export interface Constraint {
  readonly subject: Subject;
  readonly mask: number | undefined;
  readonly ranges: Ranges;
}

/** All of them held. Those of one parameter held of one value; those of a cell each at a time of its own. */
export type Condition = readonly Constraint[];

export function admits(
  { mask, ranges }: { readonly mask?: number | undefined; readonly ranges: Ranges },
  value: number,
): boolean {
  return includes(ranges, mask === undefined ? value : cut(value, mask));
}
