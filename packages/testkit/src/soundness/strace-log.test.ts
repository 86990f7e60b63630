import { x86_64Syscalls } from '@prof-gen/core';
import { describe, expect, it } from 'vitest';
import { readStraceLog } from './strace-log.js';

const names = (numbers: ReadonlySet<number>) =>
  [...numbers].map((number) => x86_64Syscalls.nameOf(number)).sort();

describe('readStraceLog', () => {
  it('gives each program its own calls, from its execve to the next', () => {
    const executions = readStraceLog(
      [
        '7 execve("/bin/sh", ["sh", "-c", "./a"], 0x7ffd /* 3 vars */) = 0',
        '7 brk(NULL)                       = 0x55d0',
        '7 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 8',
        '8 chdir("/tmp")                   = 0',
        '8 execve("/none/a", ["./a"], 0x55 /* 3 vars */) = -1 ENOENT (No such file or directory)',
        '8 execve("./a", ["./a"], 0x55 /* 3 vars */ <unfinished ...>',
        '7 wait4(-1,  <unfinished ...>',
        '8 <... execve resumed>)           = 0',
        '8 write(1, "= 5 <unfinished ...>", 20)    = 20',
        '8 openat(AT_FDCWD, "/lib/libx.so", O_RDONLY) = 3',
        '8 exit_group(0)                   = ?',
        '8 +++ exited with 0 +++',
        '7 <... wait4 resumed>[{WIFEXITED(s)}], 0, NULL) = 8',
        '7 --- SIGCHLD {si_signo=SIGCHLD} ---',
        '7 restart_syscall(<... resuming interrupted read ...>) = 0',
        '7 exit_group(0)                   = ?',
      ].join('\n'),
    );
    expect(executions.map(({ path, argv }) => [path, argv])).toEqual([
      ['/bin/sh', 'sh -c ./a'],
      ['/tmp/./a', './a'],
    ]);
    // What a child does before its own execve is its parent's doing.
    expect(names(executions[0]?.calls ?? new Set())).toEqual([
      'brk',
      'chdir',
      'clone',
      'execve',
      'exit_group',
      'wait4',
    ]);
    expect(names(executions[1]?.calls ?? new Set())).toEqual(['exit_group', 'openat', 'write']);
    expect([...(executions[1]?.opened ?? [])]).toEqual(['/lib/libx.so']);
  });

  it('keeps calls by the 32-bit table apart, and goes on as the process when a thread executes', () => {
    const [first, second] = readStraceLog(
      [
        '1 execve("/a", ["a"], 0x1 /* 0 vars */) = 0',
        '1 clone3({flags=CLONE_VM|CLONE_THREAD}, 88) = 2',
        '2 execve("/b32", ["b"], 0x1 /* 0 vars */ <pid changed to 1 ...>',
        '1 <... execve resumed>)           = 0',
        '[ Process PID=1 runs in 32 bit mode. ]',
        '1 getuid32()                      = 0',
      ].join('\n'),
    );
    expect(names(first?.calls ?? new Set())).toEqual(['clone3', 'execve']);
    expect(second?.path).toBe('/b32');
    expect([...(second?.calls ?? [])]).toEqual([]);
    expect([...(second?.calls32 ?? [])]).toEqual(['getuid32']);
  });

  it('knows a program that is executed by its descriptor', () => {
    const executions = readStraceLog(
      [
        '1 execve("/a", ["a"], 0x1 /* 0 vars */) = 0',
        '1 openat(AT_FDCWD, "/b", O_RDONLY|O_CLOEXEC) = 3',
        '1 openat(AT_FDCWD, "/c", O_RDONLY) = 4',
        '1 fork()                          = 2',
        '2 execveat(3, "", ["b"], 0x1 /* 0 vars */, AT_EMPTY_PATH) = 0',
        '1 close(4)                        = 0',
        '1 execveat(4, "", ["c"], 0x1 /* 0 vars */, AT_EMPTY_PATH) = 0',
      ].join('\n'),
    );
    expect(executions.map(({ path }) => path)).toEqual(['/a', '/b', '?/']);
  });

  it('refuses a process that nothing has started, and names that the table does not have', () => {
    expect(() => readStraceLog('1 execve("/a", ["a"], 0x1) = 0\n2 brk(NULL) = 0')).toThrow(
      /nothing in the log/,
    );
    expect(() => readStraceLog('1 execve("/a", ["a"], 0x1) = 0\n1 no_such_call() = 0')).toThrow(
      /no_such_call/,
    );
    const [only] = readStraceLog('1 execve("/a", ["a"], 0x1) = 0\n1 syscall_0x1c7() = 0');
    expect([...(only?.calls ?? [])]).toEqual([455]);
  });
});
