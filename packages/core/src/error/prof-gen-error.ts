/**
 * First part of every error code. It decides the exit code of the command line:
 * `usage` 2, `proof` 3, `environment` 5, anything else 1.
 */
export type ErrorFamily =
  | 'usage'
  | 'image'
  | 'registry'
  | 'archive'
  | 'elf'
  | 'analysis'
  | 'trace'
  | 'workload'
  | 'proof'
  | 'profile'
  | 'corpus'
  | 'store'
  | 'environment'
  | 'internal';

/** A stable code, such as `image/not-found`: people search for it and scripts branch on it. */
export type ErrorCode = `${ErrorFamily}/${string}`;

/** An error as plain data: what crosses threads, goes to the database and to logs. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  /** What the reader can do about it. */
  readonly hint?: string;
  /** Whether the same call may succeed later without a change. */
  readonly retryable?: boolean;
  /** Facts a program may want: file, offset, status. Only JSON values. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
  readonly causes?: readonly ErrorData[];
}

export interface ErrorOptions {
  readonly hint?: string;
  readonly retryable?: boolean;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
  /** What led to this; several when each of several ways failed. */
  readonly causes?: readonly unknown[];
}

/** The one error class of Prof-gen. Whatever else is thrown is a defect of Prof-gen. */
export class ProfGenError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, string | number | boolean>> | undefined;
  readonly causes: readonly ErrorData[];

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.causes?.length === 1 ? { cause: options.causes[0] } : undefined);
    this.name = 'ProfGenError';
    this.code = code;
    this.hint = options.hint;
    this.retryable = options.retryable ?? false;
    this.details = options.details;
    this.causes = (options.causes ?? []).map(errorData);
  }
}

/** Any thrown value as data; what is not a ProfGenError becomes `internal/unexpected`. */
export function errorData(thrown: unknown): ErrorData {
  if (thrown instanceof ProfGenError) {
    return {
      code: thrown.code,
      message: thrown.message,
      ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
      ...(thrown.retryable ? { retryable: true } : {}),
      ...(thrown.details === undefined ? {} : { details: thrown.details }),
      ...(thrown.causes.length === 0 ? {} : { causes: thrown.causes }),
    };
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: 'internal/unexpected', message };
}

/** The error that `data` describes, to be thrown on this side of a thread. */
export function errorFromData(data: ErrorData): ProfGenError {
  return new ProfGenError(data.code, data.message, {
    ...(data.hint === undefined ? {} : { hint: data.hint }),
    ...(data.retryable === undefined ? {} : { retryable: data.retryable }),
    ...(data.details === undefined ? {} : { details: data.details }),
    ...(data.causes === undefined ? {} : { causes: data.causes.map(errorFromData) }),
  });
}

export function errorFamily(code: ErrorCode): ErrorFamily {
  return code.slice(0, code.indexOf('/')) as ErrorFamily;
}
