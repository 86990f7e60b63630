import { ProfGenError } from '../error/prof-gen-error.js';

/** Architectures as the OCI image specification (and so Go's GOARCH) names them. */
export const architectures = [
  'amd64',
  'arm64',
  'arm',
  '386',
  'ppc64le',
  's390x',
  'riscv64',
  'mips64le',
  'loong64',
] as const;
export type Architecture = (typeof architectures)[number];

export interface Platform {
  readonly os: string;
  readonly architecture: Architecture;
  readonly variant?: string;
}

/** What `uname -m` and people call the same architectures (containerd, platforms/database.go). */
const aliases: Record<string, { architecture: Architecture; variant?: string }> = {
  x86_64: { architecture: 'amd64' },
  'x86-64': { architecture: 'amd64' },
  aarch64: { architecture: 'arm64' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
  i386: { architecture: '386' },
  i686: { architecture: '386' },
};

/**
 * Reads `os/arch[/variant]`, or `arch` alone for Linux.
 * @throws ProfGenError `usage/platform`
 */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split('/');
  const [os, name, variant] = parts.length === 1 ? ['linux', parts[0], undefined] : parts;
  const alias = aliases[name ?? ''];
  const architecture = alias?.architecture ?? architectures.find((a) => a === name);
  const finalVariant = variant ?? alias?.variant;
  if (!os || !architecture || parts.length > 3 || variant === '') {
    throw new ProfGenError('usage/platform', `"${text}" is not a platform`, {
      hint: `write os/architecture[/variant], such as linux/amd64; architectures: ${architectures.join(', ')}`,
    });
  }
  return finalVariant === undefined ? { os, architecture } : { os, architecture, variant: finalVariant };
}

export function formatPlatform(platform: Platform): string {
  const variant = platform.variant === undefined ? '' : `/${platform.variant}`;
  return `${platform.os}/${platform.architecture}${variant}`;
}

/** Whether an image for `offered` runs where `wanted` is asked for; a wish without a variant takes any. */
export function platformMatches(wanted: Platform, offered: Platform): boolean {
  if (wanted.os !== offered.os || wanted.architecture !== offered.architecture) return false;
  if (wanted.variant === undefined || wanted.variant === offered.variant) return true;
  // arm64 without a variant is v8 (OCI image specification, image index).
  return wanted.architecture === 'arm64' && wanted.variant === 'v8' && offered.variant === undefined;
}

/** The only platform that this version can analyse. */
export const defaultPlatform: Platform = { os: 'linux', architecture: 'amd64' };
