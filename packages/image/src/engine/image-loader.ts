import { Readable } from 'node:stream';
import { ProfGenError, printable } from '@prof-gen/core';
import { engineError, inTime } from './engine-call.js';

/** Milliseconds that an engine may take to say what an image is, and to load an archive. */
const inspectTime = 30_000;
const loadTime = 600_000;

export interface EngineOptions {
  /** By default what DOCKER_HOST says, then Docker's own. */
  readonly socketPath?: string;
}

/** The engine, to be given images. */
export interface ImageLoader {
  /** The id of what a tag names: with the classic storage its config's digest. Undefined when it names nothing. */
  idOf(tag: string): Promise<string | undefined>;
  /**
   * @param archive as `dockerArchive` makes it
   * @throws ProfGenError `environment/*`, `image/not-loadable`
   */
  load(archive: AsyncIterable<Uint8Array>): Promise<void>;
}

export async function imageLoader(options: EngineOptions, signal?: AbortSignal): Promise<ImageLoader> {
  const { default: Docker } = await import('dockerode');
  const engine = new Docker(
    options.socketPath === undefined ? undefined : { socketPath: options.socketPath },
  );
  return {
    async idOf(tag) {
      try {
        return (await inTime(engine.getImage(tag).inspect(), inspectTime, signal)).Id;
      } catch (thrown) {
        signal?.throwIfAborted();
        const error = engineError(thrown, tag);
        if (error.code === 'image/not-found') return undefined;
        throw error;
      }
    },
    async load(archive) {
      // A stream that fails ends no request by itself: the request is ended, and the stream's own error is told.
      const broken = new AbortController();
      const abortSignal = signal === undefined ? broken.signal : AbortSignal.any([broken.signal, signal]);
      const stream = Readable.from(archive);
      stream.on('error', (error) => broken.abort(error));
      let said = '';
      try {
        await inTime(
          (async () => {
            for await (const bytes of await engine.loadImage(stream, { quiet: true, abortSignal }))
              said = (said + String(bytes)).slice(-4_000);
          })(),
          loadTime,
          abortSignal,
        );
      } catch (thrown) {
        if (abortSignal.aborted) throw abortSignal.reason;
        throw engineError(thrown, 'the archive');
      } finally {
        stream.destroy();
      }
      if (/"error"/.test(said)) {
        throw new ProfGenError(
          'image/not-loadable',
          `the engine did not load the images: ${printable(said)}`,
        );
      }
    },
  };
}
