// How long one call takes: the median over several batches, each long enough for the clock. The
// median and not the best, because what a user meets is not the best either.

import type { BenchFigure, StageOptions } from './figure.ts';
import { MIB } from './figure.ts';

const BATCHES = 5;

/** Milliseconds that one figure may take, besides warming up. */
export function budgetMs({ isQuick }: Pick<StageOptions, 'isQuick'>): number {
  return isQuick ? 40 : 400;
}

/** Median seconds of one call of `call`, which must do the same each time. */
export function secondsPerCall(call: () => void, totalMs: number): number {
  const batchMs = totalMs / BATCHES;
  let count = 1;
  // Doubles until a batch is long enough; the compiler has seen the loop by then.
  while (timeOf(call, count) < batchMs / 2) count *= 2;
  const batches = Array.from({ length: BATCHES }, () => timeOf(call, count));
  return median(batches) / count / 1000;
}

/** The same for a call that answers later; one call at a time. */
export async function secondsPerAsyncCall(
  call: () => Promise<unknown>,
  count: number,
): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await call();
    times.push(performance.now() - start);
  }
  return median(times) / 1000;
}

export interface TurnOptions {
  readonly turns: number;
  /** In each turn, of the one and then of the other. */
  readonly calls: number;
}

/**
 * How many times the processor time of `other` one call of `work` takes, on all threads: the median
 * of what each turn shows. What else the machine does hardly shows in it.
 */
export async function processorRatio(
  work: () => Promise<unknown>,
  other: () => Promise<unknown>,
  options: TurnOptions,
): Promise<number> {
  const found = await processorTimes(work, other, options);
  return median(found.map(({ ofWork, ofOther }) => ofWork / ofOther));
}

/** The same of the turns that each was disturbed least in, for tests beside others. */
export async function leastProcessorRatio(
  work: () => Promise<unknown>,
  other: () => Promise<unknown>,
  options: TurnOptions,
): Promise<number> {
  const found = await processorTimes(work, other, options);
  const least = (times: number[]) => Math.min(...times);
  return least(found.map(({ ofWork }) => ofWork)) / least(found.map(({ ofOther }) => ofOther));
}

/** Of each turn. */
async function processorTimes(
  work: () => Promise<unknown>,
  other: () => Promise<unknown>,
  { turns, calls }: TurnOptions,
) {
  const found: { readonly ofWork: number; readonly ofOther: number }[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const ofOther = await processorTimeOf(other, calls);
    found.push({ ofWork: await processorTimeOf(work, calls), ofOther });
  }
  return found;
}

async function processorTimeOf(call: () => Promise<unknown>, count: number): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) await call();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** Of an odd number the middle one, else the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(half)] ?? NaN)
    : ((sorted[half - 1] ?? NaN) + (sorted[half] ?? NaN)) / 2;
}

/** Throughput for large inputs, microseconds a call for small ones. */
export function speedFigure(name: string, bytes: number, seconds: number): BenchFigure {
  return bytes < 64 * 1024
    ? { name, value: seconds * 1e6, unit: 'us' }
    : { name, value: bytes / MIB / seconds, unit: 'MiB/s' };
}

function timeOf(call: () => void, count: number): number {
  const start = performance.now();
  for (let i = 0; i < count; i++) call();
  return performance.now() - start;
}
