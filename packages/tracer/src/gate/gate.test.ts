import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { behindGate } from './gate.js';
import { gateProgram, greeting, greetingBytes } from './gate-program.js';

describe('behindGate', () => {
  it('looks for a program as the runtime does', () => {
    expect(behindGate(['sh', ''], ['PATH=/a', 'PATH=/b::/c'])).toEqual([
      '/.prof-gen-gate',
      '/b/sh',
      './sh',
      '/c/sh',
      '',
      'sh',
      '',
    ]);
    expect(behindGate(['./sh'], ['PATH=/b'])).toEqual(['/.prof-gen-gate', './sh', '', './sh']);
    expect(behindGate(['sh'], [])).toHaveLength(6 + 3);
  });
});

describe('the gate', () => {
  it('is an executable that says who it is and waits', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'prof-gen-gate-'));
    const file = join(directory, 'gate');
    writeFileSync(file, gateProgram(), { mode: 0o755 });
    try {
      const child = spawn(file, ['/bin/true', '', 'true'], { stdio: ['ignore', 'ignore', 'pipe'] });
      const said = await new Promise<Buffer>((resolve) => child.stderr.once('data', resolve));
      expect(said).toHaveLength(greetingBytes);
      expect(said.subarray(0, greeting.length)).toEqual(greeting);
      expect(Number(said.readBigUInt64LE(greeting.length))).toBe(child.pid);
      expect(execFileSync('cat', [`/proc/${child.pid}/comm`], { encoding: 'utf8' })).toBe('gate\n');
      child.kill('SIGKILL');
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
