import { describe, expect, it } from 'vitest';
import { ByteView } from './byte-view.js';
import { type Segment, segmentType } from './elf.js';
import { announcedObjects } from './announced-objects.js';

function note(text: string, type = 0x407c0c0a): Uint8Array {
  const json = new TextEncoder().encode(`${text}\0`);
  const bytes = new Uint8Array(16 + Math.ceil(json.length / 4) * 4);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 4, true);
  view.setUint32(4, json.length, true);
  view.setUint32(8, type, true);
  bytes.set(new TextEncoder().encode('FDO\0'), 12);
  bytes.set(json, 16);
  return bytes;
}

function announced(...notes: Uint8Array[]) {
  const bytes = Uint8Array.from(notes.flatMap((each) => [...each]));
  const segment = { type: segmentType.note, offset: 0, fileSize: bytes.length } as Segment;
  return announcedObjects(new ByteView(bytes), [segment]);
}

describe('announcedObjects', () => {
  const zstd = '[{"feature":"zstd","priority":"suggested","soname":["libzstd.so.1"]}]';

  it('reads the names of each note', () => {
    expect(announced(note('[]'), note(zstd), note('[{"soname":["a.so","b.so"]}]'))).toEqual([
      { name: 'libzstd.so.1', feature: 'zstd' },
      { name: 'a.so', feature: 'a feature' },
      { name: 'b.so', feature: 'a feature' },
    ]);
  });

  it('takes nothing from other notes, from broken text and from sizes past the end', () => {
    expect(
      announced(note(zstd, 1), note('[{'), note('{"soname":"x"}'), note('[null,{"soname":[1]}]')),
    ).toEqual([]);
    const long = note(zstd);
    new DataView(long.buffer).setUint32(4, 0xffffffff, true);
    expect(announced(long)).toEqual([]);
  });
});
