import { type Denial, type Proof, x86_64Syscalls } from '@prof-gen/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTracer, type Tracer } from '../src/index.js';
import { callsOf, type ProgramImage, profileWithout, programImage, runOnce } from './fixture.js';

const image = 'prof-gen-test/denials:1';
/** Those that do not come back, wait, stop others, or write to all disks. */
const never = [
  ...[
    'exit',
    'exit_group',
    'execve',
    'execveat',
    'fork',
    'vfork',
    'clone',
    'clone3',
    'pause',
    'rt_sigreturn',
  ],
  ...['sync', 'sched_setattr', 'sched_setscheduler', 'userfaultfd', 'restart_syscall', 'brk', 'arch_prctl'],
  ...['uretprobe', 'uprobe'],
];
/** The newest call that every libseccomp knows which is in use. */
const newest = x86_64Syscalls.numberOf('faccessat2') ?? 0;
const made = x86_64Syscalls.names.filter(
  (name) => !never.includes(name) && (x86_64Syscalls.numberOf(name) ?? 0) <= newest,
);
/** What the runtime needs after it has loaded the filter, and what libc calls before and after `main`. */
const ofOthers = new Set(
  (
    'capget capset chdir close execve faccessat2 fstat fstatfs getcwd getdents64 getppid newfstatat openat openat2 ' +
    'prctl read setgid setgroups setuid statx write futex nanosleep tgkill getpid gettid epoll_pwait epoll_ctl fcntl ' +
    'sched_yield mmap munmap madvise rt_sigprocmask rt_sigaction sigaltstack lseek ' +
    'mprotect set_tid_address set_robust_list rseq prlimit64 readlink readlinkat getrandom uname'
  ).split(' '),
);

/** Every call of the table with arguments of which the kernel can make nothing: nearly all fail. */
const everything = `
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
  static const int numbers[] = { ${made.map((name) => x86_64Syscalls.numberOf(name)).join(', ')} };
  for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
    for (int j = 0; j < 2; j++) syscall(numbers[i], -1L, -1L, -1L, -1L, -1L, -1L);
  _exit(0);
}`;

/** The same call, let through and denied by an argument in turn, by two threads. */
const judged = `
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>
static void *run(void *unused) {
  for (int i = 0; i < 50; i++) {
    syscall(SYS_getpriority, 0, 0); /* let through, succeeds */
    syscall(SYS_getpriority, 1, 0); /* denied */
    syscall(SYS_getpriority, 0, 0x7fffffff); /* let through, no such process */
    syscall(SYS_getpriority, 0, 0x7fffffff);
    syscall(SYS_getpriority, 1, 0x7fffffff); /* denied */
    syscall(SYS_getpriority, 1, 0x7fffffff);
    syscall(SYS_getpgid, 0x7fffffff); /* let through by number */
  }
  return 0;
}
int main(void) {
  pthread_t one, two;
  pthread_create(&one, 0, run, 0); pthread_create(&two, 0, run, 0);
  pthread_join(one, 0); pthread_join(two, 0);
  return 0;
}`;

/** Calls that signals interrupt, and a handler that comes back to them. */
const interrupted = `
#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>
static void handler(int number) {}
int main(void) {
  struct itimerval often = { { 0, 10000 }, { 0, 10000 } };
  struct sigaction action = { .sa_handler = handler };
  sigaction(SIGALRM, &action, 0);
  setitimer(ITIMER_REAL, &often, 0);
  for (int i = 0; i < 20; i++) { pause(); poll(0, 0, 1000); }
  return 0;
}`;

let tracer: Tracer;
let programs: ProgramImage;
beforeAll(async () => {
  programs = programImage(image, { everything, judged, interrupted });
  tracer = await openTracer({});
});
afterAll(async () => {
  await tracer?.close();
  programs?.remove();
});

const prove = (profile: string, ...cmd: string[]): Promise<Proof> =>
  tracer.prove({ name: cmd.join(' '), image, overrides: {}, profile, workload: runOnce(...cmd) });
const byName = (denials: readonly Denial[]): string[] =>
  denials.map(({ name, errno, count }) => `${name} ${errno} ${count}`);

describe('a denial', () => {
  it('is told from the kernel’s own refusal, whatever call it is', async () => {
    const deniable = made.filter((name) => !ofOthers.has(name));
    // Every second one, so that each denied call has neighbours that the kernel refuses.
    const denied = deniable.filter((_, index) => index % 2 === 0);
    expect(denied.length).toBeGreaterThan(100);
    const proof = await prove(profileWithout(denied), '/everything');
    expect(byName(proof.denials).sort()).toEqual(denied.map((name) => `${name} EPERM 2`).sort());
    const passed = callsOf(proof, '/everything');
    const others = made.filter((name) => !denied.includes(name));
    expect(others.filter((name) => (passed.get(name) ?? 0) < 2)).toEqual([]);
    expect(denied.filter((name) => passed.has(name))).toEqual([]);
  });

  it('is not seen where a signal handler comes back to an interrupted call', async () => {
    const proof = await prove(profileWithout([]), '/interrupted');
    expect(proof).toMatchObject({ status: 'passed', denials: [] });
    // A signal may also come between two calls.
    expect(callsOf(proof, '/interrupted').get('rt_sigreturn')).toBeGreaterThanOrEqual(40);
  });

  it('is found by its arguments where the same call was let through with others', async () => {
    const rule = { names: ['getpriority'], action: 'SCMP_ACT_ALLOW', args: [] as object[] };
    rule.args.push({ index: 0, value: 0, op: 'SCMP_CMP_EQ' });
    const proof = await prove(profileWithout(['getpriority'], [], [rule]), '/judged');
    expect(byName(proof.denials)).toEqual(['getpriority EPERM 300']);
    expect(callsOf(proof, '/judged').get('getpriority')).toBe(300);
    expect(callsOf(proof, '/judged').get('getpgid')).toBe(100);
  });
});
