import type { z } from 'zod';
import { type ErrorCode, ProfGenError } from './prof-gen-error.js';
import { printable } from './printable.js';

/**
 * `value` as the schema reads it.
 * @param what names the thing in the message, such as `workload redis.yaml`
 * @throws ProfGenError with `code`; the message names each place that does not fit
 */
export function validated<S extends z.ZodType>(
  schema: S,
  value: unknown,
  what: string,
  code: ErrorCode,
): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues
    .slice(0, 10)
    .map((issue) => `${issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''}${issue.message}`);
  throw new ProfGenError(code, `${what} is not valid: ${printable(issues.join('; '), 2000)}`);
}
