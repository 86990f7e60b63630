/** Which shell reads a script: it decides which words are no programs. */
export type ShellDialect = 'posix' | 'bash';

/** POSIX.1-2017, Shell Command Language 2.14 and XCU 1.6, and what dash and busybox ash have built in beside. */
const posix = new Set(
  (
    ': . [ alias bg break cd chdir command continue echo eval exec exit export false fc fg getopts hash jobs ' +
    'kill local printf pwd read readonly return set shift test times trap true type ulimit umask unalias ' +
    'unset wait source let'
  ).split(' '),
);

/** bash(1), SHELL BUILTIN COMMANDS. */
const bash = new Set(
  (
    'bind builtin caller compgen complete compopt declare dirs disown enable help history logout mapfile popd ' +
    'pushd readarray shopt suspend typeset'
  ).split(' '),
);

export function isBuiltin(name: string, dialect: ShellDialect): boolean {
  return posix.has(name) || (dialect === 'bash' && bash.has(name));
}

const shells: Readonly<Record<string, ShellDialect>> = {
  sh: 'posix',
  dash: 'posix',
  ash: 'posix',
  bash: 'bash',
  rbash: 'bash',
  ksh: 'bash',
  mksh: 'bash',
  zsh: 'bash',
};

/** The dialect of the shell called `name` (a base name), or undefined where it is none. */
export function dialectOf(name: string): ShellDialect | undefined {
  return Object.hasOwn(shells, name) ? shells[name] : undefined;
}
