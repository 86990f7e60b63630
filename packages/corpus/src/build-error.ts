import { type ErrorCode, ProfGenError, printable } from '@prof-gen/core';

/** What is wrong, by what apt, dpkg and mmdebstrap say (apt 2.2 to 3.1); the first that fits counts. */
const complaints: readonly (readonly [pattern: RegExp, code: ErrorCode, what: string, hint: string])[] = [
  [
    /No space left on device/,
    'environment/disk-full',
    'there is no space left',
    'make room, or build elsewhere: --cache DIR, --layout DIR',
  ],
  [
    /Temporary failure resolving|Could not resolve|Could not connect|Unable to connect|Connection timed out|Connection refused|Network is unreachable|Cannot initiate the connection/,
    'environment/mirror-unreachable',
    'the mirror of Debian packages cannot be reached',
    'check the connection, or name a mirror of yours: --mirror URL',
  ],
  [
    /E: (?:Unable to locate package|Package '?\S+'? has no installation candidate|Couldn't find any package)/,
    'corpus/no-such-package',
    'the suite has no such package',
    'see packages.debian.org for the names; backports: true adds the backports',
  ],
  [
    /404 {2}Not Found/,
    'corpus/package-gone',
    'the mirror no longer has a file that its index named',
    'fetch the index anew: --refresh',
  ],
  [
    /The following packages have unmet dependencies|pkgProblemResolver::Resolve generated breaks/,
    'corpus/unmet-dependencies',
    'the packages do not go together',
    'the log says which; the suite may be in transition',
  ],
  [
    /Failed to fetch|Unable to fetch some archives/,
    'environment/mirror-unreachable',
    'packages could not be fetched',
    'check the connection, or name a mirror of yours: --mirror URL',
  ],
];

const byPhase: Readonly<Record<string, readonly [code: ErrorCode, what: string]>> = {
  base: ['corpus/base-failed', 'the base of the suite could not be made'],
  download: ['corpus/download-failed', 'the packages could not be fetched'],
  packages: ['corpus/install-failed', 'a package could not be installed'],
  npm: ['corpus/npm-failed', 'the npm packages could not be placed'],
  files: ['corpus/files-failed', 'files or directories could not be placed'],
  setup: ['corpus/setup-failed', 'a setup command failed'],
};

/**
 * The error for a build that ended with another status than 0.
 * @param log all that it printed; `file` is where
 */
export function buildError(name: string, phase: string, log: string, file: string): ProfGenError {
  const [code, what] = byPhase[phase] ?? (['corpus/build-failed', 'the build failed'] as const);
  // Programs of the image say what they like; what apt says counts while it fetches.
  const fetching = phase === 'base' || phase === 'download' || phase === 'npm';
  const complaint = complaints.find(([pattern, own]) =>
    own === 'environment/disk-full' || fetching ? pattern.test(log) : false,
  );
  const last = log
    .trimEnd()
    .split('\n')
    .filter((line) => /^(?:E|W|dpkg|npm error|tar|install)[: ]|error|fail|cannot/i.test(line))
    .slice(-3);
  const said = (last.length > 0 ? last : log.trimEnd().split('\n').slice(-2)).join(' | ');
  return new ProfGenError(
    complaint?.[1] ?? code,
    `${name}: ${complaint?.[2] ?? what}${said === '' ? '' : ` (${printable(said, 600)})`}`,
    { hint: complaint?.[3] ?? `see the log: ${printable(file)}`, details: { log: file, phase } },
  );
}
