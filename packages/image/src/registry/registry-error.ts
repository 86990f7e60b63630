import { type ErrorCode, ProfGenError, printable } from '@prof-gen/core';

/** `{"errors": [{"code", "message"}]}` (OCI distribution specification, "Error Codes"), as one line. */
function errorBodyText(body: string): string {
  try {
    const { errors } = JSON.parse(body) as { errors?: unknown };
    if (!Array.isArray(errors)) return '';
    const lines = errors.slice(0, 3).map((error: unknown) => {
      const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
      return [code, message].filter((part) => typeof part === 'string').join(': ');
    });
    return printable(lines.join('; '));
  } catch {
    return '';
  }
}

const byStatus: Readonly<Record<number, readonly [code: ErrorCode, what: string, hint: string]>> = {
  401: [
    'registry/unauthorized',
    'does not let you read it, or does not have it',
    'check the name; for a private image run `docker login` first',
  ],
  403: ['registry/denied', 'refuses access', 'log in with an account that may read it: `docker login`'],
  404: ['image/not-found', 'has no such image, tag or blob', 'check the name and the tag'],
  429: [
    'registry/rate-limited',
    'got too many requests from you',
    'wait, or log in with `docker login` for a higher limit',
  ],
};

/** The error for an answer that is not a success. `text` names what was asked for. */
export function statusError(
  status: number,
  host: string,
  text: string,
  body: string,
  causes: readonly unknown[],
): ProfGenError {
  const [code, what, hint] = byStatus[status] ?? [
    'registry/failed',
    `answered with status ${status}`,
    status >= 500 ? 'try again later' : 'see what the registry says',
  ];
  const said = errorBodyText(body);
  const message = `${printable(host)} ${what}: ${printable(text)}${said === '' ? '' : ` (${said})`}`;
  return new ProfGenError(code, message, {
    hint,
    retryable: status === 429 || status >= 500,
    details: { status, host },
    causes,
  });
}

export function unreachable(host: string, thrown: unknown): ProfGenError {
  return new ProfGenError(
    'registry/unreachable',
    `cannot talk to ${printable(host)}: ${printable(reasonOf(thrown))}`,
    {
      hint: 'check the name of the registry and your connection; nothing was lost',
      retryable: true,
    },
  );
}

/** fetch hides the reason one level down. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause = thrown.cause;
  if (!(cause instanceof Error)) return thrown.message;
  return 'code' in cause && cause.message === '' ? String(cause.code) : cause.message;
}
