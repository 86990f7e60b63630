import { posix } from 'node:path';
import {
  type Analysis,
  type EventSink,
  type FileEntry,
  type FileTree,
  errorFromData,
  ignoreEvents,
  type LinkedObject,
  type ObservedProgram,
  type Outcome,
  ProfGenError,
  type ProgramAnalysis,
  printable,
  type Reachability,
  type RunCommand,
  type Undecided,
} from '@prof-gen/core';
import { type FoundProgram, findPrograms } from './command/find-programs.js';
import { characterSetObjects } from './late/character-sets.js';
import { imageObjects } from './late/image-objects.js';
import { type LateFile, lateFilesOf } from './late/late-files.js';
import { asksNameServices, nameServiceObjects, readNameServices } from './late/name-services.js';
import type { LinkInput } from './link/bind-symbols.js';
import { type LinkResult, programLinker } from './link/link-program.js';
import type { LoaderFacts } from './elf/elf.js';
import { loaderFacts } from './elf/loader-facts.js';
import { type Closure, loadClosure, type LoadedObject } from './loader/load-closure.js';
import { readLoaderConfig } from './loader/loader-config.js';
import { analyzerVersion, type FileSummary } from './summary/file-summary.js';

/**
 * Gives the summary of one file: made by a worker, or taken from a cache by `sha256` (hexadecimal, no prefix)
 * and `analyzerVersion`. Called for many files at once, the largest first, and once for each content.
 */
export type Summarize = (file: {
  readonly sha256: string;
  /** One of the paths that it has in the image. */
  readonly path: string;
  /** Bytes: larger files go first. */
  readonly size: number;
  read(): Promise<Uint8Array>;
}) => Promise<Outcome<FileSummary>>;

export interface AnalyzeImageInput {
  readonly tree: FileTree;
  readonly command: RunCommand;
  /** As Docker writes it: `[]`, `['NONE']`, `['CMD', …]` or `['CMD-SHELL', line]`. */
  readonly healthcheck: readonly string[];
  /** Runs the line of a `CMD-SHELL` health check, such as `['/bin/sh', '-c']`. */
  readonly shell: readonly string[];
  /** What a trace saw: its programs are analysed too, and what they mapped is linked to them. */
  readonly observed?: readonly ObservedProgram[];
  readonly summarize: Summarize;
  /**
   * A summary that is at hand, by the file's `sha256` (hexadecimal): such a file is not read. What is not given
   * here is read for what the loader looks at, and `summarize` is asked for it.
   */
  readonly known?: (sha256: string) => FileSummary | undefined;
  /** What counts as reachable; `objects` unless said. */
  readonly reachability?: Reachability;
  /** Name for events. */
  readonly image: string;
  readonly onEvent?: EventSink;
}

/** Rounds of linking and loading what the reached code names; each adds objects, so this is never the end. */
const maximumRounds = 8;

/** A program on its way through the analysis. */
interface Work {
  readonly found: FoundProgram;
  /** One for each environment that it is started with. */
  readonly closures: readonly Closure[];
}

function sha256Of(entry: FileEntry): string {
  return entry.digest?.slice('sha256:'.length) ?? '';
}

/**
 * What the run command of an image can do: its programs, what is loaded into each, and the system calls that
 * each can reach. Equal inputs give equal results; nothing of the image is run.
 *
 * A file or program that cannot be analysed is `undecided` with the error's code and costs no more than itself,
 * but for the first program, without which there is nothing to say.
 * @throws ProfGenError as `findPrograms` and `loadClosure`, and `elf/*` for the run command's own program;
 * `image/content-not-kept` when its bytes are not there
 */
export async function analyzeImage(input: AnalyzeImageInput): Promise<Analysis> {
  return (await linkImage(input)).analysis;
}

export interface LinkedImage {
  readonly analysis: Analysis;
  /** For each of the analysis' programs what was linked at last, an input for each of its environments. */
  readonly inputs: readonly (readonly LinkInput[])[];
}

