/** First line of a script as the kernel reads it. */
export interface Shebang {
  readonly interpreter: string;
  /** All of the rest of the line, as one argument. */
  readonly argument: string | undefined;
}

/** BINPRM_BUF_SIZE: the kernel looks at no more of a file. */
const headerSize = 256;

/**
 * Reads `#!` as fs/binfmt_script.c does: blanks around the interpreter, and one argument that may hold blanks.
 * A line that does not end within 256 bytes is cut in the argument; when the interpreter itself is cut,
 * the kernel refuses (ENOEXEC) and so does this.
 * @returns undefined where the kernel sees no script
 */
export function parseShebang(bytes: Uint8Array): Shebang | undefined {
  if (bytes[0] !== 0x23 || bytes[1] !== 0x21) return undefined;
  const header = bytes.subarray(2, headerSize);
  const ends = header.findIndex((byte) => byte === 0x0a || byte === 0);
  const isCut = ends < 0 && bytes.length >= headerSize;
  // The last byte of a full buffer is overwritten with the terminator.
  const length = ends >= 0 ? ends : isCut ? header.length - 1 : header.length;
  const line = new TextDecoder().decode(header.subarray(0, length));
  const match = /^[ \t]*([^ \t]+)(?:[ \t]+([^]*))?$/.exec(line);
  if (match?.[1] === undefined) return undefined;
  if (isCut && match[2] === undefined) return undefined;
  const argument = match[2]?.replace(/[ \t]+$/, '');
  return { interpreter: match[1], argument: argument === '' ? undefined : argument };
}

/**
 * `env -S`: a string split as a shell would, with quotes and backslashes and `${NAME}` (GNU env(1)).
 * @returns undefined where it is malformed
 */
export function splitString(
  text: string,
  variable: (name: string) => string | undefined,
): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (quote === "'") {
      if (c === "'") quote = undefined;
      else word += c;
    } else if (c === '\\') {
      i += 1;
      const next = text[i];
      if (next === undefined) return undefined;
      if (next === 'c') return word === undefined ? words : [...words, word];
      if (next === '_') {
        if (quote === undefined) {
          if (word !== undefined) words.push(word);
          word = undefined;
        } else word += ' ';
      } else word = (word ?? '') + ({ n: '\n', t: '\t', r: '\r', f: '\f', v: '\v' }[next] ?? next);
    } else if (c === '"' || (c === "'" && quote === undefined)) {
      word ??= '';
      quote = quote === c ? undefined : (quote ?? c);
    } else if (c === '$') {
      const name = /^\$\{([A-Za-z_]\w*)\}/.exec(text.slice(i));
      if (name?.[1] === undefined) return undefined;
      word = (word ?? '') + (variable(name[1]) ?? '');
      i += name[0].length - 1;
    } else if (quote === undefined && /\s/.test(c)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (quote === undefined && word === undefined && c === '#') break;
    else word = (word ?? '') + c;
  }
  if (quote !== undefined) return undefined;
  if (word !== undefined) words.push(word);
  return words;
}
