import { z } from 'zod';

/** One step of the way from a program's start to a system call. */
export const chainStepSchema = z.object({
  /** Path of the ELF file in the image. */
  object: z.string(),
  /** Symbol, or `+0x1a2b` (address in the file's own numbering) where no source has a name. */
  function: z.string(),
  /** How this function came to be reached from the step before. */
  via: z.enum(['entry', 'init', 'export', 'call', 'import', 'address', 'data', 'resolver']),
});
export type ChainStep = z.infer<typeof chainStepSchema>;

/** An instruction in a program's closure that makes the call. */
export const staticEvidenceSchema = z.object({
  kind: z.literal('static'),
  program: z.string(),
  object: z.string(),
  function: z.string(),
  /** Virtual address of the instruction in the object's own numbering, hexadecimal with `0x`. */
  site: z.string(),
});

/** The call was seen being made in a container. */
export const tracedEvidenceSchema = z.object({
  kind: z.literal('traced'),
  program: z.string(),
  /** Name of the first task that made it (`comm`). */
  process: z.string(),
  phase: z.string(),
  method: z.enum(['bpftrace', 'strace', 'import']),
});

/** The container runtime itself makes the call after the filter is on. */
export const runtimeBaseEvidenceSchema = z.object({
  kind: z.literal('runtime-base'),
  runtime: z.string(),
  version: z.string(),
});

/** The kernel makes the call happen: `restart_syscall` after a signal, the fallback of a vDSO call. */
export const kernelEvidenceSchema = z.object({ kind: z.literal('kernel'), reason: z.string() });

/** `--learn`: a proof denied it, and it was added. */
export const learnedEvidenceSchema = z.object({
  kind: z.literal('learned'),
  program: z.string(),
  process: z.string(),
  phase: z.string(),
});

/** Somebody asked for it. */
export const userEvidenceSchema = z.object({ kind: z.literal('user'), reason: z.string() });

/** One reason for one system call. */
export const evidenceSchema = z.discriminatedUnion('kind', [
  staticEvidenceSchema,
  tracedEvidenceSchema,
  runtimeBaseEvidenceSchema,
  kernelEvidenceSchema,
  learnedEvidenceSchema,
  userEvidenceSchema,
]);
export type Evidence = z.infer<typeof evidenceSchema>;
export type StaticEvidence = z.infer<typeof staticEvidenceSchema>;
export type TracedEvidence = z.infer<typeof tracedEvidenceSchema>;
