import { Bpftrace } from './bpftrace.js';
import type { KernelFacts } from './kernel-facts.js';

/** Pages of 4 KiB per processor that lines wait in before any was lost. */
const firstBufferPages = 1024;
const growth = 4;
const sizes = 3;

/** One bpftrace for as long as it is given back. */
export interface Lease {
  readonly bpftrace: Bpftrace;
  /** Stops it when nobody else has it and another one has taken its place. */
  readonly release: () => Promise<void>;
}

interface Shared {
  readonly bpftrace: Bpftrace;
  leases: number;
}

/**
 * The bpftrace that all runs share. One with larger buffers takes its place when a run asks for them, and one that has
 * died is replaced; a replaced one ends with the last run that it watches.
 */
export class BpftracePool {
  readonly #kernel: KernelFacts;
  readonly #firstPages: number;
  readonly #all = new Set<Shared>();
  #current: Shared;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(kernel: KernelFacts, bpftrace: Bpftrace) {
    this.#kernel = kernel;
    this.#firstPages = bpftrace.bufferPages;
    this.#current = { bpftrace, leases: 0 };
    this.#all.add(this.#current);
  }

  /** @throws ProfGenError as `Bpftrace.start` */
  static async open(kernel: KernelFacts, bufferPages = firstBufferPages): Promise<BpftracePool> {
    return new BpftracePool(kernel, await Bpftrace.start(kernel, bufferPages));
  }

  /**
   * Larger buffers than `pages`, for what was not seen completely with these; undefined when they were the largest:
   * 16 times the first ones.
   */
  larger(pages: number): number | undefined {
    const next = pages * growth;
    return next > this.#firstPages * growth ** (sizes - 1) ? undefined : next;
  }

  /**
   * @param pages at least so many, a power of two
   * @throws ProfGenError as `Bpftrace.start`
   */
  async lease(pages = 0): Promise<Lease> {
    // One after the other: several runs that ask for larger buffers at once get the same.
    const turn = this.#turn.then(() => this.#provide(pages));
    this.#turn = turn.catch(() => undefined);
    const shared = await turn;
    return { bpftrace: shared.bpftrace, release: () => this.#release(shared) };
  }

  async #provide(pages: number): Promise<Shared> {
    const before = this.#current;
    if (before.bpftrace.bufferPages < pages || before.bpftrace.ended) {
      const size = Math.max(pages, before.bpftrace.bufferPages);
      this.#current = { bpftrace: await Bpftrace.start(this.#kernel, size), leases: 0 };
      this.#all.add(this.#current);
      await this.#closeUnused(before);
    }
    this.#current.leases += 1;
    return this.#current;
  }

  async #release(shared: Shared): Promise<void> {
    shared.leases -= 1;
    await this.#closeUnused(shared);
  }

  async #closeUnused(shared: Shared): Promise<void> {
    if (shared === this.#current || shared.leases > 0) return;
    this.#all.delete(shared);
    await shared.bpftrace.close();
  }

  /** Stops all. */
  async close(): Promise<void> {
    await this.#turn;
    await Promise.all([...this.#all].map(({ bpftrace }) => bpftrace.close()));
  }
}
