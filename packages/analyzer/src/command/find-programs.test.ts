import { memoryTree } from '@prof-gen/testkit';
import { describe, expect, it } from 'vitest';
import { findPrograms } from './find-programs.js';

const elf = new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
const base = { '/bin/sh': elf, '/bin/server': elf, '/bin/tool': elf, '/bin/env': elf };

function find(files: Parameters<typeof memoryTree>[0], ...argv: string[]) {
  return findPrograms({
    tree: memoryTree({ ...base, ...files }),
    command: { argv, env: ['PATH=/bin'], workingDir: '/', user: '' },
    healthcheck: [],
    shell: ['/bin/sh', '-c'],
  });
}
async function run(script: string, ...args: string[]): Promise<string[]> {
  const { programs } = await find({ '/run': `#!/bin/sh\n${script}\n` }, '/run', ...args);
  return programs.slice(1).map(({ path }) => path.slice('/bin/'.length));
}

describe('constants of a script', () => {
  it.each([
    ['a=server; "$a"', ['server']],
    ['a=ser; b=ver; $a$b --x', ['server']],
    ['if [ -f /x ]; then c=tool; else c=server; fi; $c', ['server', 'tool']],
    ['[ "$1" = no ] && tool; server', ['server']],
    ['[ "$1" = yes ] && tool; server', ['tool', 'server']],
    ['[ "$1" = yes -a "$UNKNOWN" = 1 ] || tool', ['tool']],
    ['[ "$1" != yes ] || tool', ['tool']],
    ['test $# -gt 1 && tool; [ $# -eq 1 ] && server', ['server']],
    ['[[ $1 == y* ]] && tool', ['tool']],
    ['case "$1" in y*|z) tool ;; *) server ;; esac', ['tool']],
    ['case "$HOME" in y*) tool ;; *) server ;; esac', ['tool', 'server']],
    ['set -- tool "$@"; "$1"', ['tool']],
    ['shift; "${1:-server}"', ['server']],
    ['read -r l; set -- $l; [ "$2" = x ] && tool; server', ['tool', 'server']],
    ['read -r l; set -- $l; shift; [ "$1" = x ] && tool; server', ['tool', 'server']],
    ['read -r l; set -- $l; a=0; eval "$2"; [ "$a" = 1 ] && tool; server', ['tool', 'server']],
    ['f() { "$1" --flag; }; f server', ['server']],
    ['f() { return 1; }; f && tool; server', ['tool', 'server']],
    ['for c in tool server; do $c; done', ['tool', 'server']],
    ['x=tool; while read l; do $x; x=server; done', ['tool', 'server']],
    ['x=$(command -v server) && exec "$x"', ['server']],
    ['eval "ser""ver --x"', ['server']],
    ['cat <<X\n$(tool)\nX\nserver <<<"$(tool)"', ['tool', 'server']],
    ['diff <(tool) <(server)', ['tool', 'server']],
    ['trap "tool -x" EXIT', ['tool']],
    ['tool | { server & }', ['tool', 'server']],
    ['name=/bin/server.conf; "${name%.conf}"', ['server']],
    ['a=1 env -u B C=2 server', ['env', 'server']],
    ['! server', ['server']],
    ['alias s=server', ['server']],
    ['command server; builtin tool', ['server']],
    ['echo tool; printf server; cd /bin', []],
  ])('%s', async (script, programs) => {
    expect(await run(script, 'yes')).toEqual(programs);
  });
});

describe('the run command', () => {
  it.each([
    [{ '/x': 'no first line' }, '/x', 'analysis/exec-format'],
    [{ '/x': new Uint8Array([0, 1, 2, 3]) }, '/x', 'analysis/exec-format'],
    [{ '/x': '#!/no/such\n' }, '/x', 'analysis/interpreter-not-found'],
    [{}, 'gone', 'analysis/command-not-found'],
    [{ '/loop': '#!/loop\n' }, '/loop', 'analysis/interpreters-too-deep'],
    [{ '/large': `#!/bin/sh\n${'x'.repeat(2 ** 20)}` }, '/large', 'analysis/no-program'],
  ])('%j %s fails with %s', async (files, command, code) => {
    await expect(find(files, command)).rejects.toMatchObject({ code, hint: expect.any(String) });
  });

  it('that is a line for the shell keeps its chain', async () => {
    const { programs } = await find({}, 'sh', '-c', 'exec server');
    expect(programs.map(({ origin }) => origin)).toEqual([
      { kind: 'run-command', chain: ['/bin/sh'] },
      { kind: 'run-command', chain: ['/bin/sh', '/bin/server'] },
    ]);
  });

  it('may be a script that leads to nothing: its shell is the program', async () => {
    const { programs, undecided } = await find({ '/s': '#!/bin/sh\n"$X" --serve\n' }, '/s');
    expect(programs.map(({ path }) => path)).toEqual(['/bin/sh']);
    expect(undecided).toHaveLength(1);
  });

  it('may be a file that only a shell takes for a script, within one', async () => {
    const { programs } = await find({ '/s': '#!/bin/sh\n/plain\n', '/plain': 'server\n' }, '/s');
    expect(programs.map(({ path }) => path)).toEqual(['/bin/sh', '/bin/server']);
  });
});

describe('hostile scripts end soon and say so', () => {
  const list = (count: number, item: (i: number) => string): string =>
    Array.from({ length: count }, (_, i) => item(i)).join('\n');
  it.each([
    ['deep nesting', `${'( '.repeat(3000)}server${' )'.repeat(3000)}`],
    ['deep substitution', `${'$('.repeat(1000)}server${')'.repeat(1000)}`],
    ['deep expansion', `x=${'${a:-'.repeat(2000)}b${'}'.repeat(2000)}`],
    ['a fork bomb', ':(){ :|:& };:'],
    ['functions that grow', 'f() { g "$@" x; }; g() { f "$@" y; }; f a'],
    ['doubling text', list(40, (i) => `a${i + 1}="$a${i}$a${i}x"`)],
    ['doubling alternatives', list(40, (i) => `[ -f /${i} ] && x="$x${i}"\n"$x"`)],
    ['itself again', '. /run; /run "$@" more; exec "$0" "$@"'],
    ['loops in loops', `${list(12, (i) => `for x${i} in 1 2 3; do`)}\nserver\n${list(12, () => 'done')}`],
    ['nonsense', '}}}) <<<<(((( ;;;; fi done esac ${{{ `"'],
    ['stars', `case ${'a'.repeat(2000)} in ${'*a'.repeat(200)}b) tool ;; esac`],
  ])('%s', async (_, script) => {
    const started = performance.now();
    const { programs, undecided } = await find({ '/run': `#!/bin/sh\n${script}\n` }, '/run', 'a');
    expect(programs[0]?.path).toBe('/bin/sh');
    expect(undecided.length).toBeLessThanOrEqual(1000);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('and their names are made fit to be shown', async () => {
    const { undecided } = await find({ '/run': '#!/bin/sh\n"\u001b[2J\u202eevil"\n' }, '/run');
    expect(undecided).toMatchObject([{ what: '\\u{1b}[2J\\u{202e}evil' }]);
  });
});
