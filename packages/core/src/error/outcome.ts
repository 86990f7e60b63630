import { type ErrorData, errorData } from './prof-gen-error.js';

/** A result or an error, both plain data. Threads return this and never throw. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: ErrorData };

export async function outcomeOf<T>(work: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (thrown) {
    return { ok: false, error: errorData(thrown) };
  }
}
