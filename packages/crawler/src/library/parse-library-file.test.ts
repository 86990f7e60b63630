import { describe, expect, it } from 'vitest';
import { parseLibraryFile } from './parse-library-file.js';

// In the form of the real ones; the content is made up.
const file = `# this file is generated
Maintainers: Some One <one@example.org> (@one),
             Two (@two)
GitRepo: https://example.org/docker.git
GitFetch: refs/heads/main
Builder: buildkit
amd64-GitCommit: aaaa

Tags: 8.2.1, 8.2, 8,
# a remark in between
  latest
Architectures: amd64, arm64v8
GitCommit: bbbb
Directory: 8.2/debian

Tags: 8.2.1-alpine
SharedTags: 8.2.1-small, small
GitCommit: cccc
File: Dockerfile.alpine
Builder: oci-import
\t
Tags: windows
SharedTags: small
Architectures: windows-amd64
GitCommit: dddd
Constraints: windowsservercore-ltsc2025
`;

describe('parseLibraryFile', () => {
  it('reads entries with what they inherit', () => {
    const entries = parseLibraryFile(file.replaceAll('\n', '\r\n'), 'thing');
    expect(entries.map(({ tags, architectures }) => [tags, architectures])).toEqual([
      [
        ['8.2.1', '8.2', '8', 'latest'],
        ['amd64', 'arm64v8'],
      ],
      [['8.2.1-alpine', '8.2.1-small', 'small'], ['amd64']],
      [['windows', 'small'], ['windows-amd64']],
    ]);
    expect(entries[0]?.source('arm64v8')).toEqual({
      repository: 'https://example.org/docker.git',
      commit: 'bbbb',
      directory: '8.2/debian',
      file: 'Dockerfile',
      builder: 'buildkit',
    });
    expect(entries[0]?.source('amd64').commit).toBe('aaaa');
    expect(entries[1]?.source('s390x')).toMatchObject({
      commit: 'cccc',
      directory: '.',
      file: 'Dockerfile.alpine',
      builder: 'oci-import',
    });
  });

  it('a repository that is no longer built has no entries', () => {
    expect(parseLibraryFile('Maintainers: A (@a)\n\n# nothing more\n', 'old')).toEqual([]);
  });

  const head = 'Maintainers: A (@a)\nGitRepo: https://example.org/x.git\nGitCommit: ab\n';
  it.each([
    ['nothing', ''],
    ['no maintainers', 'Tags: 1\n'],
    ['tags for all', `${head}Tags: 1\n`],
    ['an entry without tags', `${head}\nDirectory: x\n`],
    ['a tag that is none', `${head}\nTags: ../1\n`],
    ['a tag twice', `${head}\nTags: 1\n\nTags: 2, 1\n`],
    ['a commit that is none', `${head}\nTags: 1\nGitCommit: main\n`],
    ['a repository that is not said', 'Maintainers: A (@a)\n\nTags: 1\nGitCommit: ab\n'],
    ['a line that is no field', `${head}\nTags: 1\nhello\n`],
    ['a line that goes on with nothing', `${head}\n  Tags: 1\n`],
    ['a field twice', `${head}\nTags: 1\nTags: 2\n`],
  ])('refuses %s', (_, text) => {
    expect(() => parseLibraryFile(text, 'x')).toThrowError(
      expect.objectContaining({ code: 'usage/bad-library-file' }),
    );
  });
});
