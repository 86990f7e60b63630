import { type OfficialSource, ProfGenError, printable } from '@prof-gen/core';

/** A build of a library file: its tags, and what it is built from on one architecture. */
export interface LibraryEntry {
  /** `Tags`, then `SharedTags`. */
  readonly tags: readonly string[];
  /** As the library files name them: `amd64`, `arm32v7`, `windows-amd64`. */
  readonly architectures: readonly string[];
  source(architecture: string): OfficialSource;
}

type Paragraph = ReadonlyMap<string, string>;

const defaults: Paragraph = new Map([
  ['Architectures', 'amd64'],
  ['Directory', '.'],
  ['Builder', 'classic'],
]);

function bad(file: string, why: string): ProfGenError {
  return new ProfGenError('usage/bad-library-file', `library file ${printable(file)}: ${printable(why)}`, {
    hint: 'take the directory `library` of https://github.com/docker-library/official-images as it is',
  });
}

/** Paragraphs of `Name: value` lines; a line that begins with a blank goes on with the value above (RFC 2822, 2.2.3). */
function paragraphs(text: string, file: string): Paragraph[] {
  const all: Map<string, string>[] = [];
  let current: Map<string, string> | undefined;
  let field: string | undefined;
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.startsWith('#')) continue;
    if (line.trim() === '') {
      current = undefined;
      field = undefined;
      continue;
    }
    if (/^[ \t]/.test(line)) {
      if (current === undefined || field === undefined) throw bad(file, `line ${i + 1} goes on with nothing`);
      current.set(field, `${current.get(field) ?? ''}\n${line.trim()}`);
      continue;
    }
    const match = /^([A-Za-z0-9][\w-]*):[ \t]*(.*)$/.exec(line);
    if (match === null) throw bad(file, `line ${i + 1} is no field`);
    field = match[1] ?? '';
    if (current === undefined) {
      current = new Map();
      all.push(current);
    }
    if (current.has(field)) throw bad(file, `line ${i + 1} says ${field} once more`);
    current.set(field, (match[2] ?? '').trim());
  }
  return all;
}

function listOf(fields: Paragraph, name: string): string[] {
  return (fields.get(name) ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

function sourceOf(fields: Paragraph, architecture: string): OfficialSource {
  const value = (name: string): string => fields.get(`${architecture}-${name}`) ?? fields.get(name) ?? '';
  const builder = value('Builder');
  return {
    repository: value('GitRepo'),
    commit: value('GitCommit'),
    directory: value('Directory'),
    file: value('File') || (builder === 'oci-import' ? 'index.json' : 'Dockerfile'),
    builder,
  };
}

/**
 * The entries of a library file of docker-library/official-images (its README, "Library definition files"). The first
 * paragraph has what all others inherit; `ARCH-Field` is `Field` for one architecture. A file with that one alone is
 * of a repository that is no longer built.
 * @throws ProfGenError `usage/bad-library-file`
 */
export function parseLibraryFile(text: string, file: string): readonly LibraryEntry[] {
  const [global, ...rest] = paragraphs(text, file);
  if (global?.has('Maintainers') !== true) throw bad(file, 'the first paragraph names no Maintainers');
  if (global.has('Tags')) throw bad(file, 'the first paragraph has Tags');
  const seen = new Set<string>();
  return rest.map((own) => {
    const fields: Paragraph = new Map([...defaults, ...global, ...own]);
    const tags = listOf(fields, 'Tags');
    const shared = listOf(fields, 'SharedTags');
    if (tags.length + shared.length === 0) throw bad(file, 'a paragraph has no Tags');
    for (const tag of [...tags, ...shared]) {
      if (!/^\w[\w.-]{0,127}$/.test(tag)) throw bad(file, `"${tag}" is no tag`);
    }
    for (const tag of tags) {
      if (seen.has(tag)) throw bad(file, `the tag ${tag} stands in two paragraphs`);
      seen.add(tag);
    }
    const architectures = listOf(fields, 'Architectures');
    for (const architecture of architectures) {
      const { repository, commit } = sourceOf(fields, architecture);
      if (repository === '' || !/^[0-9a-f]{1,64}$/.test(commit)) {
        throw bad(file, `${tags[0] ?? shared[0]} has no GitRepo or no GitCommit for ${architecture}`);
      }
    }
    return {
      tags: [...tags, ...shared],
      architectures,
      source: (architecture) => sourceOf(fields, architecture),
    };
  });
}
