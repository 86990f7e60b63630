import { describe, expect, it } from 'vitest';
import { formatRegistryReference, parseImageReference, parseRegistryReference } from './image-reference.js';

const digest = `sha256:${'a'.repeat(64)}`;

describe('parseRegistryReference', () => {
  it.each([
    ['nginx', 'docker.io/library/nginx:latest'],
    ['nginx:1.29', 'docker.io/library/nginx:1.29'],
    ['bitnami/redis', 'docker.io/bitnami/redis:latest'],
    [`nginx@${digest}`, `docker.io/library/nginx@${digest}`],
    [`nginx:1@${digest}`, `docker.io/library/nginx:1@${digest}`],
    ['registry.example:5000/a/b:tag', 'registry.example:5000/a/b:tag'],
    ['localhost/x', 'localhost/x:latest'],
    ['[::1]:5000/x', '[::1]:5000/x:latest'],
    ['index.docker.io/library/nginx', 'docker.io/library/nginx:latest'],
    ['a/b/c', 'docker.io/a/b/c:latest'],
  ])('%s is %s', (text, complete) => {
    expect(formatRegistryReference(parseRegistryReference(text))).toBe(complete);
  });

  it.each(['', 'Nginx', 'nginx:', 'nginx@sha256:12', 'a//b', '-x', 'a.b:x/c', 'x:'.padEnd(300, 'y'), '../x'])(
    'refuses %s',
    (text) => {
      expect(() => parseRegistryReference(text)).toThrowError(
        expect.objectContaining({ code: 'usage/reference', hint: expect.stringContaining('name:tag') }),
      );
    },
  );
});

describe('parseImageReference', () => {
  it('keeps a file name for later when there is no scheme', () => {
    expect(parseImageReference('./image.tar')).toEqual({ scheme: 'auto', text: './image.tar' });
  });

  it('reads schemes', () => {
    expect(parseImageReference('oci:/tmp/layout:v1')).toMatchObject({ directory: '/tmp/layout', tag: 'v1' });
    expect(parseImageReference('oci:/tmp/lay:out/dir')).toMatchObject({ directory: '/tmp/lay:out/dir' });
    expect(parseImageReference('docker:redis:7')).toMatchObject({ scheme: 'docker', name: 'redis:7' });
    expect(parseImageReference('dir:/')).toMatchObject({ scheme: 'dir', directory: '/' });
  });

  it('does not take a host called docker for a scheme', () => {
    expect(parseImageReference('docker:5000/a')).toEqual({ scheme: 'auto', text: 'docker:5000/a' });
  });
});
