import { type ErrorCode, errorFamily } from '@prof-gen/core';

/** Exit codes of every command; documented in docs/cli.md. */
export const exitCodes = {
  good: 0,
  failed: 1,
  usage: 2,
  proofFailed: 3,
  partly: 4,
  environment: 5,
  /** 128 + SIGINT, as shells count. */
  interrupted: 130,
} as const;

export function exitCodeOf(code: ErrorCode): number {
  switch (errorFamily(code)) {
    case 'usage':
      return exitCodes.usage;
    case 'proof':
      return exitCodes.proofFailed;
    case 'environment':
      return exitCodes.environment;
    default:
      return exitCodes.failed;
  }
}
