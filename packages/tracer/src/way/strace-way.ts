import { setTimeout as sleep } from 'node:timers/promises';
import { executedProgram, ProfGenError, printable } from '@prof-gen/core';
import type { Container } from '../container/container.js';
import { callLimit, type Engine } from '../engine/engine.js';
import type { Gate, GatedContainer } from '../gate/gate.js';
import { observedRecord } from '../record/observed-record.js';
import { StraceHelper, type StraceSession } from '../strace/strace-helper.js';
import type { StraceImage } from '../strace/strace-image.js';
import { StraceLog } from '../strace/strace-log.js';
import type { Watch, WatchedImage, WatchRecord, Way } from './way.js';

/** The engine's clock may be another one than this process's: the engine may run in a virtual machine. */
export interface EngineClock {
  /** Seconds since the epoch, as the containers have it. */
  now(): number;
}

/** A strace beside each container, which every program that the engine starts waits for. */
export function straceWay(engine: Engine, image: StraceImage, clock: EngineClock): Way {
  return {
    method: 'strace',
    watch: (watched) => Promise.resolve(new StraceWatch(engine, image.reference, clock, watched, true)),
    close: () => image.remove(),
  };
}

/** For the last lines of a container that has ended. */
const endLimit = 10_000;

interface Watched {
  readonly container: Container;
  readonly log: StraceLog;
  helper: StraceHelper | undefined;
  /** Each resolves once a strace has ended and it is known whether it was to. */
  readonly sessions: Promise<void>[];
  /** Why something may be missing. */
  problem: string | undefined;
}

class StraceWatch implements Watch {
  readonly #engine: Engine;
  readonly #image: string;
  readonly #clock: EngineClock;
  readonly #watched: WatchedImage;
  readonly #containers = new Map<string, Watched>();
  /** When each phase began, in order. */
  readonly #begun: { readonly time: number; readonly phase: number }[] = [];
  readonly gate: Gate = { open: (container, pid) => this.#open(container, pid) };

  readonly #mayRepeat: boolean;

  constructor(engine: Engine, image: string, clock: EngineClock, watched: WatchedImage, mayRepeat: boolean) {
    this.#mayRepeat = mayRepeat;
    this.#engine = engine;
    this.#image = image;
    this.#clock = clock;
    this.#watched = watched;
  }

  add(container: Container, phase: number): Promise<void> {
    this.phase(phase);
    const log = new StraceLog({
      cwd: this.#watched.workingDir,
      filtered: this.#watched.filtered,
      phaseAt: (time) => this.#begun.findLast((one) => one.time <= time)?.phase ?? 0,
    });
    this.#containers.set(container.id, {
      container,
      log,
      helper: undefined,
      sessions: [],
      problem: undefined,
    });
    return Promise.resolve();
  }

  phase(phase: number): void {
    this.#begun.push({ time: this.#clock.now(), phase });
  }

  async #open(container: GatedContainer, pid: number): Promise<void> {
    const watched = this.#containers.get(container.id);
    if (watched === undefined) throw new Error('the container is not watched');
    const passed = new Promise<void>((resolve, reject) => {
      watched.log.gate(pid, (executed, why) => (executed ? resolve() : reject(notExecuted(why))));
    });
    // It may fail while nobody waits for it yet.
    passed.catch(() => {});
    const session = await this.#trace(watched, pid);
    const cut = new AbortController();
    const late = sleep(callLimit, undefined, { signal: cut.signal }).then(
      () => {
        throw new ProfGenError('trace/tracer-silent', `strace showed nothing within ${callLimit / 1000} s`, {
          hint: 'the machine is overloaded: observe fewer containers at once',
          retryable: true,
        });
      },
      () => {},
    );
    const ended = session.ended.then(async () => {
      // Its last lines have been read. A gate that has ended has taken strace with it.
      const exit = await container.waitForExit(endLimit);
      if (exit === 127 && pid === 1) throw notExecuted('it ended');
      const said = printable(session.said().trim(), 600);
      throw new ProfGenError('trace/strace', `strace ended before the program began: ${said || 'no words'}`, {
        hint: 'ptrace may be forbidden on this machine (/proc/sys/kernel/yama/ptrace_scope, seccomp, AppArmor)',
      });
    });
    try {
      await Promise.race([passed, ended, late]);
    } finally {
      cut.abort();
      ended.catch(() => {});
    }
    watched.sessions.push(session.ended.then((exit) => this.#check(watched, pid, session, exit)));
  }

  async #trace(watched: Watched, pid: number): Promise<StraceSession> {
    if (watched.helper !== undefined) return watched.helper.trace(pid);
    const onLine = (line: string): void => {
      try {
        watched.log.take(line);
      } catch (thrown) {
        watched.problem ??= thrown instanceof Error ? thrown.message : String(thrown);
      }
    };
    watched.helper = await StraceHelper.start(this.#engine, this.#image, watched.container, pid, onLine);
    return watched.helper.main;
  }

  /** strace ends when what it traces has, or with the whole pid namespace. Anything else leaves a hole. */
  async #check(
    watched: Watched,
    pid: number,
    session: StraceSession,
    exit: number | undefined,
  ): Promise<void> {
    if (exit === 0 && pid !== 1) return;
    const gone = await watched.container.waitForExit(endLimit).catch(() => 0);
    if (gone === undefined) {
      watched.problem ??= `strace ended with status ${exit}: ${session.said().trim()}`;
    }
  }

  async record(phases: readonly string[]): Promise<WatchRecord> {
    const seen = [];
    let complete = true;
    const { tree } = this.#watched;
    const resolve = async (path: string) => tree && executedProgram(tree, path);
    for (const watched of this.#containers.values()) {
      const { container, log, sessions } = watched;
      // Of one that still runs the lines may be on their way.
      const all = Promise.all(sessions).then(() => true as const);
      complete &&= container.exited !== undefined && (await within(all, 2 * endLimit));
      const { record, unattributed } = await log.record(resolve);
      complete &&= watched.problem === undefined && unattributed.length === 0 && log.lines.others === 0;
      seen.push({ record, mounts: [] });
    }
    const record = observedRecord(seen, phases);
    return { record, complete: complete && record.holes === 0 };
  }

  again(): { readonly how: string; readonly watch: () => Promise<Watch> } | undefined {
    if (!this.#mayRepeat) return undefined;
    const watch = new StraceWatch(this.#engine, this.#image, this.#clock, this.#watched, false);
    return { how: '', watch: () => Promise.resolve(watch) };
  }

  async close(): Promise<void> {
    const helpers = [...this.#containers.values()].flatMap(({ helper }) => helper ?? []);
    this.#containers.clear();
    await Promise.all(helpers.map((helper) => helper.remove()));
  }
}

async function within(work: Promise<true>, limit: number): Promise<boolean> {
  const cut = new AbortController();
  try {
    return await Promise.race([
      work,
      sleep(limit, false, { signal: cut.signal, ref: true }).catch(() => false),
    ]);
  } finally {
    cut.abort();
  }
}

/** In the runtime's words (Go's os/exec and syscall packages). */
const words: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  ENOEXEC: 'exec format error',
  'it ended': 'executable file not found, or an interpreter that it names',
};

function notExecuted(why: string): ProfGenError {
  return new ProfGenError('trace/start', `the container did not start: ${words[why] ?? why}`, {
    hint: 'docker run with the same options says the same',
  });
}
