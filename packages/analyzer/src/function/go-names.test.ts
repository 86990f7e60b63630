import { describe, expect, it } from 'vitest';
import { keepsNumbersInVariables } from './go-names.js';

describe('packages that keep numbers of calls in variables', () => {
  it.each([
    'syscall.forkAndExecInChild1',
    'runtime.runPerThreadSyscall',
    'internal/poll.fcntl',
    'golang.org/x/sys/unix.FcntlFlock',
    'github.com/docker/docker/vendor/golang.org/x/sys/unix.fcntl',
    'vendor/golang.org/x/sys/unix.fcntl',
  ])('%s', (name) => {
    expect(keepsNumbersInVariables(name)).toBe(true);
  });

  it.each(['main.syscall', 'example.com/syscall.f', 'runtime/pprof.f', 'golang.org/x/sys/unix/other.f'])(
    'not %s',
    (name) => {
      expect(keepsNumbersInVariables(name)).toBe(false);
    },
  );
});
