import { z } from 'zod';

/**
 * What other methods look at in one ELF file, whoever loads it: plain data for the lines that profiles are compared
 * with. Every list is sorted and holds each thing once.
 */
export const lineFactsSchema = z.strictObject({
  /** Undefined dynamic symbols that must be found. */
  imports: z.array(z.string()),
  /** Undefined dynamic symbols that may be missing. */
  weakImports: z.array(z.string()),
  /** Numbers that stand near an instruction which makes a system call: see `directCalls` of the analyzer. */
  direct: z.array(z.number()),
  /** Such instructions without a number near them. */
  undecided: z.number(),
  /** Built by Go's compiler. */
  go: z.boolean(),
});
export type LineFacts = z.infer<typeof lineFactsSchema>;

/** A function of a library, for `LibraryGraph`. References are positions in its list. */
export interface LibraryFunction {
  /** Names that it is exported by, sorted. */
  readonly exports: readonly string[];
  /** It calls these, or runs on into them. */
  readonly calls: readonly number[];
  /** It takes the address of these. */
  readonly takes: readonly number[];
  /** Imported symbols that it refers to. */
  readonly imports: readonly string[];
  /** Numbers of the system calls that its own instructions make. */
  readonly syscalls: readonly number[];
}

/** A library's functions and who calls whom, without what data points to; only what leads to a call is there. */
export type LibraryGraph = readonly LibraryFunction[];
