import { z } from 'zod';
import { observationMethodSchema, recordingSourceSchema } from '../evidence/evidence.js';

/** What ran the container. Part of the evidence, and of the choice of the runtime base. */
export const engineFactsSchema = z.object({
  engine: z.string(),
  engineVersion: z.string(),
  runtime: z.string(),
  runtimeVersion: z.string(),
  kernel: z.string(),
  cgroupVersion: z.string(),
});
export type EngineFacts = z.infer<typeof engineFactsSchema>;

export const observedSyscallSchema = z.object({
  number: z.number(),
  count: z.number(),
  /** Name of the first task that made it (`comm`). */
  process: z.string(),
  phase: z.string(),
});

/** One executable that ran in the container. */
export const observedProgramSchema = z.object({
  /** Path in the container as the kernel resolved it. */
  path: z.string(),
  /** Distinct argument vectors it was started with, bounded. */
  argvs: z.array(z.array(z.string())),
  /** Objects mapped executable, by path. */
  objects: z.array(z.string()),
  syscalls: z.array(observedSyscallSchema),
  phase: z.string(),
});
export type ObservedProgram = z.infer<typeof observedProgramSchema>;

/** A call that a seccomp filter answered instead of the kernel. */
export const denialSchema = z.object({
  number: z.number(),
  name: z.string(),
  program: z.string(),
  process: z.string(),
  phase: z.string(),
  /** Name of the error the caller got, such as EPERM. */
  errno: z.string(),
  count: z.number(),
  /** What the profile's rules for the call look at, as the first such call had it: `value` is hexadecimal with `0x`. */
  arguments: z.array(z.object({ index: z.int().min(0).max(5), value: z.string() })).optional(),
  /**
   * The refusal is meant: Docker's default refuses the call to every container, or the profile answers
   * ENOSYS so that the libc falls back. Listed, but no reason to fail a proof whose steps passed.
   */
  expected: z.boolean(),
});
export type Denial = z.infer<typeof denialSchema>;

export const stepResultSchema = z.object({
  name: z.string(),
  passed: z.boolean(),
  /** What was expected and what came instead; printable, bounded. Empty when passed. */
  detail: z.string(),
});
export type StepResult = z.infer<typeof stepResultSchema>;

export const phaseResultSchema = z.object({
  name: z.string(),
  steps: z.array(stepResultSchema),
});
export type PhaseResult = z.infer<typeof phaseResultSchema>;

/** An exec that the kernel refused. Shells try every directory of PATH, so most are harmless. */
export const failedExecSchema = z.object({
  /** Path as given to the kernel; cut at 119 bytes. */
  path: z.string(),
  program: z.string(),
  phase: z.string(),
  errno: z.string(),
});
export type FailedExec = z.infer<typeof failedExecSchema>;

/** Calls by another ABI of the same machine: numbers of other tables, which an x86-64 profile kills or denies. */
export const foreignCallSchema = z.object({
  abi: z.enum(['i386', 'x32']),
  number: z.number(),
  program: z.string(),
  process: z.string(),
  phase: z.string(),
  count: z.number(),
});
export type ForeignCall = z.infer<typeof foreignCallSchema>;

/** What was seen of one container that ran under Docker's default profile. */
export const observationSchema = z.object({
  method: observationMethodSchema,
  engine: engineFactsSchema,
  programs: z.array(observedProgramSchema),
  /** `io_uring` operations pass by both the tracer and seccomp. */
  ioUring: z.boolean(),
  /** Calls that Docker's default profile denied meanwhile. */
  denials: z.array(denialSchema),
  phases: z.array(phaseResultSchema),
  failedExecs: z.array(failedExecSchema).optional(),
  foreignCalls: z.array(foreignCallSchema).optional(),
});
export type Observation = z.infer<typeof observationSchema>;

/** What another tool recorded of a container, as evidence. */
export const importedRecordingSchema = z.object({
  source: recordingSourceSchema,
  /** Of the file, hexadecimal. */
  sha256: z.string(),
  /** Programs that the recording tells of, as in an observation; their only phase is `recorded`. */
  programs: z.array(observedProgramSchema),
  /** Numbers of calls of which the recording does not tell the program, ascending. */
  syscalls: z.array(z.number()),
  /** Calls by another ABI and names that the x86-64 table lacks, sorted: no part of the profile. */
  leftOut: z.array(z.string()),
});
export type ImportedRecording = z.infer<typeof importedRecordingSchema>;

/** What happened when the application-specific test ran under a profile. */
export const proofSchema = z.object({
  status: z.enum(['passed', 'failed']),
  workload: z.string(),
  engine: engineFactsSchema,
  phases: z.array(phaseResultSchema),
  denials: z.array(denialSchema),
  /** The same record as in an observation, for what ran during the proof. */
  programs: z.array(observedProgramSchema),
  failedExecs: z.array(failedExecSchema).optional(),
  foreignCalls: z.array(foreignCallSchema).optional(),
});
export type Proof = z.infer<typeof proofSchema>;
