import { z } from 'zod';

/**
 * How a function or data object came to be reached: at a program's start, or from the step before.
 * - `entry`: the file's entry point; `init`: whoever loads the file, as `because` says; `export`: a symbol of an
 *   object that may be loaded late; `assumed`: a root of another notion of reachability than `objects`
 * - `call`, `jump` (a tail call), `address` (code takes the function's address), `data` (code refers to the data),
 *   `pointer` (the data before has a pointer to it), `resolver` (of an IFUNC)
 * - `import`: the loader binds the reference to `symbol`; `lookup`: dlsym may be asked for `symbol`
 */
export const chainVias = [
  'entry',
  'init',
  'export',
  'assumed',
  'call',
  'jump',
  'address',
  'data',
  'pointer',
  'resolver',
  'import',
  'lookup',
] as const;
export type ChainVia = (typeof chainVias)[number];

/** One step of the way from a program's start to a system call. */
export const chainStepSchema = z.object({
  /** Path of the ELF file in the image. */
  object: z.string(),
  /** Function or data object: its symbol, or `+0x1a2b` (its address) where no source has a name. */
  function: z.string(),
  kind: z.enum(['function', 'data']),
  /** Where it starts, in the object's own numbering, hexadecimal with `0x`; absent where only the symbol is known. */
  address: z.string().optional(),
  via: z.enum(chainVias),
  /** For `import` and `resolver`: what the step before does with the reference. */
  reference: z.enum(['call', 'jump', 'address', 'pointer']).optional(),
  /** For `import` and `export`: name and version; for `lookup`: the name looked up. */
  symbol: z.string().optional(),
  /** What else is known of the way: what of the loader runs it, why the object may be loaded, a signal restorer. */
  because: z.string().optional(),
  /** What must hold in the function before; absent where nothing is known to. It may hold, as far as is known. */
  when: z.string().optional(),
});
export type ChainStep = z.infer<typeof chainStepSchema>;

/**
 * An argument that an instruction makes its call with: `index` counts from 0, as in a seccomp filter; `values`, ascending,
 * are all that it may be there. Of a value that was computed in 32 bits the upper half is zero. An argument that is not
 * told of may be anything.
 */
export const knownArgumentSchema = z.object({
  index: z.int().min(0).max(5),
  values: z.array(z.int()).min(1),
});
export type KnownArgument = z.infer<typeof knownArgumentSchema>;

/** A shortest way from a program's beginnings to an instruction. The last step is the function that holds it. */
export const chainSchema = z.object({
  steps: z.array(chainStepSchema),
  site: z.object({
    object: z.string(),
    function: z.string(),
    /** Of the instruction, in the object's own numbering, hexadecimal with `0x`. */
    address: z.string(),
    /** By index; absent where none is known. */
    arguments: z.array(knownArgumentSchema).optional(),
  }),
});
export type Chain = z.infer<typeof chainSchema>;

/** An instruction in a program's closure that makes the call. */
export const staticEvidenceSchema = z.object({
  kind: z.literal('static'),
  program: z.string(),
  object: z.string(),
  function: z.string(),
  /** Virtual address of the instruction in the object's own numbering, hexadecimal with `0x`. */
  site: z.string(),
  /** By index; absent where none is known. */
  arguments: z.array(knownArgumentSchema).optional(),
});

/** How calls were seen: by Prof-gen's own bpftrace or strace, or by another tool whose recording was imported. */
export const observationMethodSchema = z.enum(['bpftrace', 'strace', 'import']);
export type ObservationMethod = z.infer<typeof observationMethodSchema>;

/** What wrote a recording: which tool, and in which file it came. */
export const recordingSourceSchema = z.object({
  tool: z.enum(['strace', 'security-profiles-operator', 'oci-seccomp-bpf-hook']),
  file: z.string(),
});
export type RecordingSource = z.infer<typeof recordingSourceSchema>;

/** Program or process of a call where a recording does not tell it: no path and no name of a task. */
export const unknownProgram = '?';

/** The call was seen being made in a container. */
export const tracedEvidenceSchema = z.object({
  kind: z.literal('traced'),
  /** Its path, or `?` where a recording does not tell. */
  program: z.string(),
  /** Name of the first task that made it (`comm`), or `?`. */
  process: z.string(),
  phase: z.string(),
  method: observationMethodSchema,
  /** For `import` alone. */
  source: recordingSourceSchema.optional(),
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
