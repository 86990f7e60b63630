import { ProfGenError } from '@prof-gen/core/base';
import type { ByteView } from './byte-view.js';
import { type Segment, segmentType } from './elf.js';

/** A file whose loaded ranges overlap or that has more of them than this is not made by any linker. */
const MAX_SEGMENTS = 512;

function bad(what: string, offset: number): ProfGenError {
  return new ProfGenError('elf/bad-header', what, {
    hint: 'The file is damaged or forged; the kernel would refuse to run it as well.',
    details: { offset },
  });
}

/**
 * The program headers, of any type, in their order.
 * @throws ProfGenError `elf/bad-header`, `elf/truncated`
 */
export function readSegments(view: ByteView): Segment[] {
  const start = view.u64(32);
  const entrySize = view.u16(54);
  const count = view.u16(56);
  if (count === 0) throw bad('There are no program headers', 56);
  if (count > MAX_SEGMENTS) throw bad(`${count} program headers are more than any linker writes`, 56);
  if (entrySize !== 56) throw bad(`A program header of ${entrySize} bytes instead of 56`, 54);
  view.need(start, count * 56, 'The program header table');
  const segments: Segment[] = [];
  for (let at = start; at < start + count * 56; at += 56) {
    const segment: Segment = {
      type: view.u32(at),
      flags: view.u32(at + 4),
      offset: view.u64(at + 8),
      address: view.u64(at + 16),
      fileSize: view.u64(at + 32),
      memorySize: view.u64(at + 40),
    };
    if (segment.type === segmentType.load) {
      view.need(segment.offset, segment.fileSize, 'A loaded segment');
      if (segment.memorySize < segment.fileSize)
        throw bad('A segment is larger in the file than in memory', at);
      if (!(segment.address + segment.memorySize <= 2 ** 47)) {
        throw bad('A segment lies outside the address space of a process', at + 16);
      }
    }
    segments.push(segment);
  }
  const loads = segments.filter((s) => s.type === segmentType.load).sort((a, b) => a.address - b.address);
  if (loads.length === 0) throw bad('There is no loadable segment', start);
  for (let i = 1; i < loads.length; i++) {
    const [before, after] = [loads[i - 1], loads[i]];
    if (before && after && before.address + before.fileSize > after.address) {
      throw bad('Loadable segments overlap', start);
    }
  }
  return segments;
}
