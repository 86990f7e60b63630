import { expect, it } from 'vitest';
import { parseMountInfo, pathInContainer } from './mounts.js';

const mounts = parseMountInfo(
  [
    '600 500 0:39 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/x',
    '601 600 254:1 /volumes/a/_data /data rw - ext4 /dev/vda1 rw',
    '602 600 254:1 /volumes/a/_data/sub /with\\040space rw - ext4 /dev/vda1 rw',
  ].join('\n'),
);

it('puts the mount point before a file of a volume', () => {
  expect(pathInContainer({ device: '0:39', path: '/usr/bin/dash' }, mounts)).toBe('/usr/bin/dash');
  expect(pathInContainer({ device: '254:1', path: '/volumes/a/_data/x/y' }, mounts)).toBe('/data/x/y');
  expect(pathInContainer({ device: '254:1', path: '/volumes/a/_data/sub/y' }, mounts)).toBe('/with space/y');
  expect(pathInContainer({ device: '254:1', path: '/volumes/ab' }, mounts)).toBe('/volumes/ab');
  expect(pathInContainer({ device: '0:1', path: '/memfd:code' }, mounts)).toBe('/memfd:code');
});
