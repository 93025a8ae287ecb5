// The comparisons as the Markdown table of docs/performance.md: `npm run bench -- -o markdown`.

import { number } from './report.ts';
import type { Comparison, ComparisonRow, Spread } from './comparison.ts';

const RATIO_TO = ['kopia', 'restic'] as const;
const HEAD = [
  '| row | stevedore: wall s, CPU s, MiB | kopia | restic ' +
    '| wall, CPU, memory ÷ kopia | ÷ restic |',
  '|---|---|---|---|---|---|',
];

export function renderFigureTable(comparisons: readonly Comparison[]): string {
  const lines = comparisons.flatMap(({ row, rows }) => {
    const ours = rows.filter(({ name, isRatio }) => name.startsWith('stevedore') && !isRatio);
    return ours.map(({ name }) => figureLine(row, name, rows));
  });
  return `${[...HEAD, ...lines].join('\n')}\n`;
}

function figureLine(row: string, ours: string, rows: readonly ComparisonRow[]): string {
  const of = (name: string) => rows.find(each => each.name === name);
  const title = ours === 'stevedore' ? `\`${row}\`` : `\`${row}\`${ours.replace('stevedore', '')}`;
  const figures = [ours, ...RATIO_TO].map(name => medians(of(name)));
  const ratios = RATIO_TO.map(name => ratio(of(`${ours} ÷ ${name}`)));
  return `| ${[title, ...figures, ...ratios].join(' | ')} |`;
}

function medians(row: ComparisonRow | undefined): string {
  if (row === undefined) return '';
  const { wallSeconds, cpuSeconds, peakMib } = row.spreads;
  return [wallSeconds, cpuSeconds, peakMib].map(({ median }) => number(median)).join(', ');
}

/** Wall time with its least and most, because it is the one that others disturb. */
function ratio(row: ComparisonRow | undefined): string {
  if (row === undefined) return '';
  const { wallSeconds, cpuSeconds, peakMib } = row.spreads;
  return `${withSpread(wallSeconds)}, ${number(cpuSeconds.median)}, ${number(peakMib.median)}`;
}

function withSpread({ median, min, max }: Spread): string {
  return `${number(median)} (${number(min)}..${number(max)})`;
}
