import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { recipeFiles } from './recipe-files.js';

describe('recipeFiles', () => {
  it('is a tar of files and links alone, without times and owners', () => {
    const long = `/${'d/'.repeat(60)}file`;
    const tar = recipeFiles({
      files: [
        { path: '/etc/a', content: 'ä\n', mode: 0o640 },
        { path: long, content: '', mode: 0o755 },
      ],
      links: [{ path: '/var/log/x', target: '/dev/stdout' }],
    });
    const listed = execFileSync('tar', ['--list', '--verbose', '--utc', '--numeric-owner', '--full-time'], {
      input: tar,
    });
    expect(listed.toString().trim().split('\n')).toEqual([
      '-rw-r----- 0/0               3 1970-01-01 00:00:00 etc/a',
      `-rwxr-xr-x 0/0               0 1970-01-01 00:00:00 ${long.slice(1)}`,
      'lrwxrwxrwx 0/0               0 1970-01-01 00:00:00 var/log/x -> /dev/stdout',
    ]);
  });
});
