import { memoryTree } from '@prof-gen/testkit';
import { describe, expect, it } from 'vitest';
import { imageObjects } from './image-objects.js';

const elf = new Uint8Array([0x7f, 0x45, 0x4c, 0x46]);

describe('imageObjects', () => {
  const objects = imageObjects(
    memoryTree({
      '/usr/lib/app/plugins/codec_png.so': elf,
      '/usr/lib/app/plugins/codec_gif.so': elf,
      '/usr/lib/other/codec_png.so': elf,
      '/usr/lib/libreal.so.1': elf,
      '/usr/lib/libreal.so': { link: 'libreal.so.1' },
      '/usr/lib/notes.so': { content: 'text', mode: 0o644 },
    }),
  );

  it('finds a file by the end of its path, and what a link leads to', () => {
    expect(objects.matching('plugins/codec_gif.so')).toEqual(['/usr/lib/app/plugins/codec_gif.so']);
    expect(objects.matching('../other/codec_png.so')).toEqual(['/usr/lib/other/codec_png.so']);
    expect(objects.matching('libreal.so')).toEqual(['/usr/lib/libreal.so.1']);
    expect(objects.matching('notes.so')).toEqual([]);
    expect(objects.matching('ec_gif.so')).toEqual([]);
  });

  it('takes a conversion for any part of a name, where enough of it is constant', () => {
    expect(objects.matching('app/plugins/codec_%s.so')).toEqual([
      '/usr/lib/app/plugins/codec_gif.so',
      '/usr/lib/app/plugins/codec_png.so',
    ]);
    expect(objects.matching('%s/codec_png.so')).toHaveLength(2);
    expect(objects.matching('%s.so')).toEqual([]);
    expect(objects.matching('lib%s.so')).toEqual([]);
  });
});
