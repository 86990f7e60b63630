import { describe, expect, it } from 'vitest';
import { findsMethods, isInitializer, keepsNumbersInVariables } from './go-names.js';

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

describe('functions that the runtime finds by a list or by reflection', () => {
  it('initializers', () => {
    for (const name of ['main.init', 'main.init.0', 'a/b.init.12', 'main.map.init.0']) {
      expect(isInitializer(name)).toBe(true);
    }
    for (const name of ['main.initialize', 'main.(*T).initX', 'main.init.0.func1']) {
      expect(isInitializer(name)).toBe(false);
    }
  });

  it('methods by reflection', () => {
    for (const name of [
      'reflect.Value.Method',
      'reflect.(*rtype).MethodByName',
      'reflect.Value.MethodByName',
    ]) {
      expect(findsMethods(name)).toBe(true);
    }
    for (const name of ['reflect.Value.NumMethod', 'reflect.(*rtype).Methods', 'main.Method']) {
      expect(findsMethods(name)).toBe(false);
    }
  });
});
