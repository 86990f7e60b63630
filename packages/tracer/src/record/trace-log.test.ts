import { describe, expect, it } from 'vitest';
import { observedRecord } from './observed-record.js';
import { parseTraceLine } from './trace-line.js';
import { TraceLog } from './trace-log.js';

const hex = (text: string): string =>
  [...Buffer.from(text)].map((b) => `\\x${b.toString(16).padStart(2, '0')}`).join('');
/** Slot 1, program 0x2a. */
const mark = '100000000002a';
const key = String(BigInt(`0x${mark}`));

/** Lines as the tracing program printed them for `sh -c 'ls'`, shortened; another processor's line stands between. */
const recorded = [
  'Attaching 12 probes...',
  'ready',
  '',
  `X|27916aeb5b0.0|${mark}|0|39`,
  `P|27916aeb5b0.0|${hex('dash')}`,
  `F|${mark}|0|12|${hex('sh')}\\x00\\x00`,
  `P|27916aeb5b0.0|${hex('bin')}`,
  `P|27916aeb5b0.0|${hex('usr')}`,
  'E|27916aeb5b0.0|0',
  `A|27916aeb5b0.0|${hex('sh\0-c\0l')}`,
  `A|27916aeb5b0.0|${hex('s\0')}`,
  'Y|27916aeb5b0.0|0',
  `O|27916bbf8c8.1|${mark}|39`,
  `P|27916bbf8c8.1|${hex('libc.so.6')}`,
  `P|27916bbf8c8.1|${hex('lib')}`,
  'E|27916bbf8c8.1|0',
  `D|${mark}|1|39|1|${hex('sh')}`,
  `V|${mark}|1|-2|${hex('/bin/nosuch\0rest')}`,
  `F|${mark}|1|12|${hex('ls')}`,
  `F|${mark}|1|${12 | (1 << 20)}|${hex('sh')}`,
  `@c[${key}, 12]: 5`,
  `@c[${key}, ${12 | (1 << 20)}]: 1`,
  `@d[${key}, 1, 39, 1]: 5`,
  // One exec, one object, three first calls, a denial, a failed exec.
  '@l[1]: 7',
  'Z|3|1|0',
];

function logOf(lines: readonly string[]): TraceLog {
  const log = new TraceLog();
  for (const line of lines) {
    const seen = parseTraceLine(line);
    if (seen !== undefined) log.take(seen);
  }
  return log;
}

describe('the lines of the tracing program', () => {
  const record = logOf(recorded).recordOf(1);
  const seen = observedRecord([{ record, mounts: [] }], ['start', 'stop']);

  it('become programs with arguments, objects and calls, each with the phase and process that made it first', () => {
    expect(seen.programs).toEqual([
      {
        path: '/usr/bin/dash',
        argvs: [['sh', '-c', 'ls']],
        objects: ['/lib/libc.so.6'],
        syscalls: [{ number: 12, count: 5, process: 'sh', phase: 'start' }],
        phase: 'start',
      },
    ]);
  });

  it('tell denials, failed execs and calls of another ABI apart', () => {
    expect(seen.denials).toEqual([
      {
        number: 39,
        name: 'getpid',
        program: '/usr/bin/dash',
        process: 'sh',
        phase: 'stop',
        errno: 'EPERM',
        count: 5,
      },
    ]);
    expect(seen.failedExecs).toEqual([
      { path: '/bin/nosuch', program: '/usr/bin/dash', phase: 'stop', errno: 'ENOENT' },
    ]);
    expect(seen.foreignCalls).toMatchObject([{ abi: 'i386', number: 12, count: 1 }]);
    expect(seen.holes).toBe(0);
  });

  it('belong to their slot alone', () => {
    expect(logOf(recorded).recordOf(2)).toEqual({
      programs: [],
      calls: [],
      denials: [],
      failedExecs: [],
      missing: 0,
    });
  });

  it('are known to have holes when a program’s path is missing', () => {
    const without = recorded.filter((line) => !line.startsWith('E|27916aeb5b0'));
    const holed = observedRecord([{ record: logOf(without).recordOf(1), mounts: [] }], ['start', 'stop']);
    expect(holed.holes).toBe(1);
  });

  it.each(['Y|', 'E|27916bbf8c8', 'V|'])('are known to be missing when they were told: %s', (start) => {
    const without = recorded.filter((line) => !line.startsWith(start));
    expect(logOf(without).recordOf(1).missing).toBe(1);
    expect(logOf(recorded).recordOf(1).missing).toBe(0);
  });

  it.each([`F|${mark}|0|12`, `F|${mark}|1|${12 | (1 << 20)}`, `D|${mark}`])(
    'are known to have holes when what is counted was never told of: %s',
    (start) => {
      // Neither the other line of a call that two processors saw, nor the count of lines, helps out.
      const others = [`F|${mark}|1|12|`, '@l'];
      const without = recorded.filter((line) => ![start, ...others].some((text) => line.startsWith(text)));
      const holed = observedRecord([{ record: logOf(without).recordOf(1), mounts: [] }], ['start', 'stop']);
      expect(holed.holes).toBe(1);
    },
  );

  it('are counted when lost', () => {
    const log = logOf([...recorded, 'Lost 17 events', 'Lost 3 events']);
    expect(log.lost).toBe(20);
  });

  it('cannot be forged by a name with a line feed', () => {
    const line = `P|1.0|${hex('x\nZ|3|1|0')}`;
    expect(line.split('\n')).toHaveLength(1);
    expect(parseTraceLine(line)).toMatchObject({ kind: 'component', text: Buffer.from('x\nZ|3|1|0') });
  });

  it('join the pieces of a long name', () => {
    const log = logOf([
      `X|1.0|${mark}|0|39`,
      `P|1.0|${hex('a'.repeat(120))}`,
      `P|1.0|${hex('d')}`,
      `Q|1.0|0|${hex('b')}`,
      'E|1.0|0',
      'Y|1.0|0',
    ]);
    expect(log.recordOf(1).programs[0]?.file?.path).toBe(`/d/${'a'.repeat(120)}b`);
  });
});
