import { z } from 'zod';

const seconds = z.number().positive().max(600);
const argv = z.array(z.string()).min(1);
/** A JavaScript regular expression, used with flag `m`. */
const pattern = z.string().refine(isPattern, { error: 'not a regular expression of JavaScript' });

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'm') !== undefined;
  } catch {
    return false;
  }
}

/** What output and exit must be like. Every condition given must hold. */
export const expectationSchema = z.strictObject({
  /** Exit status; 0 unless said. */
  exit: z.union([z.number().int(), z.literal('any'), z.literal('nonzero')]).default(0),
  /** Regular expressions (JavaScript, flag `m`) that standard output and error together must match. */
  output: z.array(pattern).default([]),
  /** The same for what must not occur. */
  not: z.array(pattern).default([]),
});

export const readinessSchema = z.union([
  /** A line of the container's log matches. */
  z.strictObject({ log: pattern, timeout: seconds.default(30) }),
  /** A TCP port accepts. */
  z.strictObject({ port: z.number().int().min(1).max(65535), timeout: seconds.default(30) }),
  /** GET answers with this status. */
  z.strictObject({
    http: z.strictObject({ port: z.number().int(), path: z.string(), status: z.number().default(200) }),
    timeout: seconds.default(30),
  }),
  /** A command in the container exits 0. */
  z.strictObject({ command: argv, timeout: seconds.default(30) }),
  /** The container ends by itself with status 0: programs that are not servers. */
  z.strictObject({
    exit: z.literal(0),
    /** Regular expressions that the log must match then. */
    output: z.array(pattern).default([]),
    timeout: seconds.default(60),
  }),
]);

export const stepSchema = z.strictObject({
  name: z.string(),
  /** `container`: by exec in the container, under its profile; `side`: beside it, on its network and volumes, not under it. */
  in: z.enum(['container', 'side']).default('side'),
  run: argv.optional(),
  /** Sent to the container's first process, such as HUP. */
  signal: z.string().optional(),
  /** Wait for a line of the log that appeared after this step began. */
  log: pattern.optional(),
  expect: expectationSchema.prefault({}),
  timeout: seconds.default(60),
});

const filesSchema = z
  .array(z.strictObject({ path: z.string(), content: z.string(), mode: z.number().default(0o644) }))
  .default([]);

/**
 * A server that the tested one works with, such as a replica or a database: neither traced nor under the profile, on
 * the network and volumes of the tested container, and gone with it.
 */
export const besideSchema = z.strictObject({
  name: z.string(),
  /** The tested image when absent. */
  image: z.string().optional(),
  /** Replaces the image's cmd. */
  cmd: argv.optional(),
  env: z.array(z.string()).default([]),
  /** Written into it before it starts. */
  files: filesSchema,
  ready: readinessSchema.refine((ready) => !('exit' in ready), { error: 'a server does not end by itself' }),
});

/**
 * An application-specific test: data, not code. It is run in a proof only, never while observing,
 * unless an engineer asks for it with `--observe`.
 */
export const workloadSchema = z.strictObject({
  schemaVersion: z.literal(1),
  name: z.string(),
  description: z.string(),
  /** Image for `side` steps; the tested image itself when absent. */
  tools: z.string().optional(),
  /** Replaces the image's cmd during the test, for images whose own command needs a terminal. */
  cmd: argv.optional(),
  env: z.array(z.string()).default([]),
  /** Written into the container before it starts. */
  files: filesSchema,
  /** Started after the container, in this order, and ready before it is asked whether it is. */
  beside: z.array(besideSchema).default([]),
  /** Paths on a volume that survives the second start. */
  volumes: z.array(z.string()).default([]),
  ready: readinessSchema,
  steps: z.array(stepSchema),
  /** The image's own health check is run as well when it has one. */
  health: z.strictObject({ run: argv, expect: expectationSchema.prefault({}) }).optional(),
  /** Commands of a second start on the same volumes, after the stop. */
  restart: z.strictObject({ ready: readinessSchema.optional(), steps: z.array(stepSchema) }).optional(),
  /** Start it wrongly on purpose: what a server does then uses calls as well. */
  errorPath: z
    .strictObject({ cmd: argv, expect: expectationSchema, timeout: seconds.default(30) })
    .optional(),
  stop: z
    .strictObject({
      /** The image's stop signal unless said. */
      signal: z.string().optional(),
      exit: z.union([z.number().int(), z.literal('any')]).default(0),
      timeout: seconds.default(20),
    })
    .prefault({}),
});
export type Workload = z.infer<typeof workloadSchema>;
export type WorkloadBeside = z.infer<typeof besideSchema>;
export type WorkloadStep = z.infer<typeof stepSchema>;
export type Readiness = z.infer<typeof readinessSchema>;
export type Expectation = z.infer<typeof expectationSchema>;
