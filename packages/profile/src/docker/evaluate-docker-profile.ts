import type { DockerProfile, DockerRule } from '@prof-gen/core';
import { type ArgumentRules, canonicalRules, eitherRules } from '../arguments/argument-rules.js';
import { compareVersions } from '../version/compare-versions.js';
import { conditionOf } from './argument-condition.js';

export interface ContainerFacts {
  /** With the prefix `CAP_`, or without. */
  readonly capabilities: readonly string[];
  /** Release of the host's kernel, such as `6.18.5`; a new one when absent. */
  readonly kernel?: string | undefined;
}

/** A Docker profile after its conditions on the container and the host are decided. */
export interface EvaluatedProfile {
  /** Allowed calls and the arguments they are allowed for. */
  readonly allowed: ReadonlyMap<string, ArgumentRules>;
  /** Numbers of errors that single calls are answered with. */
  readonly errors: ReadonlyMap<string, number>;
}

function applies(rule: DockerRule, capabilities: ReadonlySet<string>, kernel: string | undefined): boolean {
  const { includes, excludes } = rule;
  const tooOld = (minimum: string) => kernel !== undefined && compareVersions(kernel, minimum) < 0;
  if (includes?.arches?.length && !includes.arches.includes('amd64')) return false;
  if (includes?.caps?.some((name) => !capabilities.has(name))) return false;
  if (includes?.minKernel !== undefined && tooOld(includes.minKernel)) return false;
  if (excludes?.arches?.includes('amd64')) return false;
  if (excludes?.caps?.some((name) => capabilities.has(name))) return false;
  return excludes?.minKernel === undefined || tooOld(excludes.minKernel);
}

/**
 * Which calls the profile allows to a container on x86-64.
 * As moby does it (daemon's `profiles/seccomp`, setupSeccomp): all included capabilities must be there and
 * none of the excluded, and rules of one name add up.
 */
export function evaluateDockerProfile(profile: DockerProfile, facts: ContainerFacts): EvaluatedProfile {
  const capabilities = new Set(
    facts.capabilities.map((name) => `CAP_${name.replace(/^CAP_/i, '').toUpperCase()}`),
  );
  const allowed = new Map<string, ArgumentRules>();
  const errors = new Map<string, number>();
  for (const rule of profile.syscalls) {
    if (!applies(rule, capabilities, facts.kernel)) continue;
    for (const name of rule.names) {
      if (rule.action === 'SCMP_ACT_ALLOW') {
        const own = rule.args?.length ? canonicalRules([rule.args.map(conditionOf)]) : undefined;
        allowed.set(name, allowed.has(name) ? eitherRules(allowed.get(name), own) : own);
      } else if (rule.action === 'SCMP_ACT_ERRNO') {
        errors.set(name, rule.errnoRet ?? profile.defaultErrnoRet ?? 1);
      }
    }
  }
  return { allowed, errors };
}
