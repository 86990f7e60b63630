import type { Denial, Evidence, ImageComparison, PhaseResult, SeenCall } from '@prof-gen/core';
import type { Database } from 'better-sqlite3';
import { canonicalJson } from './canonical-json.js';
import type { ImageResult } from './image-result.js';

type Value = string | number | null;

/**
 * Spreads a document over the tables, so that questions can be asked in SQL. To be called in a transaction.
 * The tables say nothing that the document does not.
 */
export function resultWriter(database: Database): (image: number, result: ImageResult) => void {
  const into = (table: string, columns: string) => {
    const places = columns.replace(/\w+/g, '?');
    const statement = database.prepare(`INSERT INTO ${table} (${columns}) VALUES (${places})`);
    return (...values: Value[]) => statement.run(...values);
  };
  const timing = into('timings', 'image_id, phase, milliseconds');
  const profile = into(
    'profiles',
    'image_id, status, programs, files, static, traced, allowed, docker_default, denied, table_size, docker, document',
  );
  const knownFile = database.prepare('INSERT INTO files (sha256) VALUES (?) ON CONFLICT DO NOTHING');
  const program = into('programs', 'image_id, position, path, sha256, origin');
  const object = into('objects', 'image_id, program, position, path, sha256, role, reason');
  const programSyscall = into('program_syscalls', 'image_id, program, syscall, static, traced');
  const syscall = into('syscalls', 'image_id, name, allowed, conditions, errno, reason');
  const evidence = into(
    'evidence',
    'image_id, syscall, position, kind, program, object, function, site, process, phase, method, detail',
  );
  const unresolved = into('unresolved', 'image_id, position, program, object, function, site, reason');
  const undecided = into('undecided', 'image_id, position, kind, file, line, what, reason');
  const miss = into('misses', 'image_id, position, syscall, program, process, phase');
  const observation = into('observations', 'image_id, method, engine, io_uring');
  const proof = into('proofs', 'image_id, status, workload');
  const step = into('steps', 'image_id, during, phase_position, position, phase, name, passed, detail');
  const denial = into(
    'denials',
    'image_id, during, position, number, syscall, program, process, phase, errno, count, expected',
  );

  const comparison = into('comparisons', 'image_id, language, libc, document');
  const line = into('lines', 'image_id, line, position, allowed');
  const lineSyscall = into('line_syscalls', 'image_id, line, syscall, conditional');
  const seenSyscall = into('seen_syscalls', 'image_id, during, syscall, program, phase');

  function writeComparison(image: number, compared: ImageComparison): void {
    comparison(image, compared.language, compared.libc, JSON.stringify(compared));
    compared.lines.forEach(({ line: name, allowed, conditional }, position) => {
      line(image, name, position, allowed.length);
      const inPart = new Set(conditional);
      for (const call of allowed) lineSyscall(image, name, call, Number(inPart.has(call)));
    });
    const seen = (during: 'observation' | 'proof', calls: readonly SeenCall[]) => {
      for (const { name, program: by, phase } of calls) seenSyscall(image, during, name, by, phase);
    };
    seen('observation', compared.observed ?? []);
    seen('proof', compared.proof?.seen ?? []);
  }

  function writePrograms(image: number, programs: ImageResult['document']['programs']): void {
    programs.forEach((each, position) => {
      knownFile.run(each.sha256);
      program(image, position, each.path, each.sha256, canonicalJson(each.origin));
      each.objects.forEach(({ path, sha256, role, reason }, index) => {
        knownFile.run(sha256);
        object(image, position, index, path, sha256, role, reason ?? null);
      });
      const inStatic = new Set(each.syscalls);
      const inTrace = new Set(each.traced);
      for (const name of new Set([...inStatic, ...inTrace])) {
        programSyscall(image, position, name, Number(inStatic.has(name)), Number(inTrace.has(name)));
      }
    });
  }

  function writeEvidence(image: number, name: string, reasons: readonly Evidence[]): void {
    reasons.forEach((reason, position) => {
      evidence(image, name, position, reason.kind, ...evidenceColumns(reason));
    });
  }

  function writeRun(
    image: number,
    during: 'observation' | 'proof',
    phases: readonly PhaseResult[],
    denials: readonly Denial[],
  ): void {
    phases.forEach((phase, phasePosition) => {
      phase.steps.forEach(({ name, passed, detail }, position) => {
        step(image, during, phasePosition, position, phase.name, name, Number(passed), detail);
      });
    });
    denials.forEach((each, position) => {
      denial(
        image,
        during,
        position,
        each.number,
        each.name,
        each.program,
        each.process,
        each.phase,
        each.errno,
        each.count,
        Number(each.expected),
      );
    });
  }

  return (image, { document, dockerProfile, comparison: compared, timings }) => {
    const { stats } = document;
    for (const [phase, milliseconds] of Object.entries(timings)) timing(image, phase, milliseconds);
    profile(
      image,
      document.status,
      stats.programs,
      stats.files,
      stats.static,
      stats.traced,
      stats.allowed,
      stats.dockerDefault,
      stats.denied,
      stats.table,
      dockerProfile,
      JSON.stringify(document),
    );
    writePrograms(image, document.programs);
    for (const { name, when, evidence } of document.syscalls) {
      syscall(image, name, 1, when === undefined ? null : canonicalJson(when), null, null);
      writeEvidence(image, name, evidence);
    }
    for (const { name, errno, reason, evidence } of document.denied) {
      syscall(image, name, 0, null, errno, reason);
      writeEvidence(image, name, evidence);
    }
    document.unresolved.forEach((site, position) => {
      unresolved(image, position, site.program, site.object, site.function, site.site, site.reason);
    });
    document.undecided.forEach(({ kind, where, line, what, reason }, position) => {
      undecided(image, position, kind, where, line ?? null, what, reason);
    });
    document.staticMisses.forEach(({ name, program, process, phase }, position) => {
      miss(image, position, name, program, process, phase);
    });
    if (document.observation !== undefined) {
      const { method, engine, ioUring, phases, denials } = document.observation;
      observation(image, method, canonicalJson(engine), Number(ioUring));
      writeRun(image, 'observation', phases, denials);
    }
    if (document.proof !== undefined) {
      const { status, workload, phases, denials } = document.proof;
      proof(image, status, workload);
      writeRun(image, 'proof', phases, denials);
    }
    if (compared !== undefined) writeComparison(image, compared);
  };
}

/** `program, object, function, site, process, phase, method, detail` */
function evidenceColumns(reason: Evidence): Value[] {
  switch (reason.kind) {
    case 'static':
      return [
        reason.program,
        reason.object,
        reason.function,
        reason.site,
        null,
        null,
        null,
        reason.arguments === undefined ? null : canonicalJson(reason.arguments),
      ];
    case 'traced':
      return [reason.program, null, null, null, reason.process, reason.phase, reason.method, null];
    case 'learned':
      return [reason.program, null, null, null, reason.process, reason.phase, null, null];
    case 'runtime-base':
      return [null, null, null, null, null, null, null, `${reason.runtime} ${reason.version}`];
    case 'kernel':
    case 'user':
      return [null, null, null, null, null, null, null, reason.reason];
  }
}
