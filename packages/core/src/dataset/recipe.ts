import { z } from 'zod';

const absolutePath = z
  .string()
  .regex(/^(?!.*\/\.\.(?:\/|$))\/[^\p{Cc}]*$/u, 'an absolute path without .. and control characters');

/** Permissions, set-user-id and the like included. */
const mode = z.number().int().min(0).max(0o7777);

/** Without control characters: a line of a list, or one argument. */
const line = z.string().regex(/^[^\p{Cc}]+$/u, 'a text of one line');

const owner = z.string().regex(/^[a-z_][a-z0-9_-]*$/, 'the name of a user');

/** A package of the npm registry, or a part of it, put into the image as it was published; its scripts never run. */
const npmPackageSchema = z.strictObject({
  package: z
    .string()
    .regex(/^(?:@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/, 'the name of an npm package'),
  /** Exact: ranges mean something else every day. */
  version: z.string().regex(/^\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?$/, 'an exact version'),
  /** What of the package: a file or a directory in it; the whole package unless said. */
  from: z
    .string()
    .regex(/^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$))[^\p{Cc}]+$/u, 'a path within the package')
    .optional(),
  /** Where it is put. */
  to: absolutePath,
  /** Installs what the package depends on into its own node_modules, as the registry was on that day (UTC). */
  dependencies: z.strictObject({ before: z.iso.date() }).optional(),
});
export type NpmPackage = z.infer<typeof npmPackageSchema>;

const recipeName = z.string().regex(/^[a-z0-9][a-z0-9._-]*$/);

/**
 * How an image is rebuilt from Debian packages: `datasets/debian-official/*.yaml`. The order of building is: root's
 * `directories`, `debconf`, `packages`, `npm`, the other `directories`, `files`, `links`, `setup`, `remove`.
 */
export const imageRecipeSchema = z.strictObject({
  schemaVersion: z.literal(1),
  name: recipeName,
  /** Official image and tag that it stands for; absent for helpers such as the tools image. */
  official: z.string().optional(),
  description: z.string(),
  suite: z.enum(['bullseye', 'bookworm', 'trixie', 'sid']),
  /** Installed without what they merely recommend; none for the suite's own minimal system. */
  packages: z.array(z.string().regex(/^[a-z0-9][a-z0-9+.-]*$/)),
  /** Offers the packages of the suite's backports too; they are taken where the suite has none of that name. */
  backports: z.boolean().default(false),
  /** Answers to questions of packages, as debconf-set-selections(1) reads them. */
  debconf: z.array(line).default([]),
  npm: z.array(npmPackageSchema).default([]),
  files: z
    .array(z.strictObject({ path: absolutePath, content: z.string(), mode: mode.default(0o644) }))
    .default([]),
  /** Symbolic links, path and target. */
  links: z.array(z.strictObject({ path: absolutePath, target: line })).default([]),
  /** Directories to make, with the owner by name. */
  directories: z
    .array(
      z.strictObject({
        path: absolutePath,
        owner: owner.default('root'),
        mode: mode.default(0o755),
      }),
    )
    .default([]),
  /**
   * Shell commands that root runs in the image when all else is in place, each ending the build when it fails. There is
   * no network, /tmp is another one, and a service that they start ends with them.
   */
  setup: z.array(z.string()).default([]),
  /** Paths (with `*` and `?`) that are taken away at last: what packages generate and what differs every time. */
  remove: z.array(absolutePath).default([]),
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

/**
 * What a recipe's file may say instead: only what differs from the recipe it extends, such as another suite. Each key that
 * it has replaces that of the other whole, so that what an image gets is read in at most two files.
 */
export const recipeVariantSchema = imageRecipeSchema
  .partial()
  .required({ name: true })
  .extend({
    schemaVersion: z.literal(1),
    extends: recipeName,
  });
