import type { ProgramAnalysis } from '@prof-gen/core';

/** Names of interpreters and runtimes, without directories; the first that a container runs is its language. */
const runtimes: readonly (readonly [pattern: RegExp, language: string])[] = [
  [/^java$/, 'Java'],
  [/^(node|nodejs)$/, 'JavaScript'],
  [/^(python|pypy)[\d.]*$/, 'Python'],
  [/^(ruby|jruby)[\d.]*$/, 'Ruby'],
  [/^php(-fpm|-cgi)?[\d.]*$/, 'PHP'],
  [/^(beam\.smp|erl|elixir)$/, 'Erlang'],
  [/^(mono(-sgen)?|dotnet)$/, '.NET'],
  [/^perl[\d.]*$/, 'Perl'],
  [/^(tclsh|wish)[\d.]*$/, 'Tcl'],
  [/^(lua|luajit)[\d.]*$/, 'Lua'],
  [/^(Rscript|R)$/, 'R'],
  [/^(julia|ghc|sbcl|swift)[\d.]*$/, 'other'],
];

const shells = /^(ba|da|z|k|a)?sh(-static)?$|^busybox$/;
/** What entrypoints start other programs with. */
const wrappers = /^(gosu|tini(-static)?|dumb-init|su-exec|setpriv|env|runuser|sudo|su|nice|chroot)$/;

/**
 * Language of what a container is for: of the last program that its run command and its scripts lead to and that is no
 * wrapper, since entrypoints prepare first and execute at their end. Programs that are compiled are `C/C++` unless Go's
 * linker has made them (`goFiles`, by path); a shell counts where there is nothing else.
 */
export function languageOf(
  programs: readonly Pick<ProgramAnalysis, 'path' | 'origin'>[],
  goFiles: ReadonlySet<string>,
): string {
  const names = programs
    .filter(({ origin }) => origin.kind === 'run-command' || origin.kind === 'script')
    .map(({ path }) => ({ path, name: path.slice(path.lastIndexOf('/') + 1) }));
  const main = names.filter(({ name }) => !shells.test(name) && !wrappers.test(name)).at(-1);
  if (main === undefined) return names.some(({ name }) => shells.test(name)) ? 'Shell' : 'C/C++';
  const runtime = runtimes.find(([pattern]) => pattern.test(main.name));
  if (runtime !== undefined) return runtime[1];
  return goFiles.has(main.path) ? 'Go' : 'C/C++';
}
