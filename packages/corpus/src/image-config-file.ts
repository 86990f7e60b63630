import type { Digest, ImageRecipe } from '@prof-gen/core';

const epoch = '1970-01-01T00:00:00Z';

/**
 * The config file of a recipe's image (OCI image specification, config.md, with Docker's health check).
 * @param layers digests of the uncompressed layers, lowest first
 */
export function imageConfigFile({ config, suite }: ImageRecipe, layers: readonly Digest[]): Uint8Array {
  const set = (names: readonly string[]) =>
    names.length === 0 ? undefined : Object.fromEntries([...names].sort().map((name) => [name, {}]));
  const steps = [`the base of Debian ${suite}`, 'what the recipe adds'];
  return Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      created: epoch,
      config: {
        Entrypoint: config.entrypoint,
        Cmd: config.cmd,
        Env: config.env,
        User: config.user,
        WorkingDir: config.workingDir,
        ExposedPorts: set(config.ports),
        Volumes: set(config.volumes),
        StopSignal: config.stopSignal,
        Healthcheck: config.healthcheck && { Test: config.healthcheck },
      },
      rootfs: { type: 'layers', diff_ids: layers },
      history: layers.map((_, i) => ({ created: epoch, created_by: `prof-gen corpus: ${steps[i]}` })),
    }),
  );
}
