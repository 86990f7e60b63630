import { imageConfigFileSchema, imageRecipeSchema } from '@prof-gen/core';
import { describe, expect, it } from 'vitest';
import { imageConfigFile } from './image-config-file.js';

describe('imageConfigFile', () => {
  it('is a config as readers of images take it, the same each time', () => {
    const recipe = imageRecipeSchema.parse({
      schemaVersion: 1,
      name: 'app',
      description: 'd',
      suite: 'sid',
      packages: [],
      config: {
        entrypoint: ['start'],
        env: ['A=1'],
        ports: ['80/tcp', '443/tcp'],
        volumes: ['/data'],
        workingDir: '/',
        healthcheck: ['CMD', 'true'],
      },
    });
    const layers = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`] as const;
    const bytes = imageConfigFile(recipe, layers);
    expect(imageConfigFile(recipe, layers)).toEqual(bytes);
    expect(imageConfigFileSchema.parse(JSON.parse(bytes.toString()))).toMatchObject({
      os: 'linux',
      architecture: 'amd64',
      config: {
        entrypoint: ['start'],
        cmd: [],
        env: ['A=1'],
        exposedPorts: ['443/tcp', '80/tcp'],
        volumes: ['/data'],
        healthcheck: ['CMD', 'true'],
      },
      rootfs: { diff_ids: layers },
    });
  });
});
