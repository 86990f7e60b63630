import { z } from 'zod';
import { staticEvidenceSchema } from '../evidence/evidence.js';

/** Why a program is analysed. */
export const programOriginSchema = z.discriminatedUnion('kind', [
  /** First word of the run command, or what its wrappers and scripts lead to. `chain` is the way, file by file. */
  z.object({ kind: z.literal('run-command'), chain: z.array(z.string()) }),
  z.object({ kind: z.literal('script'), script: z.string(), line: z.number() }),
  z.object({ kind: z.literal('healthcheck'), chain: z.array(z.string()) }),
  z.object({ kind: z.literal('traced'), phase: z.string() }),
]);
export type ProgramOrigin = z.infer<typeof programOriginSchema>;

export const linkedObjectSchema = z.object({
  path: z.string(),
  /** Hexadecimal, without a prefix. */
  sha256: z.string(),
  role: z.enum(['program', 'interpreter', 'preload', 'needed', 'late']),
  /** For `late`: what says that it may be loaded (a directory rule, a name in code, the trace). */
  reason: z.string().optional(),
});
export type LinkedObject = z.infer<typeof linkedObjectSchema>;

/** A reachable instruction whose system-call number could not be decided. */
export const unresolvedSiteSchema = z.object({
  program: z.string(),
  object: z.string(),
  function: z.string(),
  site: z.string(),
  reason: z.string(),
});
export type UnresolvedSite = z.infer<typeof unresolvedSiteSchema>;

/** Something else that static reading could not decide: a command built at run time, a library not found. */
export const undecidedSchema = z.object({
  kind: z.enum(['command', 'program', 'library', 'script', 'object']),
  /** File that the question arose in. */
  where: z.string(),
  line: z.number().optional(),
  what: z.string(),
  reason: z.string(),
});
export type Undecided = z.infer<typeof undecidedSchema>;

export const staticSyscallSchema = z.object({
  number: z.number(),
  /** At most a few, the first in a stable order. */
  evidence: z.array(staticEvidenceSchema),
});

export type StaticSyscall = z.infer<typeof staticSyscallSchema>;

export const programAnalysisSchema = z.object({
  /** As the kernel has it, links followed: what a trace shows. */
  path: z.string(),
  /** Other paths that it was started by, before links were followed; sorted. Empty for one found by a trace alone. */
  calledAs: z.array(z.string()),
  sha256: z.string(),
  origin: programOriginSchema,
  objects: z.array(linkedObjectSchema),
  syscalls: z.array(staticSyscallSchema),
  unresolved: z.array(unresolvedSiteSchema),
});
export type ProgramAnalysis = z.infer<typeof programAnalysisSchema>;

/** What static analysis says of an image and a run command. */
export const analysisSchema = z.object({
  analyzerVersion: z.string(),
  /** In the order found, the run command's own first. */
  programs: z.array(programAnalysisSchema),
  undecided: z.array(undecidedSchema),
  /** Distinct ELF files that were analysed. */
  files: z.number(),
});
export type Analysis = z.infer<typeof analysisSchema>;
