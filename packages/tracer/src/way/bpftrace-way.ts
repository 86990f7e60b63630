import type { Container } from '../container/container.js';
import type { BpftracePool } from '../program/bpftrace-pool.js';
import { observedRecord } from '../record/observed-record.js';
import type { Watch, Way } from './way.js';

/** The long-lived bpftrace of the pool, which sees all containers at once. */
export function bpftraceWay(pool: BpftracePool): Way {
  return {
    method: 'bpftrace',
    watch: () => bpftraceWatch(pool, 0),
    close: () => pool.close(),
  };
}

async function bpftraceWatch(pool: BpftracePool, pages: number): Promise<Watch> {
  const { bpftrace, release } = await pool.lease(pages);
  const watched: { readonly container: Container; readonly slot: number }[] = [];
  const slots = () => watched.map(({ slot }) => slot);
  const lostBefore = bpftrace.lost;
  return {
    gate: undefined,
    async add(container, phase, judged) {
      const slot = await bpftrace.watch(container.id, judged);
      bpftrace.phase(slot, phase);
      watched.push({ container, slot });
    },
    phase(phase) {
      for (const slot of slots()) bpftrace.phase(slot, phase);
    },
    async record(phases) {
      const records = await bpftrace.collect(slots());
      const record = observedRecord(
        records.map((seen, index) => ({ record: seen, mounts: watched[index]?.container.mounts ?? [] })),
        phases,
      );
      return { record, complete: bpftrace.lost === lostBefore && record.holes === 0 };
    },
    again() {
      const larger = pool.larger(bpftrace.bufferPages);
      if (larger === undefined) return undefined;
      return { how: `, with buffers of ${larger} pages`, watch: () => bpftraceWatch(pool, larger) };
    },
    async close() {
      try {
        bpftrace.release(slots());
      } finally {
        await release();
      }
    },
  };
}
