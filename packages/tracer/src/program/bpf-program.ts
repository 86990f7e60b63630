import type { KernelFacts } from './kernel-facts.js';
import { operations } from './message.js';

export interface ProgramOptions {
  readonly kernel: KernelFacts;
  /** Process whose writes are orders, and the first word of an order: see message.ts. */
  readonly controller: { readonly pid: number; readonly magic: number };
}

/** Longest piece of a name or of arguments in one line: what fits on the 512 bytes of a BPF stack beside the rest. */
export const pieceBytes = 120;
/** Path components and argument pieces per exec: loops are unrolled, so each costs instructions. */
const pathDepth = 24;
const argumentPieces = 24;

/**
 * Where the registers of a system call lie: at the top of the task's kernel stack of 16 KiB, on processors with FRED
 * 16 bytes below (arch/x86/include/asm/thread_info.h, TOP_OF_KERNEL_STACK_PADDING). The number there says which.
 */
const registersAt = (padding: number): string =>
  `(uint64)curtask->stack + ${16_384 - padding} - sizeof(struct pt_regs)`;

/** Where the arguments of a call by the x86-64 ABI lie (syscall(2)). */
const argumentRegisters = ['di', 'si', 'dx', 'r10', 'r8', 'r9'] as const;
/** Odd, so that multiplying by it loses nothing: a number and six arguments become one word. */
const mixingFactor = 0x1e3779b97f4a7c15n;

/** ABI in a call's number: i386 by this bit (numbers stay far below it); x32 has its own, bit 30 (syscall(2)). */
export const compatBit = 1 << 20;

/**
 * The one bpftrace program, which watches all containers at once.
 *
 * A task is marked when it executes a file inside a watched container's cgroup and outside the host's mount
 * namespaces, so that the runtime's own calls never count; a fork passes the mark on. A mark is one number:
 * the container's slot (16 bits) and its current program (48 bits of device and inode). Calls are counted per mark and
 * number in `@c`, which is the truth; lines are printed when something is seen for the first time, and counted per
 * slot in `@l`, so that none is lost unnoticed.
 *
 * seccomp runs before the sys_enter tracepoint and sys_exit comes in any case (kernel/entry/common.c): a negative
 * result without an entry before it was given by a filter, not by the kernel. Remembering each entry until its exit would
 * cost two updates of a map for each call. A filter is a function of number and arguments (seccomp(2)), so it suffices
 * to know that it has let such a call of this program through: for calls that it looks at by number alone, that one has
 * entered (`@s` is 1); for the others (`@s` is 2, `@j` says which), that the task's last one with this number and these
 * arguments has (`@a`).
 *
 * All text that a container controls (names, arguments) is printed as hexadecimal digits: it cannot forge a line.
 */
