import { Mnemonic } from '../decode/iced-numbers.js';
import { complement, everything, intersect, type Ranges } from './ranges.js';

/** Conditional jumps by what they ask, and the ones that ask the opposite. */
const asks = new Map<number, readonly [question: string, negated: boolean]>([
  [Mnemonic.Je, ['equal', false]],
  [Mnemonic.Jne, ['equal', true]],
  [Mnemonic.Jb, ['below', false]],
  [Mnemonic.Jae, ['below', true]],
  [Mnemonic.Jbe, ['below or equal', false]],
  [Mnemonic.Ja, ['below or equal', true]],
  [Mnemonic.Jl, ['less', false]],
  [Mnemonic.Jge, ['less', true]],
  [Mnemonic.Jle, ['less or equal', false]],
  [Mnemonic.Jg, ['less or equal', true]],
  [Mnemonic.Js, ['negative', false]],
  [Mnemonic.Jns, ['negative', true]],
]);

/** Values of `width` bytes as ranges hold them, from signed bounds. */
function signed(first: number, last: number, width: number): Ranges {
  if (width === 8) return first <= last ? [first, last] : [];
  const [modulus, half] = [2 ** (8 * width), 2 ** (8 * width - 1)];
  const result: number[] = [];
  if (Math.max(first, 0) <= Math.min(last, half - 1)) {
    result.push(Math.max(first, 0), Math.min(last, half - 1));
  }
  if (Math.max(first, -half) <= Math.min(last, -1)) {
    result.push(Math.max(first, -half) + modulus, Math.min(last, -1) + modulus);
  }
  return result;
}

/** Values below `bound` (unsigned), or up to it. */
function below(bound: number, inclusive: boolean, width: number): Ranges {
  const last = inclusive ? bound : bound - 1;
  if (width < 8 || bound >= 0) return last >= 0 ? [0, last] : [];
  // All that are not negative, and the negative ones, which unsigned are the largest.
  return [Number.NEGATIVE_INFINITY, last, 0, Number.POSITIVE_INFINITY];
}

/**
 * Values of the left side of a comparison for which a conditional jump is taken, and those for which it is not.
 * Undefined for a jump that asks something else (Intel SDM volume 1, appendix B).
 * @param right what was compared with, as a signed number
 * @param width bytes that were compared
 */
export function branchRanges(
  mnemonic: number,
  right: number,
  width: number,
): { readonly taken: Ranges; readonly passed: Ranges } | undefined {
  const [question, negated] = asks.get(mnemonic) ?? [];
  if (question === undefined) return undefined;
  const all: Ranges = width === 8 ? everything : [0, 2 ** (8 * width) - 1];
  const modulus = 2 ** (8 * width);
  const unsigned = width === 8 ? right : ((right % modulus) + modulus) % modulus;
  const asSigned = width < 8 && unsigned >= modulus / 2 ? unsigned - modulus : unsigned;
  const low = Number.NEGATIVE_INFINITY;
  let yes: Ranges;
  switch (question) {
    case 'equal':
      yes = [unsigned, unsigned];
      break;
    case 'below':
      yes = below(unsigned, false, width);
      break;
    case 'below or equal':
      yes = below(unsigned, true, width);
      break;
    case 'less':
      yes = signed(low, asSigned - 1, width);
      break;
    case 'less or equal':
      yes = signed(low, asSigned, width);
      break;
    default:
      if (asSigned !== 0) return undefined;
      yes = signed(low, -1, width);
  }
  const no = intersect(complement(yes), all);
  return negated ? { taken: no, passed: yes } : { taken: yes, passed: no };
}
