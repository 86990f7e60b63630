import {
  type DockerRule,
  dockerProfileSchema,
  ProfGenError,
  printable,
  type RecordingSource,
  seccompProfileResourceSchema,
  validated,
} from '@prof-gen/core';
import { parseAllDocuments } from 'yaml';

const formats =
  'a recording is a log of strace -f, a SeccompProfile of the security-profiles-operator, or a profile of oci-seccomp-bpf-hook';

/** Most documents and resources of one file. */
const maxResources = 1_000;

/**
 * Names of the calls that a recorded profile allows, sorted.
 * @param file for messages
 * @throws ProfGenError `usage/bad-recording`
 */
export function namesInProfile(
  text: string,
  file: string,
): { readonly tool: RecordingSource['tool']; readonly names: string[] } {
  const what = printable(file);
  const bad = (why: string, hint = formats) =>
    new ProfGenError('usage/bad-recording', `${what} ${why}`, { hint });
  const [first, ...others] = documentsOf(text, what);
  if (isRecord(first) && others.length === 0 && 'defaultAction' in first) {
    const profile = validated(dockerProfileSchema, first, `profile ${what}`, 'usage/bad-recording');
    const architectures = profile.architectures ?? profile.archMap?.map(({ architecture }) => architecture);
    return {
      tool: 'oci-seccomp-bpf-hook',
      names: allowedNames({ ...profile, architectures }, bad),
    };
  }
  const resources = [first, ...others].flatMap((one) =>
    isRecord(one) && one['kind'] === 'List' && Array.isArray(one['items'])
      ? (one['items'] as unknown[])
      : [one],
  );
  const profiles = resources.filter((one) => isRecord(one) && one['kind'] === 'SeccompProfile');
  if (profiles.length === 0) throw bad('is no recording that Prof-gen knows');
  if (profiles.length > maxResources) throw bad(`has more than ${maxResources} profiles`);
  const names = profiles.flatMap((one) => {
    const { spec } = validated(
      seccompProfileResourceSchema,
      one,
      `SeccompProfile in ${what}`,
      'usage/bad-recording',
    );
    if (spec.baseProfileName !== undefined) {
      throw bad(
        `is recorded on top of the profile ${printable(spec.baseProfileName)}, which it does not hold`,
        'import that profile as well, with baseProfileName taken out of this one',
      );
    }
    return allowedNames({ ...spec, syscalls: spec.syscalls ?? [] }, bad);
  });
  return { tool: 'security-profiles-operator', names: [...new Set(names)].sort() };
}

function documentsOf(text: string, what: string): unknown[] {
  try {
    const documents = parseAllDocuments(text);
    if (!Array.isArray(documents)) return [];
    return documents.slice(0, maxResources + 1).map((document) => {
      if (document.errors[0] !== undefined) throw document.errors[0];
      // Aliases multiply: a few lines can become gigabytes.
      return document.toJS({ maxAliasCount: 100 }) as unknown;
    });
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new ProfGenError(
      'usage/bad-recording',
      `${what} is neither a log of strace nor YAML nor JSON: ${printable(message)}`,
      { hint: formats },
    );
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What was recorded is allowed, and everything else denied: a profile of another kind was written by somebody. */
function allowedNames(
  profile: {
    readonly defaultAction: string;
    readonly architectures?: readonly string[] | undefined;
    readonly syscalls: readonly DockerRule[];
  },
  bad: (why: string) => ProfGenError,
): string[] {
  if (['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG'].includes(profile.defaultAction)) {
    throw bad('allows what it does not name: it is no recording');
  }
  if (profile.architectures?.length && !profile.architectures.includes('SCMP_ARCH_X86_64')) {
    throw bad(`was recorded on ${printable(profile.architectures.join(', '))}, not on x86-64`);
  }
  const conditional = profile.syscalls.some(({ includes, excludes }) =>
    [includes, excludes].some(
      (filter) => filter?.caps?.length || filter?.arches?.length || filter?.minKernel !== undefined,
    ),
  );
  if (conditional) {
    throw bad('has rules for certain capabilities or kernels: it was written, not recorded');
  }
  const allowed = profile.syscalls.filter(
    ({ action }) => action === 'SCMP_ACT_ALLOW' || action === 'SCMP_ACT_LOG',
  );
  return [...new Set(allowed.flatMap(({ names }) => names))].sort();
}
