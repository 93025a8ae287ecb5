// From samples to what people and `--check` look at: medians with their spread, and ratios round by
// round.

import type { Operation, Row } from './row-table.ts';
import type { Sample } from './cycle.ts';
import { median } from './stages/timing.ts';

export const MEASURES = ['wallSeconds', 'cpuSeconds', 'peakMib'] as const;
export type Measure = (typeof MEASURES)[number];

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface ComparisonRow {
  /** `kopia`, or `stevedore ÷ kopia`. */
  readonly name: string;
  readonly isRatio: boolean;
  readonly spreads: Readonly<Record<Measure, Spread>>;
  /** Of these so many were not warm. */
  readonly coldRuns: number;
}

export interface Comparison {
  readonly row: string;
  readonly source: string;
  readonly operation: Operation;
  readonly rows: readonly ComparisonRow[];
}

const OURS = 'stevedore';

/** One for each of `rows` that has samples. */
export function compare(rows: readonly Row[], samples: readonly Sample[]): Comparison[] {
  return rows
    .map(({ name, source, operation }) => {
      const own = samples.filter(sample => sample.row === name);
      return { row: name, source, operation, rows: rowsOf(own) };
    })
    .filter(comparison => comparison.rows.length > 0);
}

function rowsOf(samples: readonly Sample[]): ComparisonRow[] {
  const byName = new Map<string, Sample[]>();
  for (const sample of samples) {
    byName.set(sample.contender, [...(byName.get(sample.contender) ?? []), sample]);
  }
  const isOurs = (name: string) => name.startsWith(OURS);
  const rows = [...byName].map(([name, own]) => rowOf(name, own));
  const ratios = [...byName]
    .filter(([name]) => isOurs(name))
    .flatMap(([name, own]) =>
      [...byName]
        .filter(([other]) => !isOurs(other))
        .map(([other, others]) => ratioRow(`${name} ÷ ${other}`, own, others)),
    );
  return [...rows, ...ratios];
}

function rowOf(name: string, samples: readonly Sample[]): ComparisonRow {
  const coldRuns = samples.filter(({ isWarm }) => !isWarm).length;
  const of = (measure: Measure) => spreadOf(samples.map(sample => sample[measure]));
  return { name, isRatio: false, spreads: spreads(of), coldRuns };
}

/** Each round's ratio by itself: what slowed a round down slowed both of its runs. */
function ratioRow(name: string, ours: readonly Sample[], theirs: readonly Sample[]): ComparisonRow {
  const pairs = ours.flatMap(our => {
    const their = theirs.find(({ round }) => round === our.round);
    return their === undefined ? [] : [{ our, their }];
  });
  const of = (measure: Measure) =>
    spreadOf(pairs.map(({ our, their }) => our[measure] / their[measure]));
  return { name, isRatio: true, spreads: spreads(of), coldRuns: 0 };
}

function spreads(of: (measure: Measure) => Spread): Record<Measure, Spread> {
  return { wallSeconds: of('wallSeconds'), cpuSeconds: of('cpuSeconds'), peakMib: of('peakMib') };
}

function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}
