import { spawn } from 'node:child_process';
import { ProfGenError, printable } from '@prof-gen/core';

/**
 * Counts calls of processes between loading a seccomp filter and executing a program, of all their threads. Loaded by
 * seccomp(2) (SECCOMP_SET_MODE_FILTER is 1) or by prctl(2) (PR_SET_SECCOMP is 22, SECCOMP_MODE_FILTER 2), as runc does
 * for a filter without flags. Printed as a map when bpftrace ends.
 */
const program = `BEGIN { printf("ready\\n"); }
tracepoint:syscalls:sys_enter_seccomp / args->op == 1 / { @loading[tid] = 1; }
tracepoint:syscalls:sys_enter_prctl / args->option == 22 && args->arg2 == 2 / { @loading[tid] = 1; }
tracepoint:syscalls:sys_exit_seccomp, tracepoint:syscalls:sys_exit_prctl / @loading[tid] /
{
  if (args->ret == 0) { @filtered[pid] = 1; }
  delete(@loading[tid]);
}
tracepoint:raw_syscalls:sys_enter / @filtered[pid] / { @calls[args->id] = count(); }
tracepoint:sched:sched_process_exec / @filtered[pid] / { delete(@filtered[pid]); }
tracepoint:sched:sched_process_exit / @filtered[tid] / { delete(@filtered[tid]); }
END { clear(@loading); clear(@filtered); }
`;

const startLimit = 180_000;

/**
 * Numbers of the calls that any process of this machine makes under a new filter while `work` runs: of the runtime's
 * own, and of whoever else loads one meanwhile.
 * @throws ProfGenError `environment/bpf`, and what `work` throws
 */
export async function callsUnderNewFilters(work: () => Promise<void>): Promise<ReadonlySet<number>> {
  const child = spawn('bpftrace', ['-e', program], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let output = '';
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4_000);
  });
  const ended = new Promise<void>((resolve) => {
    child.on('error', () => resolve()).on('exit', () => resolve());
  });
  const ready = new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), startLimit);
    child.stdout.setEncoding('latin1').on('data', (text: string) => {
      output += text;
      if (output.includes('ready\n')) resolve(true);
    });
    void ended.then(() => resolve(false)).finally(() => clearTimeout(timer));
  });
  try {
    if (!(await ready)) {
      throw new ProfGenError(
        'environment/bpf',
        `bpftrace could not start: ${printable(errors.trim(), 600)}`,
        {
          hint: 'measuring needs root with CAP_BPF and CAP_PERFMON (or CAP_SYS_ADMIN), and tracefs',
        },
      );
    }
    await work();
  } finally {
    child.kill('SIGINT');
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(timer);
  }
  return new Set([...output.matchAll(/^@calls\[(\d+)\]: \d+$/gm)].map(([, number]) => Number(number)));
}
