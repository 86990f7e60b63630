import { expect, it } from 'vitest';
import { parseListening } from './listening-ports.js';

it('reads what listens, and leaves out the engine’s name server', () => {
  const text = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 00000000:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000   999        0 1',
    '   1: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2',
    '   2: 0B00007F:B3CD 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3',
    '   3: 020011AC:18EB 010011AC:9999 01 00000000:00000000 00:00000000 00000000   999        0 4',
  ].join('\n');
  expect(parseListening(text)).toEqual([
    { port: 6379, loopback: false },
    { port: 8081, loopback: true },
  ]);
});
