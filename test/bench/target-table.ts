// What `--check` decides by: a line for each figure that the project has set itself to reach.

import type { Comparison, Measure } from './comparison.ts';
import { ROWS } from './row-table.ts';
import type { BenchFigure } from './stages/figure.ts';

export interface Target {
  readonly name: string;
  readonly value: number;
  /** At most, or at least. */
  readonly limit: number;
  readonly isAtLeast: boolean;
  readonly isMet: boolean;
}

interface RowLimit {
  readonly row: string;
  /** Whose figure ours is divided by; absent where the limit is one of ours alone. */
  readonly against?: 'kopia' | 'restic';
  readonly measure: Measure;
  /** At most. */
  readonly limit: number;
}

const OURS = 'stevedore';
const TEN_MILLION_MIB_MAX = 512;

const SPEED_LIMITS: readonly RowLimit[] = [
  { row: 'large-first', against: 'kopia', measure: 'wallSeconds', limit: 0.5 },
  { row: 'large-first', against: 'kopia', measure: 'cpuSeconds', limit: 0.6 },
  { row: 'small-first', against: 'kopia', measure: 'wallSeconds', limit: 0.4 },
  { row: 'small-first', against: 'kopia', measure: 'cpuSeconds', limit: 0.6 },
  { row: 'small-unchanged', against: 'kopia', measure: 'wallSeconds', limit: 0.75 },
  { row: 'small-unchanged', against: 'restic', measure: 'wallSeconds', limit: 0.25 },
  { row: 'large-unchanged', against: 'kopia', measure: 'wallSeconds', limit: 0.75 },
  { row: 'large-unchanged', against: 'restic', measure: 'wallSeconds', limit: 0.25 },
  { row: 'large-restore', against: 'kopia', measure: 'wallSeconds', limit: 0.5 },
  { row: 'large-restore', against: 'restic', measure: 'wallSeconds', limit: 0.8 },
  { row: 'small-restore', against: 'kopia', measure: 'wallSeconds', limit: 0.2 },
  { row: 'small-restore', against: 'restic', measure: 'wallSeconds', limit: 0.5 },
];

const LARGE_FILES: readonly string[] = ['large', 'image'];

const MEMORY_LIMITS: readonly RowLimit[] = ROWS.flatMap(({ name, source, isExtra }) => {
  if (isExtra) return [{ row: name, measure: 'peakMib', limit: TEN_MILLION_MIB_MAX }];
  const contenders = LARGE_FILES.includes(source) ? (['kopia', 'restic'] as const) : ['kopia'];
  return contenders.map(against => ({
    row: name,
    against: against === 'kopia' ? 'kopia' : 'restic',
    measure: 'peakMib',
    limit: 1,
  }));
});

const ROW_LIMITS: readonly RowLimit[] = [...SPEED_LIMITS, ...MEMORY_LIMITS];

/**
 * The targets of the rows that were asked for. One whose figure is missing, because the row failed
 * or because there is nobody to compare with, is not met.
 */
export function rowTargets(rowNames: readonly string[], comparisons: readonly Comparison[]) {
  return ROW_LIMITS.filter(({ row }) => rowNames.includes(row)).map(
    ({ row, against, measure, limit }) => {
      const name = against === undefined ? OURS : `${OURS} ÷ ${against}`;
      const found = comparisons
        .find(comparison => comparison.row === row)
        ?.rows.find(each => each.name === name);
      const what = against === undefined ? measure : `${measure} ÷ ${against}`;
      return atMost(`${row}: ${what}`, found?.spreads[measure].median ?? NaN, limit);
    },
  );
}

/** What the index has to show. */
export function indexTargets(stage: string, figures: readonly BenchFigure[]): Target[] {
  const valueOf = (name: string) => figures.find(figure => figure.name === name)?.value ?? NaN;
  const targets = [
    atMost(`${stage}: bytes a content`, valueOf('memory per content'), 36),
    atLeast(`${stage}: look-ups a second, hits`, valueOf('look-ups, hits'), 3_000_000),
    atLeast(`${stage}: look-ups a second, misses`, valueOf('look-ups, misses'), 3_000_000),
  ];
  if (stage !== 'index-20m') return targets;
  return [
    ...targets,
    atMost(`${stage}: seconds to load`, valueOf('load'), 15),
    atMost(`${stage}: peak resident MiB`, valueOf('peak resident memory'), 1024),
  ];
}

function atMost(name: string, value: number, limit: number): Target {
  return { name, value, limit, isAtLeast: false, isMet: value <= limit };
}

function atLeast(name: string, value: number, limit: number): Target {
  return { name, value, limit, isAtLeast: true, isMet: value >= limit };
}
