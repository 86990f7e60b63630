import { PassThrough } from 'node:stream';
import { ProfGenError, errorData } from '@prof-gen/core';
import { describe, expect, it } from 'vitest';
import { errorText } from './error-text.js';
import { progressReporter } from './progress.js';
import { textTable } from './text-table.js';

describe('errorText', () => {
  it('shows what, code, causes and hint', () => {
    const error = new ProfGenError('image/not-found', 'no image "x"', {
      hint: 'is the name right?',
      causes: [new ProfGenError('registry/not-found', 'docker.io has no x'), new Error('no such file')],
    });
    expect(errorText(errorData(error))).toBe(
      [
        'error: no image "x" [image/not-found]',
        '  - docker.io has no x [registry/not-found]',
        '  - no such file',
        '  hint: is the name right?',
        '',
      ].join('\n'),
    );
  });

  it('lets no text of an image reach the terminal as it is', () => {
    const text = errorText({ code: 'elf/not-elf', message: '/bin/\u001b[2Jx\n error: fake' });
    expect(text).toBe('error: /bin/\\u{1b}[2Jx\\u{a} error: fake [elf/not-elf]\n');
  });
});

describe('textTable', () => {
  it('aligns words left and numbers right', () => {
    expect(
      textTable(
        ['name', 'n'],
        [
          ['a', '5'],
          ['long', '123'],
        ],
      ),
    ).toBe('name    n\n----  ---\na       5\nlong  123\n');
  });
});

describe('progressReporter', () => {
  function written(style: 'terminal' | 'lines' | 'json' | 'none'): string {
    const stderr = new PassThrough();
    const reporter = progressReporter({ stdout: new PassThrough(), stderr, env: {} }, style);
    reporter.onEvent({ type: 'phase', image: 'redis', phase: 'open' });
    reporter.onEvent({
      type: 'warning',
      image: 'redis',
      error: { code: 'trace/lost-events', message: 'again' },
    });
    reporter.onEvent({ type: 'finished', image: 'redis', outcome: 'done', message: 'proven' });
    reporter.close();
    return String(stderr.read() ?? '');
  }

  it('prints a line an event', () => {
    expect(written('lines')).toBe(
      'redis: opening the image\nredis: warning: again [trace/lost-events]\nredis: done, proven\n',
    );
  });

  it('prints nothing but warnings when quiet', () => {
    expect(written('none')).toBe('redis: warning: again [trace/lost-events]\n');
  });

  it('prints an event as a line of JSON, with its time', () => {
    const entries = written('json')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { time: string });
    expect(entries.map(({ time, ...event }) => [/^\d{4}-\d\d-\d\dT/.test(time), event])).toEqual([
      [true, { type: 'phase', image: 'redis', phase: 'open' }],
      [true, { type: 'warning', image: 'redis', error: { code: 'trace/lost-events', message: 'again' } }],
      [true, { type: 'finished', image: 'redis', outcome: 'done', message: 'proven' }],
    ]);
  });

  it('takes its live line away', () => {
    expect(written('terminal').endsWith('redis: done, proven\n')).toBe(true);
  });
});
