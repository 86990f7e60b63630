import { type Evidence, printable, unknownProgram } from '@prof-gen/core';

/** One reason for a call, in a line. */
export function reasonText(evidence: Evidence): string {
  switch (evidence.kind) {
    case 'static':
      return printable(`${evidence.program}: ${evidence.function} in ${evidence.object} at ${evidence.site}`);
    case 'traced':
      return printable(
        evidence.source === undefined
          ? `${evidence.program} made it (${evidence.phase})`
          : `${evidence.program === unknownProgram ? 'made' : `${evidence.program} made it`} in ${evidence.source.file}, recorded by ${evidence.source.tool}`,
      );
    case 'runtime-base':
      return `${evidence.runtime} ${evidence.version}`;
    case 'learned':
      return printable(`a proof denied it to ${evidence.program} (${evidence.phase})`);
    case 'kernel':
    case 'user':
      return printable(evidence.reason);
  }
}
