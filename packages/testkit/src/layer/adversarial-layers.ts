import { buildLayer, type LayerEntry } from './build-layer.js';

/** A layer that means harm, and what has to come of it: an error with that code, or a tree that is harmless. */
export interface AdversarialLayer {
  readonly layer: Uint8Array;
  /** Absent where the layer is to be read. */
  readonly code?: string;
}

const text = (name: string, content = 'x'): LayerEntry => ({ name, content });
const link = (name: string, target: string): LayerEntry => ({ name, flag: '2', link: target });
const hard = (name: string, target: string): LayerEntry => ({ name, flag: '1', link: target });

function layer(entries: readonly LayerEntry[], code?: string): AdversarialLayer {
  return { layer: buildLayer(entries), ...(code === undefined ? {} : { code }) };
}

export const adversarialLayers: Readonly<Record<string, AdversarialLayer>> = {
  'symlink-cycle': layer([link('etc/a', 'b'), link('etc/b', 'a'), link('self', 'self')]),
  'symlink-cycle-as-parent': layer([link('a', 'b'), link('b', 'a'), text('a/file')], 'archive/bad-entry'),
  'symlink-attack': layer([link('etc', '/../../../../tmp'), text('etc/passwd', 'inside')]),
  'symlink-to-host': layer([link('host', '/proc/self/root/etc'), link('up', '../../../../../../etc/passwd')]),
  dotdot: layer([text('../../etc/passwd')], 'archive/bad-entry'),
  'dotdot-inside': layer([text('usr/../etc/passwd')]),
  'dotdot-behind-directory': layer([text('usr/../../etc/passwd')], 'archive/bad-entry'),
  absolute: layer([text('/etc/passwd')]),
  'hard-link-out': layer([hard('etc/shadow', '../../etc/shadow')], 'archive/bad-entry'),
  'hard-link-to-nothing': layer([hard('etc/shadow', 'nothing')], 'archive/bad-entry'),
  'hard-link-to-directory': layer([{ name: 'd/', flag: '5' }, hard('e', 'd')], 'archive/bad-entry'),
  'file-as-parent': layer([text('a'), text('a/b')], 'archive/bad-entry'),
  'root-is-a-file': layer([text('./')], 'archive/bad-entry'),
  'whiteout-dotdot': layer([text('etc/.wh...', '')], 'archive/bad-entry'),
  'whiteout-nothing': layer([text('etc/.wh.', '')], 'archive/bad-entry'),
  'unknown-type': layer([{ name: 'volume', flag: 'V' }], 'archive/bad-entry'),
  'name-too-long': layer([text('n'.repeat(256))], 'archive/too-large'),
  'path-too-deep': layer([text('d/'.repeat(300))], 'archive/too-large'),
  'path-too-long': layer([text(`${'p'.repeat(200)}/`.repeat(30))], 'archive/too-large'),
  'size-forged': layer([{ name: 'big', size: 0o7777777777 }], 'archive/truncated'),
  'pax-size-forged': layer([{ name: 'big', pax: [['size', '99999999999']] }], 'archive/too-large'),
  'pax-malformed': layer([{ name: 'a', pax: [['size', '-1']] }], 'archive/bad-header'),
  'nul-in-name': layer([{ name: 'a', pax: [['path', 'etc\0passwd']] }], 'archive/bad-header'),
  'sparse-out-of-order': layer(
    [
      {
        name: 's',
        content: 'abcd',
        sparse: {
          runs: [
            [10, 2],
            [4, 2],
          ],
          size: 20,
        },
      },
    ],
    'archive/bad-header',
  ),
  'sparse-bomb': layer(
    [{ name: 's', content: 'abcd', sparse: { runs: [[0, 4]], size: 0o77777777777 } }],
    'archive/too-large',
  ),
  'device-in-etc': layer([
    { name: 'etc/passwd', flag: '3', device: [1, 3] },
    { name: 'pipe', flag: '6' },
  ]),
  'prototype-names': layer([text('__proto__/constructor'), text('toString'), text('etc/__proto__')]),
};
