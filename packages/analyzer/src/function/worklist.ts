/** Things still to be done, by their rank: always the first of them. */
export class Worklist {
  readonly #waits: Uint8Array;
  /** Nothing waits before it. */
  #first: number;

  constructor(ranks: number) {
    this.#waits = new Uint8Array(ranks);
    this.#first = ranks;
  }

  add(rank: number): void {
    this.#waits[rank] = 1;
    if (rank < this.#first) this.#first = rank;
  }

  /** The first rank that waits, which does so no longer; -1 when none does. */
  take(): number {
    for (; this.#first < this.#waits.length; this.#first++) {
      if (this.#waits[this.#first] === 0) continue;
      this.#waits[this.#first] = 0;
      return this.#first++;
    }
    return -1;
  }
}
