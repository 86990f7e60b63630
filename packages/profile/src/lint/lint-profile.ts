import { type Finding, type Profile, x86_64Syscalls } from '@prof-gen/core';
import { syscallDecisions } from '../algebra/syscall-decisions.js';
import { expressible } from '../arguments/argument-rules.js';
import { libseccompNames, oldestLibseccomp } from '../libseccomp/libseccomp.js';
import { twinSyscalls } from './twin-syscalls.js';

/** What runc and crun call in every configuration measured, no-new-privileges included: without them nothing starts. */
const alwaysNeeded = ['close', 'execve', 'exit_group', 'openat', 'write'];

/**
 * What may go wrong with a profile, worst first, then by code. An empty list says only that nothing was found.
 *
 * - `lint/not-covered` (error): a call of the table stands in neither list, or in both
 * - `lint/argument-rule` (error): a rule that seccomp cannot check
 * - `lint/runtime-base` (error): no container can start under it
 * - `lint/unknown-name` (warning): a name that is not in the x86-64 table
 * - `lint/clone3-eperm` (warning): glibc 2.34 and later starts no thread when clone3 answers EPERM
 * - `lint/libseccomp` (note): allowed names that the oldest supported libseccomp does not know
 * - `lint/missing-twin` (note): another release of the C library may use a sibling of an allowed call
 */
export function lintProfile(profile: Profile): Finding[] {
  const decisions = syscallDecisions(profile);
  const allows = (name: string) => decisions.get(name)?.allowed === true;
  const findings: Finding[] = [];
  const report = (
    severity: Finding['severity'],
    code: string,
    syscalls: readonly string[],
    message: string,
  ) => {
    if (syscalls.length > 0)
      findings.push({ code, severity, syscalls: [...new Set(syscalls)].sort(), message });
  };

  const names = [...profile.allowed, ...profile.denied].map(({ name }) => name);
  const twice = names.filter((name, at) => names.indexOf(name) !== at);
  const absent = x86_64Syscalls.names.filter((name) => !decisions.has(name));
  report('error', 'lint/not-covered', [...twice, ...absent], 'not decided exactly once');
  report(
    'error',
    'lint/argument-rule',
    profile.allowed.filter(({ when }) => !expressible(when)).map(({ name }) => name),
    'a rule compares one argument twice, which seccomp cannot do',
  );
  report(
    'error',
    'lint/runtime-base',
    alwaysNeeded.filter((name) => !allows(name)),
    'the container runtime makes these calls before the program starts',
  );
  report(
    'warning',
    'lint/unknown-name',
    names.filter((name) => x86_64Syscalls.numberOf(name) === undefined),
    'not a system call of x86-64',
  );
  const clone3 = decisions.get('clone3');
  const clone3Breaks = clone3?.allowed === false && clone3.errno === 'EPERM';
  report(
    'warning',
    'lint/clone3-eperm',
    clone3Breaks ? ['clone3'] : [],
    'glibc 2.34 and later falls back to clone only when clone3 answers ENOSYS',
  );
  const known = libseccompNames();
  report(
    'note',
    'lint/libseccomp',
    profile.allowed
      .map(({ name }) => name)
      .filter((name) => !known.knows(x86_64Syscalls.numberOf(name) ?? Number.POSITIVE_INFINITY)),
    `libseccomp ${oldestLibseccomp} does not know these names, and its filters deny them`,
  );
  for (const twins of twinSyscalls) {
    const missing = twins.filter((name) => !allows(name));
    if (missing.length === twins.length) continue;
    const present = twins.filter(allows);
    report(
      'note',
      'lint/missing-twin',
      missing,
      `another release of a library may use these for ${present.join(', ')}`,
    );
  }

  const rank = { error: 0, warning: 1, note: 2 };
  const order = ({ code, syscalls }: Finding) => `${code} ${syscalls.join(' ')}`;
  return findings.sort((a, b) => rank[a.severity] - rank[b.severity] || (order(a) < order(b) ? -1 : 1));
}
