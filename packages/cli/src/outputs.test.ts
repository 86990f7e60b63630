import { describe, expect, it } from 'vitest';
import { parseOutputs } from './outputs.js';

describe('parseOutputs', () => {
  it('reads formats with and without a file', () => {
    expect(parseOutputs(['docker', 'json=a=b.json'])).toEqual([
      { format: 'docker' },
      { format: 'json', file: 'a=b.json' },
    ]);
  });

  it.each([[['xml']], [['json=']], [['docker', 'table']], [['']]])('refuses %j', (texts) => {
    expect(() => parseOutputs(texts)).toThrowError(expect.objectContaining({ code: 'usage/output' }));
  });
});
