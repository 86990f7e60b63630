import { type ErrorData, type EventSink, type Phase, type ProgressEvent, printable } from '@prof-gen/core';
import type { Io } from '../io.js';
import { errorText } from './error-text.js';

/** Draws events on standard error, and takes its own lines away at the end. */
export interface ProgressReporter {
  readonly onEvent: EventSink;
  close(): void;
}

const phaseWords: Record<Phase, string> = {
  list: 'listing repositories',
  pin: 'pinning',
  open: 'opening the image',
  programs: 'finding programs',
  observe: 'observing the container',
  summarise: 'analysing files',
  link: 'linking',
  build: 'building the profile',
  prove: 'proving the profile',
  compare: 'comparing with other methods',
  keep: 'storing',
  base: "building the suite's base",
  download: 'fetching packages',
  packages: 'installing packages',
  npm: 'fetching npm packages',
  files: 'placing files',
  setup: 'running its setup',
  layer: 'writing the layer',
  load: 'loading into the engine',
  push: 'pushing',
};

export type ProgressStyle = 'terminal' | 'lines' | 'json' | 'none';

/** A live line on a terminal, a line an event elsewhere, one of JSON for machines, nothing but warnings when quiet. */
export function progressReporter(io: Io, style: ProgressStyle): ProgressReporter {
  if (style === 'json') return jsonReporter(io);
  return style === 'terminal' ? terminalReporter(io) : lineReporter(io, style === 'none');
}

function lineReporter(io: Io, quiet: boolean): ProgressReporter {
  return {
    onEvent(event) {
      if (quiet && event.type !== 'warning') return;
      const text =
        lasting(event) ??
        (event.type === 'phase' ? `${shown(event.image)}: ${phaseWords[event.phase]}\n` : '');
      if (text !== '') io.stderr.write(text);
    },
    close() {},
  };
}

/** Every event as it is, and when it came. Control characters are escaped by JSON itself. */
function jsonReporter(io: Io): ProgressReporter {
  return {
    onEvent: (event) => void io.stderr.write(jsonLine(event)),
    close() {},
  };
}

/** One line of a log for machines. */
export const jsonLine = (
  entry: ProgressEvent | { readonly type: 'error'; readonly error: ErrorData },
): string => `${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`;

function terminalReporter(io: Io): ProgressReporter {
  /** What each image does now, in the order they began. */
  const current = new Map<string, string>();
  let drawn = false;
  const clear = () => {
    if (drawn) io.stderr.write('\r\u001b[2K');
    drawn = false;
  };
  const draw = () => {
    clear();
    if (current.size === 0) return;
    const line = [...current].map(([image, doing]) => `${image}: ${doing}`).join('   ');
    io.stderr.write(line.slice(0, (io.stderr.columns ?? 80) - 1));
    drawn = true;
  };
  return {
    onEvent(event) {
      const text = lasting(event);
      if (text !== undefined) {
        clear();
        io.stderr.write(text);
      }
      if (event.type === 'finished') current.delete(shown(event.image));
      if (event.type === 'phase') current.set(shown(event.image), phaseWords[event.phase]);
      if (event.type === 'progress') {
        const share = event.total === undefined ? `${event.done}` : `${event.done}/${event.total}`;
        current.set(shown(event.image), `${phaseWords[event.phase]} (${share} ${event.unit})`);
      }
      draw();
    },
    close: clear,
  };
}

/** Text that stays on the screen; undefined for what only lives on a live line. */
function lasting(event: ProgressEvent): string | undefined {
  switch (event.type) {
    case 'note':
      return `${shown(event.image)}: ${printable(event.message)}\n`;
    case 'warning':
      return `${shown(event.image)}: ${errorText(event.error).replace(/^error:/, 'warning:')}`;
    case 'finished':
      return `${shown(event.image)}: ${event.outcome}${event.message === '' ? '' : `, ${printable(event.message)}`}\n`;
    case 'phase':
    case 'progress':
      return undefined;
  }
}

const shown = (image: string) => printable(image, 60);
