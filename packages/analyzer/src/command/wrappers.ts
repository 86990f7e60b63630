import type { Word, Words } from '../script/shell-state.js';
import { splitString } from './shebang.js';

/** A program whose arguments are a command that it starts. */
interface Wrapper {
  readonly names: readonly string[];
  /** Short options that take a value, attached or as the next word. */
  readonly valued?: string;
  /** Long options that take a value as the next word when no `=` is in them. */
  readonly longValued?: readonly string[];
  /** Words before the command that are not options. */
  readonly operands?: number;
  /** `NAME=value` words before the command set its environment. */
  readonly assigns?: true;
  /** Options whose value is a line for the shell, instead of a command in words. */
  readonly line?: readonly string[];
  /** Options whose value names the program. */
  readonly program?: readonly string[];
}

/**
 * Wrappers that images put in front of their program, from each one's manual page.
 * An option that is not listed is taken to have no value.
 */
const wrappers: readonly Wrapper[] = [
  { names: ['tini', 'tini-static', 'docker-init'], valued: 'pe' },
  { names: ['dumb-init'], valued: 'r', longValued: ['rewrite'] },
  { names: ['catatonit', 'nohup', 'with-contenv', 'setsid', 'exec', 'pid1', 's6-setsid', 'fixuid'] },
  { names: ['gosu', 'su-exec', 's6-setuidgid', 'setuidgid'], operands: 1 },
  {
    names: ['setpriv'],
    longValued: (
      'ambient-caps inh-caps bounding-set ruid euid reuid rgid egid regid groups securebits pdeathsig ptracer ' +
      'selinux-label apparmor-profile landlock-access landlock-rule seccomp-filter'
    ).split(' '),
  },
  { names: ['env'], valued: 'uC', longValued: ['unset', 'chdir'], assigns: true },
  { names: ['nice'], valued: 'n', longValued: ['adjustment'] },
  { names: ['ionice'], valued: 'cn', longValued: ['class', 'classdata'] },
  { names: ['chrt'], valued: 'TPD', operands: 1 },
  { names: ['taskset'], operands: 1 },
  { names: ['timeout'], valued: 'ks', longValued: ['kill-after', 'signal'], operands: 1 },
  { names: ['stdbuf'], valued: 'ioe', longValued: ['input', 'output', 'error'] },
  { names: ['time'], valued: 'fo', longValued: ['format', 'output'] },
  { names: ['chroot'], longValued: ['userspec', 'groups'], operands: 1 },
  { names: ['unshare'], valued: 'SGRw', longValued: ['setuid', 'setgid', 'root', 'wd'] },
  { names: ['prlimit', 'unbuffer', 'dbus-run-session', 'xvfb-run'] },
  { names: ['numactl'], valued: 'imNCpP' },
  { names: ['chpst'], valued: 'uUbedfmoptcrn/' },
  { names: ['softlimit'], valued: 'adfmlopstcr' },
  {
    names: ['flock'],
    valued: 'wE',
    longValued: ['timeout', 'wait', 'conflict-exit-code'],
    operands: 1,
    line: ['-c', '--command'],
  },
  {
    names: ['runuser'],
    valued: 'ugGw',
    longValued: ['user', 'group', 'supp-group', 'whitelist-environment'],
  },
  {
    names: ['sudo'],
    valued: 'ugCpRTUDhrt',
    longValued: ['user', 'group', 'chdir', 'prompt', 'host'],
    assigns: true,
  },
  { names: ['doas'], valued: 'uC' },
  {
    names: ['xargs'],
    valued: 'adEILnPs',
    longValued: [
      'arg-file',
      'delimiter',
      'max-lines',
      'max-args',
      'max-procs',
      'max-chars',
      'process-slot-var',
    ],
  },
  {
    names: ['start-stop-daemon'],
    valued: 'punsRrgcNPIk',
    longValued:
      'pidfile user name signal retry chuid group chroot chdir nicelevel procsched iosched umask ppid pid'.split(
        ' ',
      ),
    program: ['-a', '--startas', '-x', '--exec'],
  },
];

const byName = new Map(wrappers.flatMap((wrapper) => wrapper.names.map((name) => [name, wrapper] as const)));

/** What a wrapper starts. */
export type Inner =
  | { readonly kind: 'words'; readonly words: Words; readonly assigned: ReadonlyMap<string, Word> }
  /** For the shell; `shell` where the command says which. */
  | { readonly kind: 'line'; readonly line: Word; readonly shell: Word };

const none: ReadonlyMap<string, Word> = new Map();

/** Every `-exec`, `-execdir`, `-ok` and `-okdir` of find(1), up to its `;` or `+`. */
function findCommands(args: Words): Inner[] {
  const found: Inner[] = [];
  for (let i = 0; i < args.length; i++) {
    if (!/^-(exec|ok)(dir)?$/.test(args[i] ?? '')) continue;
    const end = args.findIndex(
      (word, at) => at > i && (word === ';' || (word === '+' && args[at - 1] === '{}')),
    );
    // What find puts in the place of {} is only known when it runs.
    const words = args
      .slice(i + 1, end < 0 ? undefined : end)
      .map((word) => (word === '{}' ? undefined : word));
    if (words.length > 0) found.push({ kind: 'words', words, assigned: none });
    i = end < 0 ? args.length : end;
  }
  return found;
}

