import { describe, expect, it } from 'vitest';
import { rankTags } from './rank-tags.js';

describe('rankTags', () => {
  it.each([
    ['latest before all', ['9.9', 'latest', '10'], 'latest'],
    ['numbers are compared as numbers', ['9.9', '10.0', '9.10'], '10.0'],
    ['the exact one of those that mean the same', ['9', '9.1', '9.1.4', '8.19.20'], '9.1.4'],
    ['without a suffix before with one', ['8.3.8-noble', '8.3.8', '8.3.8-windowsservercore'], '8.3.8'],
    ['with a suffix when there is no other', ['8.3.7-noble', '8.3.8-noble'], '8.3.8-noble'],
    ['stable before newer', ['9.0-rc1', '8.1', '10-ea-jdk', '11.0.0b2', '12.0-m01', '13-alpha.1'], '8.1'],
    ['what is not stable, when nothing is', ['27-ea-jdk', '27-rc-jdk', '26-rc-jdk'], '27-ea-jdk'],
    ['an image of its own line comes after', ['psmdb-9.0', '8.0.46', 'ps-12'], '8.0.46'],
    ['a day is no version', ['20231119', '9.3.20231119', 'base-20260101'], '9.3.20231119'],
    ['v before a version is no line', ['v3.2', 'v3.10'], 'v3.10'],
    ['words stand last', ['base', '1.0-base'], '1.0-base'],
    ['amazonlinux is counted by years', ['2023', '2', '2018.03'], '2023'],
  ])('%s', (_, tags, best) => {
    expect(rankTags(tags)[0]).toBe(best);
    expect(rankTags([...tags].reverse())).toEqual(rankTags(tags));
  });

  it('drops what is no tag, and doubles', () => {
    expect(rankTags(['-x', '../1', '1.0', '', '1.0', 'a'.repeat(200), '2\n'])).toEqual(['1.0']);
  });
});
