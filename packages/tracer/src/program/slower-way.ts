/** For hints: what is left where bpftrace cannot run. Neither is taken without being asked for. */
export const slower =
  '--tracer strace (of profile and run) observes without it, slowly and without proofs; --static needs no engine';
