import { z } from 'zod';
import { chainStepSchema, staticEvidenceSchema } from '../evidence/evidence.js';

/**
 * What counts as reachable, the narrowest first; each contains the one before, but for `imports`.
 * - `objects`: functions and data objects are one graph, walked from the real entry points
 * - `code`: besides, every pointer that lies in data of a loaded file
 * - `address-taken`: besides, every function whose address any code of a loaded file takes
 * - `imports`: all code of every file, and what the C library reaches from the symbols that any of them imports
 */
export const reachabilities = ['objects', 'code', 'address-taken', 'imports'] as const;
export const reachabilitySchema = z.enum(reachabilities);
export type Reachability = z.infer<typeof reachabilitySchema>;

/** Why a program is analysed. */
export const programOriginSchema = z.discriminatedUnion('kind', [
  /** First word of the run command, or what its wrappers and scripts lead to. `chain` is the way, file by file. */
  z.object({ kind: z.literal('run-command'), chain: z.array(z.string()) }),
  z.object({ kind: z.literal('script'), script: z.string(), line: z.number() }),
  z.object({ kind: z.literal('healthcheck'), chain: z.array(z.string()) }),
  /** By another program, of its own accord: a compiler's pass, a runtime's helper. */
  z.object({ kind: z.literal('started'), program: z.string(), reason: z.string() }),
  z.object({ kind: z.literal('traced'), phase: z.string() }),
]);
export type ProgramOrigin = z.infer<typeof programOriginSchema>;

export const linkedObjectSchema = z.object({
  path: z.string(),
  /** Hexadecimal, without a prefix. */
  sha256: z.string(),
  /** `late`: opened by name while the program runs; `late-needed`: what such an object is linked to. */
  role: z.enum(['program', 'interpreter', 'preload', 'needed', 'late', 'late-needed']),
  /** For those that are late: what says that it may be loaded (a directory rule, a name in code, the trace). */
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
  /** The shortest way to it, shown by the steps that enter an object: entry points, and symbols bound or looked up. */
  chain: z.array(chainStepSchema).optional(),
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
  reachability: reachabilitySchema,
  /** In the order found, the run command's own first. */
  programs: z.array(programAnalysisSchema),
  undecided: z.array(undecidedSchema),
  /** Distinct ELF files that were analysed. */
  files: z.number(),
});
export type Analysis = z.infer<typeof analysisSchema>;