/** As `analyzeImage`, with what explanations start from. */
export async function linkImage(input: AnalyzeImageInput): Promise<LinkedImage> {
  const { tree, image, observed = [], reachability = 'objects' } = input;
  const onEvent = input.onEvent ?? ignoreEvents;
  const undecided: Undecided[] = [];

  onEvent({ type: 'phase', image, phase: 'programs' });
  const found = await findPrograms({ ...input, observed });
  undecided.push(...found.undecided);

  const summaries = new Map<string, Promise<Outcome<FileSummary>>>();
  const knownFacts = new Map<string, Promise<LoaderFacts | undefined>>();
  const dynamic = (entry: FileEntry): Promise<LoaderFacts | undefined> => {
    const key = entry.digest ?? entry.path;
    let info = knownFacts.get(key);
    if (info === undefined) {
      const sha256 = sha256Of(entry);
      const summary = input.known?.(sha256);
      if (summary === undefined) info = tree.read(entry).then(loaderFacts);
      else {
        info = Promise.resolve(summary);
        summaries.set(sha256, Promise.resolve({ ok: true, value: summary }));
      }
      knownFacts.set(key, info);
    }
    return info;
  };
  const config = await readLoaderConfig(tree);
  const shared = imageObjects(tree);
  const lateFiles = lateFilesOf(tree, shared.paths);
  const services = await readNameServices(tree);

  const works: Work[] = [];
  for (const program of found.programs) {
    try {
      const isSetUser = (program.entry.mode & 0o6000) !== 0;
      // Started with more rights than its caller it gets neither path nor preload (ld.so(8), secure execution);
      // started by root it does.
      const environments = isSetUser
        ? [{ libraryPath: '', preload: '' }, ...program.environments]
        : program.environments;
      const closures: Closure[] = [];
      for (const variables of environments) {
        closures.push(await loadClosure({ tree, program: program.entry, variables, config, dynamic }));
      }
      const work = { found: program, closures };
      await openRules(work);
      await openObserved(work);
      works.push(work);
    } catch (error) {
      if (program === found.programs[0] || !(error instanceof ProfGenError)) throw error;
      undecided.push(brokenProgram(program.path, error));
    }
  }

  /**
   * Opens files in every environment of a program; files that are there already stay as they are.
   * @returns whether the loader found any of them
   */
  async function openAll(work: Work, files: readonly LateFile[], by?: string): Promise<boolean> {
    let isFound = false;
    for (const closure of work.closures) {
      for (const { path, reason, asked } of files) {
        if ((await closure.openLate(path, reason, { by, asked })) !== undefined) isFound = true;
      }
    }
    return isFound;
  }

  /** What rules and the objects' own notes say, until they say no more: a module may be a host itself. */
  async function openRules(work: Work): Promise<void> {
    for (let before = 0; changesOf(work) !== before; ) {
      const objects = objectsOf(work);
      before = changesOf(work);
      const sonames = objects.map(({ entry, info }) => info.soname ?? posix.basename(entry.path));
      await openAll(work, await lateFiles({ program: work.found.path, sonames }));
      for (const { entry, info } of objects) {
        const announced = info.announced.map(({ name, feature }) => ({
          path: name,
          reason: `announced by ${entry.path} for ${feature}`,
        }));
        await openAll(work, announced, entry.path);
      }
    }
  }

  /** What the trace saw mapped. */
  async function openObserved(work: Work): Promise<void> {
    const { found: program } = work;
    for (const seen of observed) {
      const target = tree.resolve(seen.path);
      if (!target.ok || target.entry.path !== program.path) continue;
      for (const path of [...seen.objects].sort()) {
        const object = tree.resolve(path);
        if (!object.ok || object.entry.type !== 'file') {
          undecided.push({
            kind: 'object',
            where: printable(program.path),
            what: printable(path),
            reason: 'it was mapped and is not in the image: it was written at run time',
          });
        } else if (object.entry.kind === 'elf')
          await openAll(work, [{ path: object.entry.path, reason: 'trace' }]);
      }
    }
  }

  let done = 0;

  /** Asks for summaries of all files that have none yet, the largest first. */
  async function summariseMissing(): Promise<void> {
    const files = new Map<string, FileEntry>();
    for (const { entry } of works.flatMap(objectsOf)) {
      const sha256 = sha256Of(entry);
      if (!summaries.has(sha256)) files.set(sha256, entry);
    }
    const ordered = [...files].sort((a, b) => b[1].size - a[1].size || (a[0] < b[0] ? -1 : 1));
    for (const [sha256, entry] of ordered) {
      const summary = input.summarize({
        sha256,
        path: entry.path,
        size: entry.size,
        read: () => tree.read(entry),
      });
      summaries.set(sha256, summary);
      summary.then(
        () => {
          done += 1;
          onEvent({
            type: 'progress',
            image,
            phase: 'summarise',
            done,
            total: summaries.size,
            unit: 'files',
          });
        },
        () => {},
      );
    }
    await Promise.all(summaries.values());
  }

  onEvent({ type: 'phase', image, phase: 'summarise' });
  await summariseMissing();

  onEvent({ type: 'phase', image, phase: 'link' });
  /** The summary of an object, or undefined where it cannot be analysed. */
  const summaryOf = async ({ entry }: LoadedObject): Promise<FileSummary | undefined> => {
    const outcome = await summaries.get(sha256Of(entry));
    return outcome?.ok ? outcome.value : undefined;
  };

  /** Every environment has its own order of look-up, so each is linked by itself. */
  async function linkInputs(work: Work): Promise<LinkInput[]> {
    const inputs: LinkInput[] = [];
    for (const closure of work.closures) {
      const objects = [];
      for (const object of inLookUpOrder(closure)) {
        const summary = await summaryOf(object);
        if (summary !== undefined)
          objects.push({ object: linkedObject(object), summary, asked: object.asked });
      }
      inputs.push({ program: work.found.path, objects, reachability });
    }
    return inputs;
  }

  /** Opens what libc opens on behalf of functions that reachable code calls: another object's, or its own. */
  async function openForLibc(
    work: Work,
    inputs: readonly LinkInput[],
    linked: readonly LinkResult[],
  ): Promise<void> {
    if (!objectsOf(work).some(({ info }) => info.soname === 'libc.so.6')) return;
    const called = new Set(
      linked.flatMap(({ imported }) => [...imported]).filter((name) => asksNameServices(name)),
    );
    const converters = new Set<string>();
    for (const [index, { objects }] of inputs.entries()) {
      if (linked[index]?.imported.has('iconv_open') !== true) continue;
      for (const { object, summary } of objects) {
        if (summary.imports.some(({ name }) => name === 'iconv_open')) {
          converters.add(summary.soname ?? posix.basename(object.path));
        }
      }
    }
    await openAll(work, [
      ...nameServiceObjects(services, called),
      ...characterSetObjects(tree, [...converters], work.found.env),
    ]);
  }

  const programs: ProgramAnalysis[] = [];
  const linkedInputs: (readonly LinkInput[])[] = [];
  for (const [index, work] of works.entries()) {
    const { found: program } = work;
    const own = await summaries.get(sha256Of(program.entry));
    if (own?.ok === false) {
      const error = errorFromData(own.error);
      if (program === found.programs[0]) throw error;
      undecided.push(brokenProgram(program.path, error));
      continue;
    }
    let inputs = await linkInputs(work);
    const linkers = work.closures.map(programLinker);
    const link = (): LinkResult[] => inputs.map((one, i) => (linkers[i] ?? programLinker())(one));
    let results = link();
    for (let round = 0; ; round++) {
      const before = changesOf(work);
      await openForLibc(work, inputs, results);
      for (const { name, object } of joinLinks(results).lateNames) {
        const reason = `named in ${object}`;
        if (await openAll(work, [{ path: name, reason }], object)) continue;
        await openAll(
          work,
          shared.matching(name).map((path) => ({ path, reason: `${reason}: "${name}"` })),
        );
      }
      await openRules(work);
      if (changesOf(work) === before) break;
      await summariseMissing();
      inputs = await linkInputs(work);
      results = link();
      if (round === maximumRounds) {
        undecided.push({
          kind: 'library',
          where: printable(program.path),
          what: 'objects opened late',
          reason: `after ${maximumRounds} rounds there are still more`,
        });
        break;
      }
    }
    const objects = objectsOf(work);
    for (const object of objects) {
      const outcome = await summaries.get(sha256Of(object.entry));
      if (outcome?.ok !== false) continue;
      undecided.push({
        kind: 'object',
        where: printable(program.path),
        what: printable(object.entry.path),
        reason: printable(`${outcome.error.code}: ${outcome.error.message}`),
      });
    }
    undecided.push(...work.closures.flatMap((closure) => closure.undecided));
    linkedInputs.push(inputs);
    const linked = joinLinks(results);
    programs.push({
      path: printable(program.path),
      calledAs: program.calledAs.map((name) => printable(name)),
      sha256: sha256Of(program.entry),
      origin: program.origin,
      objects: objects.map(linkedObject),
      syscalls: [...linked.syscalls],
      unresolved: [...linked.unresolved],
    });
    onEvent({
      type: 'progress',
      image,
      phase: 'link',
      done: index + 1,
      total: works.length,
      unit: 'programs',
    });
  }
  const analysis: Analysis = {
    analyzerVersion,
    reachability,
    programs,
    undecided: [...new Map(undecided.map((entry) => [JSON.stringify(entry), entry])).values()],
    files: new Set(programs.flatMap((program) => program.objects.map(({ sha256 }) => sha256))).size,
  };
  return { analysis, inputs: linkedInputs };
}

