import type { ErrorData } from '../error/prof-gen-error.js';

/** Steps of the way of one image, in order. */
export const imagePhases = [
  'open',
  'programs',
  'observe',
  'summarise',
  'link',
  'build',
  'prove',
  'compare',
  'keep',
] as const;
export type ImagePhase = (typeof imagePhases)[number];

/** Steps of a crawl. */
export type CrawlPhase = 'list' | 'pin';

/** Steps of an image of the corpus on its way from a recipe into a layout, an engine or a registry. */
export type CorpusPhase =
  | 'base'
  | 'download'
  | 'packages'
  | 'npm'
  | 'files'
  | 'setup'
  | 'layer'
  | 'load'
  | 'push';

export type Phase = ImagePhase | CrawlPhase | CorpusPhase;

/** What the engines tell while they work. Only the command line draws them. `image` is a name for people. */
export type ProgressEvent =
  | { readonly type: 'phase'; readonly image: string; readonly phase: Phase }
  | {
      readonly type: 'progress';
      readonly image: string;
      readonly phase: Phase;
      readonly done: number;
      /** Absent where it cannot be known. */
      readonly total?: number;
      readonly unit: 'bytes' | 'files' | 'programs' | 'steps' | 'images';
    }
  | { readonly type: 'note'; readonly image: string; readonly message: string }
  | { readonly type: 'warning'; readonly image: string; readonly error: ErrorData }
  | {
      readonly type: 'finished';
      readonly image: string;
      readonly outcome: 'done' | 'failed' | 'skipped';
      readonly message: string;
    };

export type EventSink = (event: ProgressEvent) => void;

/** For callers that do not care. */
export const ignoreEvents: EventSink = () => {};
