import { rdi, rsi } from '../decode/registers.js';

/** A field that all objects of a type have, as one cell. */
interface Field {
  readonly cell: string;
  readonly offset: number;
  readonly width: number;
  /** What it may hold as long as nothing of `writers` is reachable: every union of these bits. */
  readonly bits: readonly number[];
  /** Exported functions that make it hold more. */
  readonly writers: readonly string[];
}

interface ObjectType {
  readonly fields: readonly Field[];
  /** Exported functions with a parameter that points to one, and its register. */
  readonly takers: readonly (readonly [name: string, register: number])[];
}

/**
 * What glibc's own functions put into objects that programs hold, in glibc 2.17 to 2.41
 * (sysdeps/nptl/internaltypes.h, nptl/pthreadP.h, sysdeps/nptl/bits/struct_mutex.h).
 * The assumption "thread objects" of docs/methodology.md: such objects are set up by the initializers of
 * <pthread.h> and by libc's functions alone.
 */
export const objectTypes: readonly ObjectType[] = [
  {
    // pthread_mutex_t: `__kind`. Types 0 to 3, process-shared 128, elision 256 and 512. Robust 16, priority
    // inheritance 32 and priority protection 64 come from attributes only.
    fields: [
      {
        cell: 'pthread_mutex_t.kind',
        offset: 16,
        width: 4,
        bits: [1, 2, 128, 256, 512],
        writers: [
          'pthread_mutexattr_setprotocol',
          'pthread_mutexattr_setrobust',
          'pthread_mutexattr_setrobust_np',
        ],
      },
    ],
    takers: [
      ['pthread_mutex_lock', rdi],
      ['pthread_mutex_trylock', rdi],
      ['pthread_mutex_timedlock', rdi],
      ['pthread_mutex_clocklock', rdi],
      ['pthread_mutex_unlock', rdi],
      ['pthread_cond_wait', rsi],
      ['pthread_cond_timedwait', rsi],
      ['pthread_cond_clockwait', rsi],
    ],
  },
  {
    // struct pthread_mutexattr: `mutexkind`. Type 0 to 3, process-shared 0x80000000; robust 0x40000000, protocol
    // 0x30000000 and priority ceiling 0xfff000 come from functions of their own.
    fields: [
      {
        cell: 'pthread_mutexattr_t.mutexkind',
        offset: 0,
        width: 4,
        bits: [1, 2, 0x8000_0000],
        writers: [
          'pthread_mutexattr_setprotocol',
          'pthread_mutexattr_setprioceiling',
          'pthread_mutexattr_setrobust',
          'pthread_mutexattr_setrobust_np',
        ],
      },
    ],
    takers: [['pthread_mutex_init', rsi]],
  },
  {
    // struct pthread_attr: `flags` (detached 1, process scope 4, stack 8, old 16, rseq 128; the scheduler's are
    // 2, 32 and 64) and `extension` (affinity and signal mask).
    fields: [
      {
        cell: 'pthread_attr_t.flags',
        offset: 8,
        width: 4,
        bits: [1, 4, 8, 16, 128],
        writers: [
          'pthread_attr_setinheritsched',
          'pthread_attr_setschedparam',
          'pthread_attr_setschedpolicy',
          'pthread_getattr_np',
        ],
      },
      {
        cell: 'pthread_attr_t.extension',
        offset: 40,
        width: 8,
        bits: [],
        writers: ['pthread_attr_setaffinity_np', 'pthread_attr_setsigmask_np', 'pthread_getattr_np'],
      },
    ],
    takers: [['pthread_create', rsi]],
  },
];

/** Every union of the bits, in ascending order. */
export function unionsOf(bits: readonly number[]): number[] {
  let sums = [0];
  for (const bit of bits) sums = sums.flatMap((sum) => [sum, sum + bit]);
  return sums.sort((a, b) => a - b);
}
