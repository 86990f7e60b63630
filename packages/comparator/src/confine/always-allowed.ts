/**
 * Calls that Confine allows to every container, needed or not: what programs need to start, and what the container
 * runtime of the time needed (containerProfiler.py of https://github.com/shamedgh/confine; "getsid" there is no call).
 */
export const alwaysAllowed: readonly string[] = (
  'access arch_prctl brk close execve exit_group fcntl fstat geteuid lseek mmap mprotect munmap openat prlimit64 read ' +
  'rt_sigaction rt_sigprocmask set_robust_list set_tid_address stat statfs write setns capget capset chdir fchown futex ' +
  'getdents64 getpid getppid lstat prctl setgid setgroups setuid io_setup getdents clone readlinkat newfstatat getrandom ' +
  'sigaltstack getresgid getresuid setresgid setresuid alarm getpgrp epoll_pwait vfork'
).split(' ');

/**
 * The same for containers in which a program named `java` runs. Of the 44 names on its list these are calls; the others
 * (`fopen`, `realpath`, `readdir`, …) are functions, and allow nothing.
 */
export const allowedToJava: readonly string[] = (
  'open getcwd openat close link unlink unlinkat mknod rename renameat mkdir rmdir readlink symlink stat lstat fstat chown ' +
  'lchown fchown chmod fchmod utimes read write access clock_getres get_mempolicy gettid getcpu fallocate memfd_create ' +
  'newfstatat'
).split(' ');
