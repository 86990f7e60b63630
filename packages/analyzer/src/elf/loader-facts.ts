import { announcedObjects } from './announced-objects.js';
import { ByteView } from './byte-view.js';
import { type Dynamic, dynamicOf, dynamicTag, offsetIn } from './dynamic.js';
import { type LoaderFacts, type Segment, segmentType } from './elf.js';
import { readSegments } from './segments.js';

const auxiliaryTag = 0x7ffffffd;
const filterTag = 0x7fffffff;

/**
 * Reads program headers and dynamic section alone: much cheaper than the whole file.
 * @returns undefined for an ELF file of another machine or class: the loader passes such a file over
 * @throws ProfGenError `elf/not-elf`, `elf/truncated`, `elf/bad-header`, `elf/bad-string`, `elf/too-complex`
 */
export function loaderFacts(bytes: Uint8Array): LoaderFacts | undefined {
  const view = new ByteView(bytes);
  view.need(0, 20, 'The ELF header');
  if (view.u8(4) !== 2 || view.u8(5) !== 1 || view.u16(18) !== 62) return undefined;
  view.need(0, 64, 'The ELF header');
  const segments = readSegments(view);
  return loaderFactsOf(view, segments, dynamicOf(view, segments));
}

/** The facts of a file whose headers are read. */
export function loaderFactsOf(view: ByteView, segments: readonly Segment[], dynamic: Dynamic): LoaderFacts {
  const interp = segments.find((segment) => segment.type === segmentType.interp);
  const strings = dynamic.values.get(dynamicTag.strtab);
  const named = (tag: number): string[] => {
    const index = dynamic.values.get(tag);
    const at = index === undefined || strings === undefined ? -1 : offsetIn(segments, strings + index);
    return at < 0 ? [] : [view.string(at)];
  };
  return {
    ...(interp && interp.fileSize > 0 ? { interpreter: view.string(interp.offset) } : {}),
    ...(dynamic.soname === undefined ? {} : { soname: dynamic.soname }),
    needed: dynamic.needed,
    filters: named(filterTag),
    auxiliaries: named(auxiliaryTag),
    rpath: dynamic.rpath,
    runpath: dynamic.runpath,
    flags: dynamic.flags,
    announced: announcedObjects(view, segments),
  };
}
