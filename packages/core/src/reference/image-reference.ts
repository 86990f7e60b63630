import { ProfGenError } from '../error/prof-gen-error.js';
import type { Digest } from '../tree/file-tree.js';

/** A name in a registry, complete: `nginx` is `docker.io/library/nginx:latest`. */
export interface RegistryReference {
  /** Host and optional port, such as `registry.example:5000`; Docker Hub is `docker.io`. */
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** Where an image is. `auto` has no scheme: file or directory, then engine, then registry. */
export type ImageReference =
  | { readonly scheme: 'auto'; readonly text: string }
  | { readonly scheme: 'registry'; readonly text: string; readonly name: RegistryReference }
  | { readonly scheme: 'docker'; readonly text: string; readonly name: string }
  | { readonly scheme: 'docker-archive'; readonly text: string; readonly file: string }
  | { readonly scheme: 'oci'; readonly text: string; readonly directory: string; readonly tag?: string }
  | { readonly scheme: 'oci-archive'; readonly text: string; readonly file: string }
  | { readonly scheme: 'dir'; readonly text: string; readonly directory: string };

// Grammar: distribution/reference, reference.go.
const domain =
  /^(?:localhost|(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/;
const pathComponent = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^sha256:[0-9a-f]{64}$/;

function badReference(text: string, why: string): ProfGenError {
  return new ProfGenError('usage/reference', `"${text}" is not an image reference: ${why}`, {
    hint: 'write name, name:tag, name@sha256:…, host:port/path/name:tag, or one with a scheme: registry:, docker:, docker-archive:FILE, oci:DIR[:tag], oci-archive:FILE, dir:DIR',
  });
}

export function isDigest(text: string): text is Digest {
  return digestPattern.test(text);
}

/**
 * Reads a registry name as people write it.
 * @throws ProfGenError `usage/reference`
 */
export function parseRegistryReference(text: string): RegistryReference {
  let rest = text;
  let digest: Digest | undefined;
  const at = rest.indexOf('@');
  if (at >= 0) {
    const value = rest.slice(at + 1);
    if (!isDigest(value)) throw badReference(text, 'after @ stands sha256: and 64 hexadecimal digits');
    digest = value;
    rest = rest.slice(0, at);
  }
  let tag: string | undefined;
  const colon = rest.lastIndexOf(':');
  if (colon > rest.lastIndexOf('/')) {
    tag = rest.slice(colon + 1);
    if (!tagPattern.test(tag)) throw badReference(text, `"${tag}" is not a tag`);
    rest = rest.slice(0, colon);
  }
  const slash = rest.indexOf('/');
  const first = slash < 0 ? '' : rest.slice(0, slash);
  let registry = 'docker.io';
  if (first !== '' && (first.includes('.') || first.includes(':') || first === 'localhost')) {
    if (!domain.test(first)) throw badReference(text, `"${first}" is not a host`);
    registry = first === 'index.docker.io' ? 'docker.io' : first;
    rest = rest.slice(slash + 1);
  }
  if (registry === 'docker.io' && !rest.includes('/')) rest = `library/${rest}`;
  if (rest.length > 255) throw badReference(text, 'the name is longer than 255 characters');
  for (const component of rest.split('/')) {
    if (!pathComponent.test(component)) {
      const why = /[A-Z]/.test(component) ? 'names are lower-case' : `"${component}" is not a name`;
      throw badReference(text, why);
    }
  }
  if (tag === undefined && digest === undefined) tag = 'latest';
  return {
    registry,
    repository: rest,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The complete name, such as `docker.io/library/nginx:latest`. */
export function formatRegistryReference(name: RegistryReference): string {
  const tag = name.tag === undefined ? '' : `:${name.tag}`;
  const digest = name.digest === undefined ? '' : `@${name.digest}`;
  return `${name.registry}/${name.repository}${tag}${digest}`;
}

/**
 * Reads a reference with or without a scheme. A registry's host may be called `docker`:
 * a scheme counts only when it is one of ours and is not followed by a port.
 * @throws ProfGenError `usage/reference`
 */
export function parseImageReference(text: string): ImageReference {
  const scheme = /^(registry|docker|docker-archive|oci|oci-archive|dir):(?!\d+\/)(.*)$/s.exec(text);
  if (scheme === null) {
    if (text === '') throw badReference(text, 'it is empty');
    return { scheme: 'auto', text };
  }
  const [, name, rest] = scheme as unknown as [string, string, string];
  if (rest === '') throw badReference(text, `nothing stands after ${name}:`);
  switch (name) {
    case 'registry':
      return { scheme: 'registry', text, name: parseRegistryReference(rest) };
    case 'docker':
      return { scheme: 'docker', text, name: rest };
    case 'docker-archive':
      return { scheme: 'docker-archive', text, file: rest };
    case 'oci-archive':
      return { scheme: 'oci-archive', text, file: rest };
    case 'dir':
      return { scheme: 'dir', text, directory: rest };
    default: {
      const colon = rest.lastIndexOf(':');
      if (colon > 0 && tagPattern.test(rest.slice(colon + 1)) && colon > rest.lastIndexOf('/')) {
        return { scheme: 'oci', text, directory: rest.slice(0, colon), tag: rest.slice(colon + 1) };
      }
      return { scheme: 'oci', text, directory: rest };
    }
  }
}
