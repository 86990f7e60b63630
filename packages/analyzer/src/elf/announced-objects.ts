import type { ByteView } from './byte-view.js';
import { type AnnouncedObject, type Segment, segmentType } from './elf.js';

/** Owner and type of the notes (systemd, docs/ELF_DLOPEN_METADATA.md). */
const owner = 'FDO\0';
const dlopenType = 0x407c0c0a;
/** More bytes of notes than this are not read. */
const maximumNotes = 64 * 1024;
const maximumObjects = 256;

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= 256;

/**
 * The `.note.dlopen` entries of a file: JSON in ELF notes, each with the names that are tried for a feature.
 * What is no such note, or not well formed, says nothing: the notes are a hint beside the names in the code.
 */
export function announcedObjects(view: ByteView, segments: readonly Segment[]): readonly AnnouncedObject[] {
  const found: AnnouncedObject[] = [];
  for (const { type, offset, fileSize } of segments) {
    if (type !== segmentType.note || offset + fileSize > view.bytes.length || fileSize > maximumNotes)
      continue;
    const end = offset + fileSize;
    for (let at = offset; at + 12 <= end; ) {
      const nameSize = view.u32(at);
      const size = view.u32(at + 4);
      const start = at + 12 + align(nameSize);
      if (start + size > end) break;
      const isOurs =
        view.u32(at + 8) === dlopenType &&
        new TextDecoder().decode(view.bytes.subarray(at + 12, at + 12 + nameSize)) === owner;
      if (isOurs) found.push(...namesIn(new TextDecoder().decode(view.bytes.subarray(start, start + size))));
      if (found.length > maximumObjects) return found.slice(0, maximumObjects);
      at = start + align(size);
    }
  }
  return found;
}

function align(size: number): number {
  return Math.ceil(size / 4) * 4;
}

function namesIn(text: string): AnnouncedObject[] {
  let items: unknown;
  try {
    items = JSON.parse(text.replace(/\0+$/, ''));
  } catch {
    return [];
  }
  return (Array.isArray(items) ? items : []).flatMap((item: unknown) => {
    if (typeof item !== 'object' || item === null) return [];
    const { soname, feature } = item as Record<string, unknown>;
    const names = (Array.isArray(soname) ? soname : []).filter(isText).filter((name) => name !== '');
    return names.map((name) => ({ name, feature: isText(feature) ? feature : 'a feature' }));
  });
}
