import type { LineFacts } from '@prof-gen/core';
import { compareStrings } from '@prof-gen/core/base';
import { selfTest } from '../decode/decoder.js';
import { parseElf } from '../elf/parse-elf.js';
import { CodeMap } from '../function/code-map.js';
import { directCalls } from './direct-calls.js';

/** Version of `lineFacts`: part of the key under which they are kept, so raise it with every change of what they say. */
export const lineFactsVersion = '1';

/** Go's linker writes one of these. */
const goSections: ReadonlySet<string> = new Set(['.note.go.buildid', '.gopclntab']);

/**
 * What other methods look at in a file. Code is decoded only where it may make a call by itself.
 * @throws ProfGenError as `parseElf`, and `environment/decoder`
 */
export function lineFacts(bytes: Uint8Array): LineFacts {
  selfTest();
  const elf = parseElf(bytes);
  const asked = elf.symbols.filter(({ defined, name }) => !defined && name !== '');
  const names = (binding: boolean): string[] =>
    [
      ...new Set(asked.filter((symbol) => (symbol.binding === 'weak') === binding).map(({ name }) => name)),
    ].sort(compareStrings);
  const code = new CodeMap(elf);
  try {
    const { numbers, undecided } = directCalls(elf, code);
    return {
      imports: names(false),
      weakImports: names(true),
      direct: [...numbers],
      undecided,
      go: elf.sections.some(({ name }) => goSections.has(name)),
    };
  } finally {
    code.free();
  }
}
