import { comparisonLines, type RunComparison } from '@prof-gen/core';
import { describe, expect, it } from 'vitest';
import { comparisonTables } from './comparison-tables.js';
import { comparisonAsCsv, tablesAsLatex, tablesAsMarkdown } from './table-formats.js';

const one = {
  count: 1,
  mean: 0.25,
  median: 0.25,
  lowerQuartile: 0.2,
  upperQuartile: 0.3,
  minimum: 0,
  maximum: 1,
};
const distribution = { ...one, interval: { from: 0.1, to: 0.4 } };
const everywhere = <T>(value: T) => ({ confine: value, table: value, docker: value });
const reduction = { universe: 326, allowed: 100, reduction: 0.5 };

function comparison(name: string): RunComparison {
  return {
    schemaVersion: 1,
    dataset: 'd',
    toolVersion: '1',
    analyzerVersion: '2',
    universes: { confine: 326, table: 384, docker: 384 },
    cves: 60,
    images: [
      {
        name,
        official: name,
        category: 'database',
        language: 'C/C++',
        libc: 'glibc',
        lines: comparisonLines.map((line, i) => ({
          line,
          allowed: everywhere({ ...reduction, allowed: 100 + i }),
          cves: [],
          dangerous: ['ptrace'],
          conditional: ['socket'],
          missesTrace: line === 'confine' ? [{ name: 'mount', program: '/a & b_c', phase: 'start' }] : [],
        })),
        published: { allowed: 160, denied: 166, validated: true },
      },
    ],
    without: [{ name: 'broken', reason: 'registry/not-found' }],
    groups: [
      {
        by: 'all',
        value: 'all',
        images: [name],
        lines: comparisonLines.map((line) => ({
          line,
          images: 1,
          allowed: everywhere(distribution),
          reduction: { 'prof-gen': everywhere(distribution), needed: everywhere(distribution) },
          cves: distribution,
          dangerous: distribution,
          trace: { images: 1, broken: 1, calls: 2 },
          proof: { images: 0, broken: 0, calls: 0 },
        })),
      },
    ],
  };
}

describe('the tables of a comparison', () => {
  it('tell the published figure apart from the method on the same image', () => {
    const text = comparisonTables(comparison('redis'))
      .flatMap(({ title, rows }) => [title, ...rows.map((row) => row.join('  '))])
      .join('\n');
    expect(text).toMatch(/published.* is another image/);
    expect(text).toMatch(/redis\s+C\/C\+\+\s+glibc\s+100\s+100\s+100\s+101\s+101\s+102\s+102\s+102.*160/);
    expect(text).toContain('prof-gen against confine');
    expect(text).toMatch(/redis\s+confine\s+trace\s+mount/);
    expect(text).toMatch(/broken\s+registry\/not-found/);
  });

  it('have as many cells in every row as there are titles', () => {
    for (const { header, rows, title } of comparisonTables(comparison('redis'))) {
      for (const row of rows) expect(row, title).toHaveLength(header.length);
    }
  });

  it('let no name become markup', () => {
    const hostile = '<b>|$x_{1}&%#~^\\';
    const tables = comparisonTables(comparison(hostile));
    expect(tablesAsMarkdown(tables)).toContain('\\<b\\>\\|$x\\_{1}\\&%#\\~^\\\\');
    expect(tablesAsLatex(tables)).toContain(
      '<b>|\\$x\\_\\{1\\}\\&\\%\\#\\textasciitilde{}\\textasciicircum{}\\textbackslash{}',
    );
    expect(tablesAsLatex(tables)).toContain('/a \\& b\\_c');
  });

  it('are rows of figures in CSV, in which no name is a formula', () => {
    const [header, first, ...rest] = comparisonAsCsv(comparison('=cmd("x"),1')).split('\r\n');
    expect(header?.split(',')).toHaveLength(15);
    expect(first).toContain(
      `"'=cmd(""x""),1","'=cmd(""x""),1",database,C/C++,glibc,prof-gen,100,100,100,0,1,1,0,,160`,
    );
    expect(rest).toHaveLength(comparisonLines.length);
  });
});
