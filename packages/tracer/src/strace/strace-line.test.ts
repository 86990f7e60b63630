import { describe, expect, it } from 'vitest';
import {
  execArguments,
  executableMapping,
  isStraceLine,
  parseStraceLine,
  resultOf,
  unescaped,
} from './strace-line.js';

describe('parseStraceLine', () => {
  it.each([
    ['read(3, "", 1) = 0', undefined, undefined],
    ['7 read(3, "", 1) = 0', 7, undefined],
    ['[pid    7] read(3, "", 1) = 0', 7, undefined],
    ['[pid 7<a\\40b>] read(3, "", 1) = 0', 7, undefined],
    ['7<sh> 1795646887.519100 [   0] read(3, "", 1) = 0', 7, 0],
    ['1795646887.519100 read(3, "", 1) = 0', undefined, undefined],
    ['7     10:20:30 read(3, "", 1) = 0', 7, undefined],
    ['10:20:30.123456 [00007f2d7c9a2a4b] read(3, "", 1) = 0', undefined, undefined],
    ['7      0.000043 read(3, "", 1) = 0 <0.000012>', 7, undefined],
    ['     0.000043 read(3, "", 1) = 0', undefined, undefined],
    ['10:20:30 (+     0.000043) read(3, "", 1) = 0', undefined, undefined],
    ['7 [   0] [00007f2d7c9a2a4b] read(3, "", 1) = 0', 7, 0],
  ])('reads %s', (line, pid, number) => {
    expect(parseStraceLine(line)).toMatchObject({
      kind: 'call',
      name: 'read',
      pid,
      number,
      unfinished: false,
    });
  });

  it('tells what is no call', () => {
    expect(parseStraceLine('7 +++ killed by SIGKILL +++')).toMatchObject({ kind: 'end', pid: 7 });
    expect(parseStraceLine('7 --- SIGCHLD {si_signo=SIGCHLD} ---')?.kind).toBe('other');
    expect(parseStraceLine('7 [ 111] [ Process PID=7 runs in x32 mode. ]')).toBeUndefined();
    expect(parseStraceLine('[ Process PID=7 runs in x32 bit mode. ]')).toMatchObject({
      process: 7,
      abi: 'x32',
    });
    expect(parseStraceLine('7 <... wait4 resumed>[], 0, NULL) = 8')).toMatchObject({ name: 'wait4' });
    expect(parseStraceLine('7 clone( <unfinished ...>')).toMatchObject({ unfinished: 'same' });
    expect(parseStraceLine('8 execve("/b", [], 0x1 <pid changed to 7 ...>')).toMatchObject({ unfinished: 7 });
    expect(parseStraceLine(' > /lib/libc.so.6(read+0x10) [0xf9f10]')?.kind).toBe('other');
  });

  it.each([
    '',
    'Starting server (pid 7)',
    'GET / HTTP/1.1',
    '{"defaultAction": "SCMP_ACT_ERRNO"}',
    'kind: List',
  ])('does not take %j for a line of strace', (line) => {
    expect(parseStraceLine(line)).toBeUndefined();
    expect(isStraceLine(line)).toBe(false);
  });
});

describe('what a program controls', () => {
  it('cannot be taken for a result', () => {
    expect(resultOf('(1, ") = 5", 20)    = 20')).toBe('20');
    expect(resultOf('(AT_FDCWD, "x", O_RDONLY) = 3</a) = 9>')).toBe('3');
    expect(resultOf('(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 8')).toBe('8');
    expect(resultOf('(0')).toBeUndefined();
  });

  it('is unescaped as bytes', () => {
    expect(unescaped('\\303\\251\\n\\"\\\\\\x41')).toBe('é\n"\\A');
    expect(execArguments('execve', '("/a\\40b", ["x", "y\\"]"..., "z"], 0x1 /* 2 vars */) = 0')).toEqual({
      path: '/a b',
      descriptor: undefined,
      argv: ['x', 'y"]', 'z'],
    });
    expect(execArguments('execveat', '(3</bin/x>, "", ["x"], NULL, AT_EMPTY_PATH) = 0')).toEqual({
      path: '',
      descriptor: '/bin/x',
      argv: ['x'],
    });
    expect(execArguments('execve', '(0x7ffe, 0x7ffe, 0x7ffe) = -1 EFAULT (Bad address)')).toBeUndefined();
    expect(executableMapping('(NULL, 1, PROT_READ|PROT_EXEC, MAP_PRIVATE, 3</l\\76.so>, 0) = 0x7f')).toBe(
      '/l>.so',
    );
    expect(
      executableMapping('(NULL, 1, PROT_EXEC, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f'),
    ).toBeUndefined();
  });
});
