import { z } from 'zod';

const absolutePath = z.string().regex(/^\/(?!.*(?:^|\/)\.\.(?:\/|$))/, 'an absolute path without ..');

/** How an image is rebuilt from Debian packages: `datasets/debian-official/*.yaml`. */
export const imageRecipeSchema = z.strictObject({
  schemaVersion: z.literal(1),
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/),
  /** Official image and tag that it stands for; absent for helpers such as the tools image. */
  official: z.string().optional(),
  description: z.string(),
  suite: z.enum(['bullseye', 'bookworm', 'trixie', 'sid']),
  packages: z.array(z.string().regex(/^[a-z0-9][a-z0-9+.-]*$/)).min(1),
  files: z
    .array(z.strictObject({ path: absolutePath, content: z.string(), mode: z.number().default(0o644) }))
    .default([]),
  /** Symbolic links, path and target. */
  links: z.array(z.strictObject({ path: absolutePath, target: z.string() })).default([]),
  /** Directories to make, with the owner by name. */
  directories: z
    .array(
      z.strictObject({
        path: absolutePath,
        owner: z.string().default('root'),
        mode: z.number().default(0o755),
      }),
    )
    .default([]),
  config: z.strictObject({
    entrypoint: z.array(z.string()).optional(),
    cmd: z.array(z.string()).optional(),
    env: z.array(z.string()).default([]),
    user: z.string().optional(),
    workingDir: absolutePath.optional(),
    ports: z.array(z.string().regex(/^\d+\/(tcp|udp)$/)).default([]),
    volumes: z.array(absolutePath).default([]),
    stopSignal: z.string().optional(),
    healthcheck: z.array(z.string()).optional(),
  }),
});
export type ImageRecipe = z.infer<typeof imageRecipeSchema>;
