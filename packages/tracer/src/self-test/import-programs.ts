import type { Engine } from '../engine/engine.js';
import { label, ownerLabel } from '../engine/owner.js';
import { type TarFile, tarOf } from '../engine/tar.js';

/**
 * Makes an image of a few files that runs the first; it is removed at the next start when its maker is gone.
 * @param more changes of its configuration, as lines of a Dockerfile
 */
export async function importPrograms(
  engine: Engine,
  tag: string,
  programs: readonly Pick<TarFile, 'path' | 'content'>[],
  more: readonly string[] = [],
): Promise<void> {
  await engine.call('import a program', async () => {
    const archive = tarOf(
      programs.map(({ path, content }) => ({ path: path.slice(1), content, mode: 0o755 })),
    );
    const changes = [
      `LABEL ${label}=1`,
      `LABEL ${ownerLabel}=${engine.owner}`,
      `CMD ["${programs[0]?.path}"]`,
      ...more,
    ];
    const [repo, name] = tag.split(':');
    const stream = await engine.docker.importImage(archive as never, { repo, tag: name, changes });
    for await (const _ of stream as AsyncIterable<unknown>);
  });
}
