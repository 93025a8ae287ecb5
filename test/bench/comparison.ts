// From samples to what people and `--check` look at: medians with their spread, ratios round by
// round, and the targets that the project has set itself.

import { OPERATIONS, type Operation, type Sample } from './rounds.ts';
import { median } from './stages/timing.ts';
import type { BenchFigure } from './stages/figure.ts';

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
  readonly source: string;
  readonly operation: Operation;
  readonly rows: readonly ComparisonRow[];
}

export interface Target {
  readonly name: string;
  readonly value: number;
  /** At most, or at least. */
  readonly limit: number;
  readonly isAtLeast: boolean;
  readonly isMet: boolean;
}

const OURS = 'stevedore';
const RATIO_LIMITS: Readonly<Record<Measure, number>> = {
  wallSeconds: 0.6,
  cpuSeconds: 0.6,
  peakMib: 0.8,
};

export function compare(source: string, samples: readonly Sample[]): Comparison[] {
  return OPERATIONS.map(operation => {
    const own = samples.filter(each => each.source === source && each.operation === operation);
    return { source, operation, rows: rowsOf(own) };
  }).filter(({ rows }) => rows.length > 0);
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

/** What the comparison with kopia has to show; nothing where there is no kopia. */
export function ratioTargets(comparisons: readonly Comparison[]): Target[] {
  return comparisons
    .filter(({ source, operation }) => source !== 'node_modules' && operation === 'first backup')
    .flatMap(({ source, rows }) => {
      const ratio = rows.find(({ name }) => name === `${OURS} ÷ kopia`);
      if (ratio === undefined) return [];
      return MEASURES.map(measure => {
        const value = ratio.spreads[measure].median;
        return atMost(`${source}, first backup: ${measure} ÷ kopia`, value, RATIO_LIMITS[measure]);
      });
    });
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
