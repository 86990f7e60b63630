import { x86_64Syscalls } from '@prof-gen/core';
import { describe, expect, it } from 'vitest';
import { observedRecord } from '../record/observed-record.js';
import { StraceLog, type StraceLogOptions } from './strace-log.js';

async function read(lines: readonly string[], options: StraceLogOptions = {}) {
  const log = new StraceLog(options);
  for (const line of lines) log.take(line);
  const { record, unattributed, unnumbered } = await log.record(() => Promise.resolve(undefined));
  const seen = observedRecord([{ record, mounts: [] }], ['start', 'later']);
  return {
    ...seen,
    unattributed: unattributed.map(({ call }) => x86_64Syscalls.nameOf(call)).sort(),
    unnumbered,
    others: log.lines.others,
    calls: Object.fromEntries(
      seen.programs.map(({ path, syscalls }) => [
        path,
        syscalls.map(({ number }) => x86_64Syscalls.nameOf(number)).sort(),
      ]),
    ),
  };
}

describe('StraceLog', () => {
  it('gives each program its own calls, from its execution to the next', async () => {
    const { calls, programs, unattributed, failedExecs } = await read(
      [
        '7 execve("/bin/sh", ["sh", "-c", "./a"], 0x7ffd /* 3 vars */) = 0',
        '7 brk(NULL)                       = 0x55d0',
        '7 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 8',
        '8 chdir("/tmp")                   = 0',
        '8 execve("/none/a", ["./a"], 0x55 /* 3 vars */) = -1 ENOENT (No such file or directory)',
        '8 execve("./a", ["./a"], 0x55 /* 3 vars */ <unfinished ...>',
        '7 wait4(-1,  <unfinished ...>',
        '8 <... execve resumed>)           = 0',
        '8 write(1, ") = 5 <unfinished ...>", 20)    = 20',
        '8 exit_group(0)                   = ?',
        '8 +++ exited with 0 +++',
        '7 <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 8',
        '7 --- SIGCHLD {si_signo=SIGCHLD} ---',
        '7 exit_group(0',
      ],
      { cwd: '/' },
    );
    expect(calls).toEqual({
      '/bin/sh': ['brk', 'chdir', 'clone', 'execve', 'exit_group', 'wait4'],
      '/tmp/a': ['exit_group', 'write'],
    });
    expect(programs.map(({ argvs }) => argvs)).toEqual([[['sh', '-c', './a']], [['./a']]]);
    expect(unattributed).toEqual([]);
    expect(failedExecs).toEqual([{ path: '/none/a', program: '/bin/sh', phase: 'start', errno: 'ENOENT' }]);
  });

  it('knows a child whose lines come before its parent’s fork is told to have ended', async () => {
    const { calls, unattributed } = await read([
      '1 execve("/a", ["a"], 0x1 /* 0 vars */) = 0',
      '1 vfork( <unfinished ...>',
      '2 setsid()                        = 2',
      '2 execve("/b", ["b"], 0x1 /* 0 vars */ <unfinished ...>',
      '1 <... vfork resumed>)            = 2',
      '2 <... execve resumed>)           = 0',
      '2 getsid(0)                       = 2',
    ]);
    expect(calls).toEqual({ '/a': ['execve', 'setsid', 'vfork'], '/b': ['getsid'] });
    expect(unattributed).toEqual([]);
  });

  it('goes on as the process when a thread executes, and keeps 32-bit calls apart', async () => {
    const { calls, foreignCalls, unnumbered } = await read([
      '1 execve("/a", ["a"], 0x1 /* 0 vars */) = 0',
      '1 clone3({flags=CLONE_VM|CLONE_THREAD}, 88) = 2',
      '2 execve("/b32", ["b"], 0x1 /* 0 vars */ <pid changed to 1 ...>',
      '1 +++ superseded by execve in pid 2 +++',
      '1 <... execve resumed>)           = 0',
      '[ Process PID=1 runs in 32 bit mode. ]',
      '1 getuid32()                      = 0',
      '1 [ 199] getuid32()               = 0',
    ]);
    expect(calls).toEqual({ '/a': ['clone3', 'execve'], '/b32': [] });
    expect(unnumbered).toEqual(['i386:getuid32']);
    expect(foreignCalls).toMatchObject([{ abi: 'i386', number: 199, program: '/b32', process: 'b32' }]);
  });

  it('tells what it cannot attribute instead of dropping it', async () => {
    const { calls, unattributed, unnumbered, others } = await read([
      'strace: Process 3 attached',
      '[pid     3] read(5, "x", 1)       = 1',
      '[pid     3] no_such_call()        = 0',
      '[pid     3] syscall_0x1c7()       = 0',
      'output of the program itself',
    ]);
    expect(calls).toEqual({});
    expect(unattributed).toEqual(['futex_wait', 'read']);
    expect(unnumbered).toEqual(['no_such_call']);
    expect(others).toBe(1);
  });

  it('reads times, names of tasks, numbers, raw arguments and paths of descriptors, as it asks for them', async () => {
    const { programs, denials, ioUring } = await read(
      [
        '1<.prof-gen-gate> 99.000000 [  59] execve("/a", ["a", "two words", "\\303\\251\\n"], 0x1 /* 3 vars */) = 0',
        '1<a> 1795646887.5 [   9] mmap(NULL, 8192, PROT_READ|PROT_EXEC, MAP_PRIVATE, 3</lib/x.so>, 0) = 0x7f42c30d9000',
        '1<a> 1795646887.5 [   9] mmap(NULL, 8192, PROT_READ|PROT_EXEC, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f42c30d9000',
        '1<a> 1795646889.5 [ 157] prctl(PR_SET_NAME, "a b>c") = 0',
        '1<a b\\76c> 1795646889.500000 [ 111] getpgrp() = 0x2c91',
        '1<a> 1795646889.600000 [ 435] clone3(0x7ffe, 0x58) = -1 ENOSYS (Function not implemented)',
        '1<a> 1795646889.600000 [ 165] mount(0, 0, 0, 0, 0) = -1 EINVAL (Invalid argument)',
        '1<a> 1795646889.600000 [ 425] io_uring_setup(0x1, 0x7ffe) = 0x3',
      ],
      { filtered: new Set([435, 165]), phaseAt: (time) => (time < 1795646888 ? 0 : 1) },
    );
    expect(programs).toEqual([
      {
        path: '/a',
        argvs: [['a', 'two words', 'é\n']],
        objects: ['/lib/x.so'],
        phase: 'start',
        syscalls: [
          { number: 9, count: 2, process: 'a', phase: 'start' },
          { number: 111, count: 1, process: 'a b>c', phase: 'later' },
          { number: 157, count: 1, process: 'a', phase: 'later' },
          { number: 165, count: 1, process: 'a b>c', phase: 'later' },
          { number: 425, count: 1, process: 'a b>c', phase: 'later' },
        ],
      },
    ]);
    expect(ioUring).toBe(true);
    expect(denials).toMatchObject([{ name: 'clone3', errno: 'ENOSYS', count: 1, phase: 'later' }]);
  });

  it('leaves out what stands before the program, and says when it was not executed', async () => {
    const said: string[] = [];
    const log = new StraceLog();
    log.gate(1, (executed, why) => said.push(`1 ${executed} ${why}`));
    log.gate(5, (executed, why) => said.push(`5 ${executed} ${why}`));
    for (const line of [
      '1 nanosleep(0x4, 0) = 0',
      '1 execve("/none", ["a"], 0x1 /* 0 vars */) = -1 ENOENT (No such file or directory)',
      '1 execve("/a", ["a"], 0x1 /* 0 vars */) = 0',
      '5 execve("/text", ["a"], 0x1 /* 0 vars */) = -1 EACCES (Permission denied)',
      '5 exit_group(127 <unfinished ...>',
    ]) {
      log.take(line);
    }
    expect(said).toEqual(['1 true ', '5 false EACCES']);
    const { record, unattributed } = await log.record(() => Promise.resolve(undefined));
    expect([record.calls, record.failedExecs, unattributed]).toEqual([[], [], []]);
  });

  it('shows a script as the kernel runs it', async () => {
    const log = new StraceLog({ cwd: '/' });
    log.take('1 execve("/run.sh", ["run.sh", "x"], 0x1 /* 0 vars */) = 0');
    log.take('1 execve("/bin/dash", ["sh"], 0x1 /* 0 vars */) = 0');
    const { record } = await log.record((path) =>
      Promise.resolve({
        path: '/usr/bin/dash',
        interpreters: path === '/run.sh' ? ['/bin/sh', '-e'] : [],
      }),
    );
    const { programs } = observedRecord([{ record, mounts: [] }], ['start']);
    expect(programs.map(({ path, argvs }) => [path, argvs])).toEqual([
      ['/usr/bin/dash', [['/bin/sh', '-e', '/run.sh', 'x'], ['sh']]],
    ]);
  });
});