/** What is opened late comes after all that is there from the start. */
function inLookUpOrder({ objects }: Closure): readonly LoadedObject[] {
  const isLate = ({ role }: LoadedObject): boolean => role === 'late' || role === 'late-needed';
  return [...objects.filter((object) => !isLate(object)), ...objects.filter(isLate)];
}

/** Objects of all environments: in the order of the first, what others add after it. */
function objectsOf({ closures }: Work): readonly LoadedObject[] {
  const objects = new Map<string, LoadedObject>();
  for (const object of closures.flatMap(inLookUpOrder)) {
    if (!objects.has(object.entry.path)) objects.set(object.entry.path, object);
  }
  return [...objects.values()];
}

/** Grows with every object that is opened, and when more may be asked of one. */
function changesOf({ closures }: Work): number {
  return closures.reduce((sum, { changes }) => sum + changes, 0);
}

/** Evidence kept for one call, as in one linking. */
const maximumEvidence = 4;

/** What a program can do in any of its environments. */
function joinLinks(results: readonly LinkResult[]): LinkResult {
  const [only, ...others] = results;
  if (only !== undefined && others.length === 0) return only;
  const distinct = <T>(items: readonly T[]): T[] => [
    ...new Map(items.map((item) => [JSON.stringify(item), item])).values(),
  ];
  const numbers = distinct(results.flatMap(({ syscalls }) => syscalls.map(({ number }) => number)));
  const evidenceOf = (number: number) =>
    distinct(
      results.flatMap(({ syscalls }) => syscalls.find((one) => one.number === number)?.evidence ?? []),
    );
  return {
    syscalls: numbers
      .sort((a, b) => a - b)
      .map((number) => ({ number, evidence: evidenceOf(number).slice(0, maximumEvidence) })),
    // Environments may lead to a site in different ways.
    unresolved: [
      ...new Map(
        results
          .flatMap(({ unresolved }) => unresolved)
          .map((site) => [`${site.object} ${site.site} ${site.reason}`, site]),
      ).values(),
    ],
    lateNames: distinct(results.flatMap(({ lateNames }) => lateNames)),
    imported: new Set(results.flatMap(({ imported }) => [...imported])),
  };
}

function linkedObject({ entry, role, reason }: LoadedObject): LinkedObject {
  return {
    path: printable(entry.path),
    sha256: sha256Of(entry),
    role,
    ...(reason === undefined ? {} : { reason: printable(reason) }),
  };
}

function brokenProgram(path: string, error: ProfGenError): Undecided {
  return {
    kind: 'program',
    where: printable(path),
    what: printable(path),
    reason: printable(`${error.code}: ${error.message}`),
  };
}
