import { decodeAtom, type Atom } from './value.js';
import type { Memory } from './interpret.js';
import { LOW_HALF, type Term, Terms } from './term.js';

/** Memory that a number was loaded from, as far as it can be followed. */
export type NumberPlace =
  /** A static word, by its address. */
  | { readonly kind: 'word'; readonly address: number }
  /** A word of the object that a register points to when the function is entered. */
  | { readonly kind: 'record'; readonly register: number; readonly offset: number }
  /** A word of the object that a static pointer leads to. */
  | { readonly kind: 'pointed'; readonly word: number; readonly offset: number };

/** Paths that numbers of one file are loaded by; beyond, loads are unknown. */
const MAX_PLACES = 1 << 16;

/** Gives each load of a function a name that tells where it was from, and the place for the name. */
export class NumberMemory implements Memory {
  readonly terms = new Terms();
  readonly keepsParameters = false;
  readonly #places = new Map<string, NumberPlace>();

  cellAt(address: number): string | undefined {
    return this.#name(`word ${address}`, { kind: 'word', address });
  }

  recordAt(base: Atom, displacement: number): string | undefined {
    if (base.kind === 'register' && base.part === 'whole') {
      const { register } = base;
      const offset = base.plus + displacement;
      return this.#name(`record ${register} ${offset}`, { kind: 'record', register, offset });
    }
    if (base.kind !== 'term') return undefined;
    const pointer = this.placeOf(this.terms.get(base.term), 8);
    if (pointer?.kind !== 'word') return undefined;
    const { address: word } = pointer;
    return this.#name(`pointed ${word} ${displacement}`, { kind: 'pointed', word, offset: displacement });
  }

  /** Where the value of a term was loaded from, when it is that and nothing was done to its low `width` bytes. */
  placeOf({ subject, plus, mask }: Term, width: 4 | 8): NumberPlace | undefined {
    const isWhole = mask === undefined || (width === 4 && mask === LOW_HALF);
    return subject.kind === 'cell' && plus === 0 && isWhole ? this.#places.get(subject.cell) : undefined;
  }

  /** Where one atom of a value was loaded from. */
  placeOfAtom(number: number, width: 4 | 8): NumberPlace | undefined {
    const atom = decodeAtom(number);
    return atom.kind === 'term' ? this.placeOf(this.terms.get(atom.term), width) : undefined;
  }

  threadCellAt(): undefined {
    return undefined;
  }

  threadSlot(): undefined {
    return undefined;
  }

  fieldAt(): undefined {
    return undefined;
  }

  tableEntry(): undefined {
    return undefined;
  }

  #name(name: string, place: NumberPlace): string | undefined {
    if (!this.#places.has(name)) {
      if (this.#places.size >= MAX_PLACES) return undefined;
      this.#places.set(name, place);
    }
    return name;
  }
}
