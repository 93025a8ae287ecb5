// The benchmark's figures as text for people.

import { renderFields, renderTable } from '#engine/cli/table.ts';
import type { ChunkerRow } from './chunkers.ts';
import type { Comparison, ComparisonRow, Spread } from './comparison.ts';
import type { Contender } from './contenders.ts';
import type { Failure } from './cycle.ts';
import type { Machine } from './machine.ts';
import type { BenchFigure } from './stages/figure.ts';
import type { Target } from './target-table.ts';

export function renderMachine(machine: Machine, contenders: readonly Contender[]): string {
  const { cores, processor, memoryMib, system, node, openssl, commit, loadAtStart } = machine;
  const fields = renderFields([
    ['machine', `${cores} cores, ${processor}, ${(memoryMib / 1024).toFixed(1)} GiB, ${system}`],
    ['versions', `Node ${node}, OpenSSL ${openssl}, commit ${commit}`],
    ['load', `${loadAtStart.toFixed(2)} (last minute, at the start)`],
    ...contenders.flatMap(({ name, version, told }) => [
      [name, version] as const,
      ...told.map(line => ['', line] as const),
    ]),
  ]);
  const warning = machine.isBusy
    ? '\n  WARNING: others keep this machine busy; wall times mean little, ratios a little more.\n'
    : '';
  return fields + warning;
}

export function renderFigures(title: string, figures: readonly BenchFigure[]): string {
  const table = renderTable(
    [
      { title: '', text: ({ name }: BenchFigure) => `  ${name}` },
      { title: '', isRight: true, text: ({ value }) => number(value) },
      { title: '', text: ({ unit }) => unit },
    ],
    figures,
  );
  return `${title}\n${table.slice(table.indexOf('\n') + 1)}`;
}

export function renderComparison({ row, operation, rows }: Comparison, title: string): string {
  const table = renderTable(
    [
      { title: '', text: ({ name }: ComparisonRow) => `  ${name}` },
      { title: 'wall s', text: row => spread(row.spreads.wallSeconds) },
      { title: 'CPU s', text: row => spread(row.spreads.cpuSeconds) },
      { title: 'peak MiB', text: row => spread(row.spreads.peakMib) },
      { title: '', text: ({ coldRuns }) => (coldRuns > 0 ? `${coldRuns} not warm` : '') },
    ],
    rows,
  );
  return `${title}: ${operation} (${row})\n${table}`;
}

export function renderFailures(failures: readonly Failure[]): string {
  const lines = failures.map(({ row, contender, message }) => {
    return `  ${row}, ${contender}: ${message.replaceAll('\n', '\n    ')}\n`;
  });
  return `Failed, and so without figures\n${lines.join('')}`;
}

export function renderTargets(targets: readonly Target[]): string {
  const table = renderTable(
    [
      { title: '', text: ({ name }: Target) => `  ${name}` },
      { title: 'is', isRight: true, text: ({ value }) => number(value) },
      {
        title: 'wanted',
        text: ({ limit, isAtLeast }) => `${isAtLeast ? 'at least' : 'at most'} ${number(limit)}`,
      },
      { title: '', text: verdict },
    ],
    targets,
  );
  return `Targets\n${table}`;
}

function verdict({ value, isMet }: Target): string {
  if (Number.isNaN(value)) return 'not measured';
  return isMet ? 'met' : 'MISSED';
}

export function renderChunkers(rows: readonly ChunkerRow[]): string {
  return renderTable(
    [
      { title: 'splitter', text: ({ splitter }: ChunkerRow) => splitter },
      { title: 'chunks', isRight: true, text: row => number(row.chunks) },
      { title: 'mean KiB', isRight: true, text: row => number(row.meanBytes / 1024) },
      { title: 'new MiB', isRight: true, text: row => number(row.newBytes / 2 ** 20) },
      { title: 'new %', isRight: true, text: row => row.newPercent.toFixed(2) },
      { title: 'split MiB/s', isRight: true, text: row => number(row.splitMibPerSecond) },
    ],
    rows,
  );
}

/** `1.23 (1.20..1.31)` */
function spread({ median, min, max }: Spread): string {
  return `${number(median)} (${number(min)}..${number(max)})`;
}

/** Three digits that count; thousands in groups. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '?';
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(size >= 10 ? 1 : size >= 0.1 || size === 0 ? 2 : 4);
}
