import {
  formatPlatform,
  type OciDescriptor,
  type Platform,
  parsePlatform,
  platformMatches,
  ProfGenError,
  printable,
} from '@prof-gen/core';

export function platformMismatch(wanted: Platform, offered: readonly string[]): ProfGenError {
  const list = offered.length === 0 ? 'nothing' : printable(offered.join(', '));
  return new ProfGenError(
    'image/platform-mismatch',
    `the image is not for ${formatPlatform(wanted)}; it offers ${list}`,
    {
      hint: 'ask for one of the platforms it offers with --platform, or use another image',
      details: { wanted: formatPlatform(wanted), offered: list },
    },
  );
}

/** A platform as a manifest or config writes it; undefined for what is no platform of ours, such as `unknown/unknown`. */
export function readPlatform(raw: {
  os: string;
  architecture: string;
  variant?: string | undefined;
}): Platform | undefined {
  try {
    return parsePlatform([raw.os, raw.architecture, ...(raw.variant ? [raw.variant] : [])].join('/'));
  } catch {
    return undefined;
  }
}

/**
 * The first manifest of an index that is for `wanted` (OCI image specification, image-index.md).
 * Attestations stand in indexes too, for the platform `unknown/unknown`: they never match.
 * @throws ProfGenError `image/platform-mismatch`
 */
export function chooseManifest(manifests: readonly OciDescriptor[], wanted: Platform): OciDescriptor {
  const offered: string[] = [];
  for (const manifest of manifests) {
    if (manifest.platform === undefined) continue;
    const platform = readPlatform(manifest.platform);
    if (platform === undefined) continue;
    if (platformMatches(wanted, platform)) return manifest;
    offered.push(formatPlatform(platform));
  }
  // An index of one image need not say for what it is; the config is checked later in any case.
  const unsaid = manifests.filter((manifest) => manifest.platform === undefined);
  if (unsaid.length === 1 && unsaid[0] !== undefined) return unsaid[0];
  throw platformMismatch(wanted, offered);
}
