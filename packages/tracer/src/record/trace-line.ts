/**
 * One line of the tracing program, read. `mark` names a container's slot and program; `id` joins the lines of one
 * event, which come in order among themselves.
 */
export type TraceLine =
  | { readonly kind: 'exec'; id: string; mark: bigint; phase: number; device: number }
  | { readonly kind: 'object'; id: string; mark: bigint; device: number }
  /** One path component, from the last to the first. */
  | { readonly kind: 'component'; id: string; text: Buffer }
  /** What follows in a long component, counted from the last one, 0. */
  | { readonly kind: 'rest'; id: string; component: number; text: Buffer }
  | { readonly kind: 'path-end'; id: string; cut: boolean }
  | { readonly kind: 'arguments'; id: string; bytes: Buffer }
  | { readonly kind: 'arguments-end'; id: string; cut: boolean }
  | { readonly kind: 'first-call'; mark: bigint; phase: number; call: number; process: string }
  | {
      readonly kind: 'first-denial';
      mark: bigint;
      phase: number;
      call: number;
      error: number;
      process: string;
    }
  /** Arguments of the denial whose line comes next, hexadecimal with `0x`. */
  | {
      readonly kind: 'denied-arguments';
      mark: bigint;
      phase: number;
      call: number;
      error: number;
      values: readonly string[];
    }
  | { readonly kind: 'failed-exec'; mark: bigint; phase: number; error: number; path: string }
  | { readonly kind: 'calls'; mark: bigint; call: number; count: number }
  | { readonly kind: 'denials'; mark: bigint; phase: number; call: number; error: number; count: number }
  /** Events of a slot that were told: first calls, denials, failed execs, execs and objects. */
  | { readonly kind: 'told'; slot: number; count: number }
  | { readonly kind: 'answer'; operation: number; a: number; b: number }
  | { readonly kind: 'lost'; count: number }
  | { readonly kind: 'ready' };

/** Bytes of `\x61\x62`. */
function bytesOf(escaped: string): Buffer {
  return Buffer.from(escaped.replaceAll('\\x', ''), 'hex');
}

/** Bytes up to the first NUL as text. */
function textOf(escaped: string): string {
  const bytes = bytesOf(escaped);
  const end = bytes.indexOf(0);
  return (end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8');
}

const hexMark = (text: string): bigint => BigInt(`0x${text}`);

/** What a line says; undefined for one that says nothing (empty, heartbeat, bpftrace's own). */
export function parseTraceLine(line: string): TraceLine | undefined {
  if (line.startsWith('@')) return mapEntry(line);
  const [letter, ...rest] = line.split('|');
  const at = (index: number): string => rest[index] ?? '';
  switch (letter) {
    case 'X':
      return { kind: 'exec', id: at(0), mark: hexMark(at(1)), phase: Number(at(2)), device: Number(at(3)) };
    case 'O':
      return { kind: 'object', id: at(0), mark: hexMark(at(1)), device: Number(at(2)) };
    case 'P':
      return { kind: 'component', id: at(0), text: bytesOf(at(1)) };
    case 'Q':
      return { kind: 'rest', id: at(0), component: Number(at(1)), text: bytesOf(at(2)) };
    case 'E':
      return { kind: 'path-end', id: at(0), cut: at(1) !== '0' };
    case 'A':
      return { kind: 'arguments', id: at(0), bytes: bytesOf(at(1)) };
    case 'Y':
      return { kind: 'arguments-end', id: at(0), cut: at(1) !== '0' };
    case 'F':
      return {
        kind: 'first-call',
        mark: hexMark(at(0)),
        phase: Number(at(1)),
        call: Number(at(2)),
        process: textOf(at(3)),
      };
    case 'D':
      return {
        kind: 'first-denial',
        mark: hexMark(at(0)),
        phase: Number(at(1)),
        call: Number(at(2)),
        error: Number(at(3)),
        process: textOf(at(4)),
      };
    case 'G':
      return {
        kind: 'denied-arguments',
        mark: hexMark(at(0)),
        phase: Number(at(1)),
        call: Number(at(2)),
        error: Number(at(3)),
        values: rest.slice(4).map((value) => `0x${value}`),
      };
    case 'V':
      return {
        kind: 'failed-exec',
        mark: hexMark(at(0)),
        phase: Number(at(1)),
        error: -Number(at(2)),
        path: textOf(at(3)),
      };
    case 'Z':
      return { kind: 'answer', operation: Number(at(0)), a: Number(at(1)), b: Number(at(2)) };
    case 'ready':
      return { kind: 'ready' };
    default: {
      const lost = /^Lost (\d+) events/.exec(line);
      return lost === null ? undefined : { kind: 'lost', count: Number(lost[1]) };
    }
  }
}

function mapEntry(line: string): TraceLine | undefined {
  const entry = /^@([cdl])\[([-\d, ]+)\]: (\d+)$/.exec(line);
  if (entry === null) return undefined;
  const [, map, key, count] = entry as unknown as [string, string, string, string];
  const [mark = '0', ...numbers] = key.split(', ');
  const common = { mark: BigInt(mark), count: Number(count) };
  if (map === 'l') return { kind: 'told', slot: Number(mark), count: common.count };
  if (map === 'c') return { kind: 'calls', ...common, call: Number(numbers[0]) };
  const [phase, call, error] = numbers.map(Number) as [number, number, number];
  return { kind: 'denials', ...common, phase, call, error };
}
