import { describe, expect, it } from 'vitest';
import { buildError } from './build-error.js';

// As apt 2.6 prints them.
const gone = `Err:1 http://deb.debian.org/debian sid/main amd64 redis amd64 5:8.0-1
  404  Not Found [IP: 192.0.2.1 80]
E: Failed to fetch http://deb.debian.org/debian/pool/main/r/redis_8.0-1_amd64.deb  404  Not Found [IP: 192.0.2.1 80]
E: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?`;
const offline = `Err:1 http://deb.debian.org/debian bookworm InRelease
  Temporary failure resolving 'deb.debian.org'
E: Failed to fetch http://deb.debian.org/debian/dists/bookworm/InRelease  Temporary failure resolving 'deb.debian.org'`;

describe('buildError', () => {
  it.each([
    ['download', gone, 'corpus/package-gone'],
    ['download', offline, 'environment/mirror-unreachable'],
    ['base', offline, 'environment/mirror-unreachable'],
    ['download', 'E: Unable to locate package redsi', 'corpus/no-such-package'],
    ['download', 'E: Unmet dependencies', 'corpus/download-failed'],
    ['packages', 'tar: write failed: No space left on device', 'environment/disk-full'],
    ['packages', 'dpkg: error processing package x (--configure):', 'corpus/install-failed'],
    ['setup', '+ false', 'corpus/setup-failed'],
  ])('in phase %s', (phase, log, code) => {
    expect(buildError('redis', phase, log, '/log')).toMatchObject({ code, details: { log: '/log' } });
  });

  it('does not take the word of what runs in the image for the state of the network', () => {
    expect(buildError('redis', 'setup', offline, '/log').code).toBe('corpus/setup-failed');
  });

  it('shows what was said, with what could move a cursor made visible', () => {
    const { message } = buildError('redis', 'packages', 'fine\ndpkg: error \u001b[2J here\n', '/log');
    expect(message).toContain('dpkg: error \\u{1b}[2J here');
    expect(message).not.toContain('fine');
  });
});
