import { type Denial, type DockerProfile, type Profile, x86_64Syscalls } from '@prof-gen/core';
import { type ArgumentRules, rulesHold } from '../arguments/argument-rules.js';
import { dockerDefaultFor } from '../docker/docker-default.js';
import { type ContainerFacts, evaluateDockerProfile } from '../docker/evaluate-docker-profile.js';

/** Which denials are meant though something wants the call; any other is a defect of the profile. */
export interface ExpectedDenials {
  /** Indexes of the arguments that the profile looks at, by name: a denial of such a call is judged by its arguments. */
  readonly judgedBy: ReadonlyMap<string, readonly number[]>;
  /**
   * Whether Docker's default answers this very call in the same way, or the profile answers ENOSYS so that the caller
   * falls back.
   * @param values all arguments, as `0x…`; without them a call that Docker's default restricts counts as restricted
   */
  isExpected(denial: Pick<Denial, 'name' | 'errno'>, values?: readonly string[]): boolean;
}

interface Rules {
  readonly defaultDenied: ReadonlySet<string>;
  readonly conditional: ReadonlyMap<string, ArgumentRules>;
  readonly fallback: ReadonlySet<string>;
}

const ENOSYS = 38;

/** What a proof under `profile` may see denied while the container behaves as it does without Prof-gen. */
export function expectedDenials({ allowed, denied }: Profile, container: ContainerFacts): ExpectedDenials {
  const deniedFor = (reason: string) =>
    new Set(denied.filter((call) => call.reason === reason).map(({ name }) => name));
  return judge(
    {
      defaultDenied: deniedFor('docker-default'),
      conditional: new Map(allowed.map(({ name, when }) => [name, when])),
      fallback: deniedFor('fallback'),
    },
    container,
  );
}

/** The same for a profile of which nothing else is known: an error of its own, ENOSYS, means that the caller falls back. */
export function expectedDenialsOf(profile: DockerProfile, container: ContainerFacts): ExpectedDenials {
  const { allowed, errors } = evaluateDockerProfile(profile, container);
  const ofDocker = dockerDefaultFor(container).allowed;
  return judge(
    {
      defaultDenied: new Set(x86_64Syscalls.names.filter((name) => !ofDocker.has(name))),
      conditional: allowed,
      fallback: new Set([...errors].filter(([, error]) => error === ENOSYS).map(([name]) => name)),
    },
    container,
  );
}

function judge({ defaultDenied, conditional, fallback }: Rules, container: ContainerFacts): ExpectedDenials {
  const docker = dockerDefaultFor(container);
  const judgedBy = new Map<string, readonly number[]>();
  for (const [name, rules] of conditional) {
    const indexes = new Set(rules?.flatMap((all) => all.map(({ index }) => index)));
    if (rules !== undefined)
      judgedBy.set(
        name,
        [...indexes].sort((a, b) => a - b),
      );
  }
  return {
    judgedBy,
    isExpected({ name, errno }, values) {
      if (defaultDenied.has(name) && errno === docker.answerTo(name)) return true;
      if (fallback.has(name) && errno === 'ENOSYS') return true;
      // Docker's default, too, has no number outside of the table: runc answers like a kernel that lacks the call
      // (libcontainer/seccomp/patchbpf).
      if (errno === 'ENOSYS' && x86_64Syscalls.numberOf(name) === undefined) return true;
      const rules = judgedBy.has(name) ? docker.allowed.get(name) : undefined;
      return rules !== undefined && (values === undefined || !rulesHold(rules, values.map(BigInt)));
    },
  };
}