/** su(1), and runuser(1) without `-u`: the user's shell, with a line or with arguments of its own. */
const switchUser: Wrapper = {
  names: [],
  valued: 'gGsw',
  longValued: ['group', 'supp-group', 'shell', 'whitelist-environment'],
  operands: 1,
  line: ['-c', '--command', '--session-command'],
};

/** The dynamic loader run by hand (ld.so(8)): its options, then a program. */
const loaderName = /^ld-(linux-x86-64\.so\.2|musl-x86_64\.so\.1|[\d.]+\.so)$/;
const loader: Wrapper = {
  names: [],
  longValued: 'library-path preload audit argv0 inhibit-rpath glibc-hwcaps-prepend glibc-hwcaps-mask'.split(
    ' ',
  ),
};

/**
 * The commands that `words` starts by its own job, beside itself.
 * @param name base name under which it was called
 * @param env variables of its environment, for `env -S '${NAME}'`
 */
export function innerCommands(
  name: string,
  words: Words,
  env: (name: string) => string | undefined,
): Inner[] {
  const args = words.slice(1);
  if (name === 'find') return findCommands(args);
  if (name === 'busybox') return args.length > 0 ? [{ kind: 'words', words: args, assigned: none }] : [];
  if (name === 'env') {
    const split = withStringSplit(args, env);
    return split === undefined
      ? innerCommands(name, [words[0], undefined], env)
      : wrapped(byName.get(name), split);
  }
  const switches =
    name === 'su' || (name === 'runuser' && !args.some((word) => /^(-u|--user)/.test(word ?? '')));
  if (switches) {
    const { line, options } = readOptions(switchUser, args);
    return [
      {
        kind: 'line',
        line: line === undefined ? '' : line.text,
        shell: options.get('-s') ?? options.get('--shell'),
      },
    ];
  }
  return wrapped(loaderName.test(name) ? loader : byName.get(name), args);
}

/** `env -S TEXT`, `env -STEXT`, `env -iS TEXT`, `env --split-string=TEXT` with the text's words in its place. */
function withStringSplit(args: Words, env: (name: string) => string | undefined): Words | undefined {
  for (const [i, word] of args.entries()) {
    if (word === undefined || !word.startsWith('-')) break;
    const match = /^(?:-[iv0]*S|--split-string(?:=|$))([^]*)$/.exec(word);
    if (match === null) continue;
    const isApart = match[1] === '';
    const text = isApart ? args[i + 1] : match[1];
    const pieces = text === undefined ? undefined : splitString(text, env);
    return pieces && [...args.slice(0, i), ...pieces, ...args.slice(isApart ? i + 2 : i + 1)];
  }
  return args;
}

interface Options {
  readonly options: ReadonlyMap<string, Word>;
  readonly assigned: ReadonlyMap<string, Word>;
  readonly line: { readonly text: Word } | undefined;
  readonly program: Word;
  readonly rest: Words;
}

function readOptions(wrapper: Wrapper, args: Words): Options {
  const options = new Map<string, Word>();
  const assigned = new Map<string, Word>();
  const short = new Set(wrapper.valued);
  const long = new Set(wrapper.longValued?.map((name) => `--${name}`));
  for (const option of [...(wrapper.line ?? []), ...(wrapper.program ?? [])]) {
    if (option.startsWith('--')) long.add(option);
    else short.add(option.slice(1));
  }
  let operands = wrapper.operands ?? 0;
  let at = 0;
  let optionsEnd = false;
  for (; at < args.length; at++) {
    const word = args[at];
    if (!optionsEnd && word === '--') {
      optionsEnd = true;
    } else if (!optionsEnd && word !== undefined && word.startsWith('--')) {
      const equals = word.indexOf('=');
      const name = equals < 0 ? word : word.slice(0, equals);
      if (equals >= 0) options.set(name, word.slice(equals + 1));
      else options.set(name, long.has(name) ? args[++at] : '');
    } else if (!optionsEnd && word !== undefined && /^-./.test(word)) {
      // The first letter of a bundle that takes a value ends it: its value is the rest, or the next word.
      const valued = [...word].findIndex((letter, i) => i > 0 && short.has(letter));
      if (valued > 0) options.set(`-${word[valued]}`, word.slice(valued + 1) || args[++at]);
      else options.set(word, '');
    } else if (!optionsEnd && word === '-') {
      options.set('-', '');
    } else if (wrapper.assigns && word !== undefined && /^[A-Za-z_]\w*=/.test(word)) {
      const equals = word.indexOf('=');
      assigned.set(word.slice(0, equals), word.slice(equals + 1));
    } else if (operands > 0) operands -= 1;
    else break;
  }
  const first = (names: readonly string[] = []): { text: Word } | undefined => {
    const name = names.find((one) => options.has(one));
    return name === undefined ? undefined : { text: options.get(name) };
  };
  return {
    options,
    assigned,
    line: first(wrapper.line),
    program: first(wrapper.program)?.text,
    rest: args.slice(at),
  };
}

function wrapped(wrapper: Wrapper | undefined, args: Words): Inner[] {
  if (wrapper === undefined) return [];
  const { assigned, line, program, rest } = readOptions(wrapper, args);
  if (line !== undefined) return [{ kind: 'line', line: line.text, shell: undefined }];
  const words = program === undefined ? rest : [program, ...rest];
  return words.length === 0 ? [] : [{ kind: 'words', words, assigned }];
}
