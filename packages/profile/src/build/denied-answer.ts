import type { LibseccompNames } from '../libseccomp/libseccomp.js';

/**
 * First call that came after Linux 3.2 (kcmp, 3.5). glibc for x86-64 supports kernels from 3.2 on, so whoever uses
 * a later call must be ready to hear that it does not exist: docs/decisions/enosys.md.
 */
const firstOptionalSyscall = 312;

/**
 * How a call that nothing needs is answered. ENOSYS needs a rule, thus a name that libseccomp knows,
 * or a number above all those of the profile, where the runtime gives that answer by itself.
 */
export function deniedAnswer(number: number, names: LibseccompNames): 'EPERM' | 'ENOSYS' {
  if (number < firstOptionalSyscall) return 'EPERM';
  return names.knows(number) || number > names.highest ? 'ENOSYS' : 'EPERM';
}
