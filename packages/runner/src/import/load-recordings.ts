import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { ProfGenError, printable, type RecordingSource } from '@prof-gen/core';
import { isStraceLine, StraceLog } from '@prof-gen/tracer';
import { namesInProfile } from './names-in-profile.js';

/** A recording as it was read: which programs its paths are is known once there is an image. */
export type Recording = { readonly source: RecordingSource; readonly sha256: string } & (
  | { readonly kind: 'strace'; readonly log: StraceLog }
  | { readonly kind: 'names'; readonly names: readonly string[] }
);

export interface RecordingLimits {
  /** Bytes of a log of strace, of a profile, and characters of a line. */
  readonly log: number;
  readonly profile: number;
  readonly line: number;
  readonly files: number;
}

const defaultLimits: RecordingLimits = { log: 2 ** 30, profile: 4 << 20, line: 1 << 20, files: 20_000 };

const headBytes = 64 << 10;

const bad = (file: string, why: string, hint?: string, cause?: unknown): ProfGenError =>
  new ProfGenError('usage/bad-recording', `${printable(file)} ${why}`, {
    ...(hint === undefined ? {} : { hint }),
    causes: cause === undefined ? [] : [cause],
  });

/** Files of `strace -ff`: the same name with the number of a process, and no numbers inside. */
const ofProcess = /^(.+)\.(\d{1,10})$/;

/**
 * Reads what other tools recorded. What a file is, is told by its content: a log of `strace -f`, one file of a set of
 * `strace -ff` (files of one name that end in numbers belong together), a SeccompProfile of the
 * security-profiles-operator, or a profile of oci-seccomp-bpf-hook.
 * @throws ProfGenError `usage/bad-recording`, `usage/no-such-file`
 */
export async function loadRecordings(
  files: readonly string[],
  limits: RecordingLimits = defaultLimits,
): Promise<Recording[]> {
  if (files.length > limits.files) {
    throw new ProfGenError('usage/bad-recording', `more than ${limits.files} recordings`, {
      hint: 'record with strace -f -o FILE instead of -ff',
    });
  }
  const recordings: Recording[] = [];
  const sets = new Map<string, { readonly file: string; readonly pid: number }[]>();
  for (const file of [...new Set(files)]) {
    const head = await headOf(file);
    const { lines, numbered } = straceLines(head);
    if (lines > 0) {
      const [, stem, pid] = ofProcess.exec(file) ?? [];
      if (stem === undefined || numbered) recordings.push(await straceLog([{ file, pid: 0 }], file, limits));
      else sets.set(stem, [...(sets.get(stem) ?? []), { file, pid: Number(pid) }]);
    } else recordings.push(await profile(file, limits));
  }
  for (const [stem, set] of sets) {
    // Parents mostly have lower numbers: what a child starts with is then known when its file is read.
    set.sort((a, b) => a.pid - b.pid);
    recordings.push(await straceLog(set, set.length === 1 ? (set[0]?.file ?? stem) : `${stem}.*`, limits));
  }
  return recordings;
}

async function headOf(file: string): Promise<string> {
  try {
    const handle = await open(file, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
      return buffer.toString('latin1', 0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new ProfGenError('usage/no-such-file', `there is no file ${printable(file)}`, {
        causes: [cause],
      });
    }
    throw bad(file, 'cannot be read', undefined, cause);
  }
}

/** Lines of strace at the beginning of a file, and whether they bear numbers of processes. */
function straceLines(head: string): { readonly lines: number; readonly numbered: boolean } {
  let lines = 0;
  let numbered = false;
  for (const line of head.split('\n').slice(0, 400)) {
    const seen = isStraceLine(line);
    if (seen === false) continue;
    lines += 1;
    numbered ||= seen === 'numbered';
  }
  return { lines, numbered };
}

async function straceLog(
  set: readonly { readonly file: string; readonly pid: number }[],
  name: string,
  limits: RecordingLimits,
): Promise<Recording> {
  const log = new StraceLog();
  const hash = createHash('sha256');
  let bytes = 0;
  for (const { file, pid } of set) {
    let rest = '';
    const take = (line: string): void => {
      if (line.length > limits.line) throw bad(file, `has a line of more than ${limits.line} characters`);
      log.take(line, pid);
    };
    try {
      for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > limits.log) throw bad(name, `is larger than ${limits.log} bytes`, tooLarge);
        hash.update(chunk);
        // strace escapes what is not ASCII.
        const lines = (rest + chunk.toString('latin1')).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) take(line);
        if (rest.length > limits.line) take(rest);
      }
      take(rest);
    } catch (thrown) {
      if (thrown instanceof ProfGenError && thrown.code.startsWith('usage/')) throw thrown;
      throw bad(file, 'cannot be read as a log of strace', undefined, thrown);
    }
  }
  const { understood, others } = log.lines;
  if (others > understood) {
    throw bad(name, 'is a log of strace in the smaller part of its lines', 'record with strace -f -o FILE');
  }
  return {
    source: { tool: 'strace', file: name },
    sha256: hash.digest('hex'),
    kind: 'strace',
    log,
  };
}

const tooLarge = 'record with --seccomp-bpf and fewer strings (-s 0), or a shorter time';

async function profile(file: string, limits: RecordingLimits): Promise<Recording> {
  const handle = await open(file, 'r').catch((cause: unknown) => {
    throw bad(file, 'cannot be read', undefined, cause);
  });
  let bytes: Buffer;
  try {
    const { size } = await handle.stat();
    if (size > limits.profile)
      throw bad(file, `is no log of strace, and larger than ${limits.profile} bytes`);
    bytes = await handle.readFile();
  } finally {
    await handle.close();
  }
  const { tool, names } = namesInProfile(bytes.toString('utf8'), file);
  return {
    source: { tool, file },
    sha256: createHash('sha256').update(bytes).digest('hex'),
    kind: 'names',
    names,
  };
}
