import { ProfGenError, printable } from '@prof-gen/core';
import type { Command } from 'commander';

const methods = ['bpftrace', 'strace'] as const;
export type TracerMethod = (typeof methods)[number];

export interface TracerOptions {
  readonly static?: boolean;
  readonly tracer?: TracerMethod;
  readonly straceImage?: string;
}

/** Adds the options that say how containers are watched. */
export function tracerOptions(command: Command): Command {
  return command
    .option(
      '--tracer <way>',
      `how the container is watched: ${methods.join(' or ')} (default: bpftrace); strace cannot prove`,
      parseMethod,
    )
    .option(
      '--strace-image <image>',
      "an image in the engine that has strace (default: one made from this machine's own)",
    );
}

function parseMethod(text: string): TracerMethod {
  const found = methods.find((known) => known === text);
  if (found !== undefined) return found;
  throw new ProfGenError('usage/options', `"${printable(text)}" is not a way to watch a container`, {
    hint: `one of: ${methods.join(', ')}`,
  });
}

/**
 * @param proof what was asked for that needs a proof, such as `--workload`
 * @throws ProfGenError `usage/options`, `usage/proof-needs-bpftrace`
 */
export function checkTracerOptions(options: TracerOptions, proof: string | undefined): void {
  const conflict = (['tracer', 'strace-image'] as const).find(
    (name) => options.static && options[name === 'tracer' ? 'tracer' : 'straceImage'] !== undefined,
  );
  if (conflict !== undefined) {
    throw new ProfGenError('usage/options', `--${conflict} needs a container, and --static starts none`);
  }
  if (options.straceImage !== undefined && options.tracer !== 'strace') {
    throw new ProfGenError('usage/options', '--strace-image is for --tracer strace');
  }
  if (options.tracer === 'strace' && proof !== undefined) {
    throw new ProfGenError(
      'usage/proof-needs-bpftrace',
      `${proof} asks for a proof, and strace cannot tell for certain that a call was denied: it stops a call before the filter does`,
      {
        hint: 'leave it out, and prove the profile where bpftrace runs: prof-gen verify IMAGE --profile FILE --workload FILE',
      },
    );
  }
}
