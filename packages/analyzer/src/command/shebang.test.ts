import { describe, expect, it } from 'vitest';
import { parseShebang, splitString } from './shebang.js';

const parse = (text: string) => parseShebang(new TextEncoder().encode(text));

describe('parseShebang', () => {
  it.each([
    ['#!/bin/sh\n', '/bin/sh', undefined],
    ['#! \t/bin/sh -eu  \nexit', '/bin/sh', '-eu'],
    ['#!/usr/bin/env -S a b\n', '/usr/bin/env', '-S a b'],
    ['#!/bin/sh', '/bin/sh', undefined],
    [`#!/bin/sh ${'x'.repeat(400)}\n`, '/bin/sh', 'x'.repeat(245)],
  ])('%j', (text, interpreter, argument) => {
    expect(parse(text)).toEqual({ interpreter, argument });
  });
  it.each(['', '#', '#!', '#!\n/bin/sh', 'echo', ` #!/bin/sh`, `#!/${'x'.repeat(300)}\n`])(
    'sees no script in %j',
    (text) => {
      expect(parse(text)).toBeUndefined();
    },
  );
});

describe('splitString', () => {
  it.each([
    [`a  'b c' "d e" f\\ g`, ['a', 'b c', 'd e', 'f g']],
    ['a\\_b "c\\_d"', ['a', 'b', 'c d']],
    ['run ${X} # no', ['run', 'value']],
    ['a\\cb', ['a']],
    [`''`, ['']],
  ])('%j', (text, words) => {
    expect(splitString(text, () => 'value')).toEqual(words);
  });
  it.each([`'open`, 'end\\', '$X'])('refuses %j', (text) => {
    expect(splitString(text, () => 'value')).toBeUndefined();
  });
});
