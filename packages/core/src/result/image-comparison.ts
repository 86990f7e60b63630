import { z } from 'zod';

/**
 * What profiles of one image are compared:
 * - `prof-gen`: the profile as it is written, after Docker's default
 * - `needed`: what Prof-gen finds a need for, before Docker's default
 * - `confine`: Confine's method on the same files and the same trace
 * - `docker-default`: Docker's default profile for such a container
 * - `imports`, `address-taken`: the same programs and objects with another notion of reachability, without the trace
 * - `trace`: what was seen while the container was observed, and nothing else
 * All but `confine` and `docker-default` have the runtime's own calls with them.
 */
export const comparisonLines = [
  'prof-gen',
  'needed',
  'confine',
  'docker-default',
  'imports',
  'address-taken',
  'trace',
] as const;
export const comparisonLineSchema = z.enum(comparisonLines);
export type ComparisonLine = z.infer<typeof comparisonLineSchema>;

/** C library of an image's programs; `none`: nothing is linked to one. */
export const cLibrarySchema = z.enum(['glibc', 'musl', 'none']);
export type CLibrary = z.infer<typeof cLibrarySchema>;

/** A call that a program was seen making, for the first time in this phase. */
export const seenCallSchema = z.object({ name: z.string(), program: z.string(), phase: z.string() });
export type SeenCall = z.infer<typeof seenCallSchema>;

/** What Confine's method looked at and found; for those who check it. */
export const confineRecordSchema = z.object({
  /** `trace`: programs that ran by themselves; `static`: without a trace, programs that static analysis finds. */
  basis: z.enum(['trace', 'static']),
  /** Programs whose files count, sorted. */
  programs: z.array(z.string()),
  /** Files looked at, these programs' objects among them. */
  files: z.number(),
  /** Paths of files that could not be read, sorted. */
  unreadable: z.array(z.string()),
  /** Found near instructions that make a call, sorted. */
  direct: z.array(z.string()),
  /** Such instructions without a number near them. */
  undecided: z.number(),
  /** Found from imported functions through the C library, sorted. */
  imported: z.array(z.string()),
  /** Name of the hand-made list that was added. */
  handMade: z.string().optional(),
  /** The names that Java programs are always allowed were added. */
  java: z.boolean(),
});
export type ConfineRecord = z.infer<typeof confineRecordSchema>;

/** All lines of one image, from one analysis and one trace, with what was seen: measures are made from this alone. */
export const imageComparisonSchema = z.object({
  schemaVersion: z.literal(1),
  language: z.string(),
  libc: cLibrarySchema,
  /** In the order of `comparisonLines`; `trace` is absent without one. */
  lines: z.array(
    z.object({
      line: comparisonLineSchema,
      /** Calls of the table that the line lets pass, sorted. */
      allowed: z.array(z.string()),
      /** Of these, for certain arguments only; sorted. */
      conditional: z.array(z.string()),
    }),
  ),
  confine: confineRecordSchema,
  /** While observing; absent without an engine. */
  observed: z.array(seenCallSchema).optional(),
  /** In the application-specific test: calls made, and calls denied without meaning to; absent without one. */
  proof: z
    .object({
      status: z.enum(['passed', 'failed']),
      seen: z.array(seenCallSchema),
      denied: z.array(seenCallSchema),
    })
    .optional(),
});
export type ImageComparison = z.infer<typeof imageComparisonSchema>;