export function bpfProgram({ kernel, controller }: ProgramOptions): string {
  const node =
    kernel.cgroup.version === 2
      ? 'curtask->cgroups->dfl_cgrp->kn'
      : `curtask->cgroups->subsys[${kernel.cgroup.subsystem}]->cgroup->kn`;
  const name = (offset: number): string =>
    `*(uint64*)((uint64)$node->name + ${kernel.cgroupNamePrefix.length + offset})`;
  const foreign = kernel.hostMountNamespaces.map((inode) => `$namespace != ${inode}`).join(' && ');
  const call = `(uint64)args->id | (((uint64)curtask->thread_info.status & 2) << 19)`;
  const mixed = (argument: (index: number) => string): string =>
    argumentRegisters.reduce(
      (sum, _, index) => `((${sum}) ^ ${argument(index)}) * ${mixingFactor}`,
      '(uint64)args->id',
    );
  const piece = (bytes: string, length: string): string => `buf(${bytes}, ${length})`;

  // The rest of a long name comes after the loop, for one name of a path: each line in it costs a tenth of a second at the start.
  const path = `
    $depth = (uint64)0;
    $long = (uint64)0;
    $longNames = (uint64)0;
    $longLength = (uint64)0;
    $longDepth = (uint64)0;
    unroll(${pathDepth}) {
      if ($dentry != $dentry->d_parent) {
        $length = (uint64)$dentry->d_name.len;
        $text = (uint64)$dentry->d_name.name;
        printf("P|%llx.%x|%rx\\n", $id, cpu, ${piece('kptr($text)', '$length')});
        if ($length > ${pieceBytes}) {
          $long = $text;
          $longNames = $longNames + 1;
          $longLength = $length;
          $longDepth = $depth;
        }
        $depth = $depth + 1;
        $dentry = $dentry->d_parent;
      }
    }
    if ($long != 0) {
      printf("Q|%llx.%x|%llu|%rx\\n", $id, cpu, $longDepth, ${piece(`kptr($long + ${pieceBytes})`, `$longLength - ${pieceBytes}`)});
      if ($longLength > ${2 * pieceBytes}) {
        printf("Q|%llx.%x|%llu|%rx\\n", $id, cpu, $longDepth, ${piece(`kptr($long + ${2 * pieceBytes})`, `$longLength - ${2 * pieceBytes}`)});
      }
    }
    printf("E|%llx.%x|%d\\n", $id, cpu, $dentry != $dentry->d_parent || $longNames > 1);`;

  const failedExec = (syscall: string): string => `
tracepoint:syscalls:sys_enter_${syscall} / @m[tid] / { @f[tid] = (uint64)args->filename; }

tracepoint:syscalls:sys_exit_${syscall}
/ @m[tid] && @f[tid] /
{
  if (args->ret < 0) {
    $mark = @m[tid];
    @l[$mark >> 48] = count();
    printf("V|%llx|%llu|%lld|%rx\\n", $mark, @phase[$mark >> 48], args->ret, ${piece('uptr(@f[tid])', String(pieceBytes))});
  }
  delete(@f[tid]);
}
`;

  return `BEGIN { printf("ready\\n"); }

// A reader that is gone breaks the pipe: no bpftrace outlives its tracer for longer than this.
interval:s:2 { printf("alive\\n"); }

tracepoint:sched:sched_process_exec
{
  $namespace = (uint64)curtask->nsproxy->mnt_ns->ns.inum;
  if (${foreign}) {
    $node = ${node};
    $before = @m[args->old_pid];
    $slot = @slot[${name(0)}, ${name(8)}];
    if ($slot == 0) { $slot = $before >> 48; }
    if ($slot != 0) {
      $file = curtask->mm->exe_file;
      $device = (uint64)$file->f_inode->i_sb->s_dev;
      $mark = ($slot << 48) | (((uint64)$file->f_inode->i_ino ^ ($device << 32)) & 0xffffffffffff);
      // An exec by a thread ends the others and takes the leader's number.
      if ((uint64)args->old_pid != (uint64)tid) { delete(@m[args->old_pid]); delete(@a[args->old_pid]); }
      @m[tid] = $mark;
      $id = nsecs;
      @l[$slot] = count();
      printf("X|%llx.%x|%llx|%llu|%llu\\n", $id, cpu, $mark, @phase[$slot], $device);
      if (!@x[$mark]) {
        @x[$mark] = 1;
        $dentry = $file->f_path.dentry;${path.replaceAll('\n', '\n    ')}
      }
      $at = (uint64)curtask->mm->arg_start;
      $end = (uint64)curtask->mm->arg_end;
      unroll(${argumentPieces}) {
        if ($at < $end) {
          printf("A|%llx.%x|%rx\\n", $id, cpu, ${piece('uptr($at)', '$end - $at')});
          $at = $at + ${pieceBytes};
        }
      }
      printf("Y|%llx.%x|%d\\n", $id, cpu, $at < $end);
    }
  }
}

tracepoint:sched:sched_process_fork
{
  $mark = @m[args->parent_pid];
  if ($mark) { @m[args->child_pid] = $mark; }
}

tracepoint:sched:sched_process_exit
{
  if (@m[tid]) { delete(@m[tid]); delete(@a[tid]); delete(@f[tid]); }
}

tracepoint:raw_syscalls:sys_enter
{
  $mark = @m[tid];
  if ($mark) {
    $call = ${call};
    @c[$mark, $call] = count();
    $seen = @s[$mark, $call];
    if ($seen == 0) {
      $seen = 1 + @j[$mark >> 48, $call];
      @s[$mark, $call] = $seen;
      @l[$mark >> 48] = count();
      printf("F|%llx|%llu|%llu|%rx\\n", $mark, @phase[$mark >> 48], $call, ${piece('curtask->comm', '16')});
    }
    if ($seen == 2) { @a[tid] = ${mixed((index) => `(uint64)args->args[${index}]`)}; }
  } else {
    if (pid == ${controller.pid} && args->id == 1) {
      $message = (uint64)args->args[1];
      if (*(uint64*)uptr($message) == ${controller.magic}) {
        $operation = *(uint64*)uptr($message + 8);
        $a = *(uint64*)uptr($message + 16);
        $b = *(uint64*)uptr($message + 24);
        if ($operation == ${operations.watch}) {
          @slot[*(uint64*)uptr($message + 32), *(uint64*)uptr($message + 40)] = $a;
        }
        if ($operation == ${operations.phase}) { @phase[$a] = $b; }
        if ($operation == ${operations.judge}) { @j[$a, $b] = 1; }
        if ($operation == ${operations.dump}) { print(@c); print(@d); print(@l); }
        if ($operation == ${operations.clear}) {
          clear(@c); clear(@d); clear(@s); clear(@t); clear(@x); clear(@o); clear(@j); clear(@l); clear(@slot); clear(@phase);
        }
        printf("Z|%llu|%llu|%llu\\n", $operation, $a, $b);
      }
    }
  }
}

tracepoint:raw_syscalls:sys_exit
{
  // After rt_sigreturn the number is -1, and the result that of the interrupted call (arch/x86/kernel/signal_64.c).
  if (args->ret < 0 && args->id >= 0) {
    $mark = @m[tid];
    if ($mark) {
      $call = ${call};
      $seen = @s[$mark, $call];
      if ($seen != 1) {
        $registers = (struct pt_regs *)(${registersAt(0)});
        if ($registers->orig_ax != (uint64)args->id) { $registers = (struct pt_regs *)(${registersAt(16)}); }
        if ($seen == 0 || @a[tid] != ${mixed((index) => `(uint64)$registers->${argumentRegisters[index]}`)}) {
          $phase = @phase[$mark >> 48];
          $error = (uint64)(0 - args->ret);
          @d[$mark, $phase, $call, $error] = count();
          if (!@t[$mark, $phase, $call, $error]) {
            @t[$mark, $phase, $call, $error] = 1;
            @l[$mark >> 48] = count();
            if ($registers->orig_ax == (uint64)args->id) {
              printf("G|%llx|%llu|%llu|%llu|%llx|%llx|%llx|%llx|%llx|%llx\\n", $mark, $phase, $call, $error,
                ${argumentRegisters.map((register) => `(uint64)$registers->${register}`).join(', ')});
            }
            printf("D|%llx|%llu|%llu|%llu|%rx\\n", $mark, $phase, $call, $error, ${piece('curtask->comm', '16')});
          }
        }
      }
    }
  }
}

tracepoint:syscalls:sys_enter_mmap
/ @m[tid] /
{
  // A file mapped executable: PROT_EXEC without MAP_ANONYMOUS (mman.h).
  if (((uint64)args->prot & 4) == 4 && ((uint64)args->flags & 0x20) == 0) {
    $mark = @m[tid];
    $table = (uint64)curtask->files->fdt->fd;
    $file = (struct file *)(*(uint64*)kptr($table + (uint64)args->fd * 8));
    $device = (uint64)$file->f_inode->i_sb->s_dev;
    $inode = (uint64)$file->f_inode->i_ino;
    if (!@o[$mark, $inode, $device]) {
      @o[$mark, $inode, $device] = 1;
      $id = nsecs;
      @l[$mark >> 48] = count();
      printf("O|%llx.%x|%llx|%llu\\n", $id, cpu, $mark, $device);
      $dentry = $file->f_path.dentry;${path}
    }
  }
}
${failedExec('execve')}${failedExec('execveat')}`;
}
