import type { Digest, ImageConfig, ImageReference, Platform } from '@prof-gen/core';
import type { ProfGenError } from '@prof-gen/core';
import type { LayerStore } from '../layer/layer-store.js';
import type { ImageLimits } from '../limits/image-limits.js';
import type { RegistryOptions } from '../registry/registry-options.js';
import type { ContentReader } from '../tree/image-tree.js';
import type { TreeNode } from '../tree/tree-node.js';

/** What every provider is given. */
export interface ProviderContext {
  readonly cache: string;
  readonly platform: Platform;
  readonly limits: ImageLimits;
  readonly layers: LayerStore;
  readonly engine: { readonly socketPath?: string };
  readonly registry: RegistryOptions;
  readonly signal: AbortSignal | undefined;
  /** Bytes of layers that came in, for progress. */
  readonly received: (bytes: number) => void;
  readonly warn: (error: ProfGenError) => void;
}

/** A layer that can be read, compressed or not, as often as wanted. */
export interface LayerSource {
  /** Of the bytes that `open` gives. */
  readonly digest: Digest;
  readonly diffId: Digest;
  /** Bytes that `open` gives. */
  readonly size: number;
  /** Absent where the provider has put the layer into the layer store already and cannot give it again. */
  readonly open?: () => AsyncIterable<Uint8Array>;
}

type ProvidedContent =
  | { readonly type: 'layers'; readonly layers: readonly LayerSource[] }
  | {
      readonly type: 'tree';
      readonly root: TreeNode;
      readonly readContent: ContentReader;
      /** All content of a file, kept or not. */
      readonly stream: (path: string) => AsyncIterable<Uint8Array>;
    };

export interface ProvidedImage {
  readonly resolved: string;
  readonly digest: Digest;
  readonly platform: Platform;
  readonly config: ImageConfig;
  /** The config as its author wrote it, where it is to be had. */
  readonly configBytes?: Uint8Array;
  readonly content: ProvidedContent;
  /** Set for an image that the engine has already. */
  readonly engineReference?: string;
  close(): Promise<void>;
}

/** One kind of place that images come from. All are alike; what is tried, and in what order, is decided elsewhere. */
export interface ImageProvider<Scheme extends ImageReference['scheme']> {
  readonly scheme: Scheme;
  open(
    reference: Extract<ImageReference, { scheme: Scheme }>,
    context: ProviderContext,
  ): Promise<ProvidedImage>;
}
