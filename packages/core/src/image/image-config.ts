import { z } from 'zod';

const stringList = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);

/** A health check of an image; durations in nanoseconds as in the Docker image specification v1.2. */
export const healthcheckSchema = z.object({
  /** Empty: inherit; `NONE`; `CMD` and arguments; `CMD-SHELL` and one line. */
  Test: stringList,
  Interval: z.number().optional(),
  Timeout: z.number().optional(),
  StartPeriod: z.number().optional(),
  Retries: z.number().optional(),
});

/** The part of an image's config that decides what runs (OCI image specification, config.md). */
export const imageConfigSchema = z
  .object({
    Entrypoint: stringList,
    Cmd: stringList,
    Env: stringList,
    WorkingDir: z.string().nullish(),
    User: z.string().nullish(),
    ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
    Volumes: z.record(z.string(), z.unknown()).nullish(),
    StopSignal: z.string().nullish(),
    Healthcheck: healthcheckSchema.nullish(),
    Shell: stringList,
  })
  .transform((raw) => ({
    entrypoint: raw.Entrypoint,
    cmd: raw.Cmd,
    /** `NAME=value` lines. */
    env: raw.Env,
    workingDir: raw.WorkingDir || '/',
    user: raw.User ?? '',
    /** `6379/tcp`, sorted. */
    exposedPorts: Object.keys(raw.ExposedPorts ?? {}).sort(),
    volumes: Object.keys(raw.Volumes ?? {}).sort(),
    stopSignal: raw.StopSignal || 'SIGTERM',
    /** Command of the health check, empty when there is none. */
    healthcheck: raw.Healthcheck?.Test ?? [],
    shell: raw.Shell.length > 0 ? raw.Shell : ['/bin/sh', '-c'],
  }));

export type ImageConfig = z.output<typeof imageConfigSchema>;
