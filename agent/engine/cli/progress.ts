// What a person sees while a job runs: a bar on a terminal, a line now and then elsewhere, nothing
// with --quiet. It goes to standard error alone.

import type { Clock } from '#engine/base/clock.ts';
import { counted, formatBytes, formatDuration, formatShare } from './quantity.ts';
import { safeText, shortened } from './terminal-text.ts';

export interface ProgressState {
  readonly phase: string;
  readonly files?: number;
  readonly directories?: number;
  readonly contents?: number;
  readonly bytes: number;
  /** Bytes that need not be moved. */
  readonly bytesPresent?: number;
  readonly bytesUploaded?: number;
  readonly bytesTotal?: number;
  readonly filesTotal?: number;
  readonly currentPath?: string;
}

/** Takes the newest state; cheap enough to be called for every file. */
export type Progress = (state: ProgressState) => void;

/** Shows states until stopped. */
export interface ProgressDisplay {
  readonly update: Progress;
  stop(): void;
}

/** What can be said of a state once some time has passed. */
export interface Reading {
  readonly bytesPerSecond?: number;
  readonly leftMs?: number;
  /** 0 to 1; undefined where no total is known. */
  readonly fraction?: number;
}

/** How fast it has gone in the last ten seconds or so, and what that means for the rest. */
export class ProgressMeter {
  readonly #bytes = new RateMeter();
  readonly #work = new RateMeter();

  read(state: ProgressState, nowMs: number): Reading {
    const bytesPerSecond = this.#bytes.read(nowMs, state.bytes);
    const work = workOf(state);
    if (work === undefined) return { bytesPerSecond };
    const workPerSecond = this.#work.read(nowMs, work.done);
    const rest = Math.max(0, work.total - work.done);
    const isMoving = workPerSecond !== undefined && workPerSecond > 0;
    const leftMs = isMoving ? (rest * 1000) / workPerSecond : undefined;
    return { bytesPerSecond, leftMs, fraction: Math.min(1, work.done / work.total) };
  }
}

/** `upload  34 %  1,234 files  1.2 GiB of 3.5 GiB  210 MiB/s  11 s left` */
export function progressText(state: ProgressState, reading: Reading): string {
  const { bytesPerSecond, leftMs, fraction } = reading;
  const parts = [safeText(state.phase)];
  if (fraction !== undefined) parts.push(formatShare(fraction, 1));
  if (state.files !== undefined) parts.push(counted(state.files, 'file'));
  if (state.contents !== undefined) parts.push(counted(state.contents, 'content'));
  const total = state.bytesTotal === undefined ? '' : ` of ${formatBytes(state.bytesTotal)}`;
  parts.push(formatBytes(state.bytes) + total);
  if (state.bytesUploaded) parts.push(`${formatBytes(state.bytesUploaded)} new`);
  if (bytesPerSecond !== undefined) parts.push(`${formatBytes(bytesPerSecond)}/s`);
  if (leftMs !== undefined) {
    parts.push(`${formatDuration(Math.ceil(leftMs / 1000) * 1000)} left`);
  }
  return parts.join('  ');
}

/** The line with what is being worked on, within `columns`. */
export function progressLine(state: ProgressState, reading: Reading, columns: number): string {
  const text = progressText(state, reading);
  const room = columns - text.length - 2;
  if (!state.currentPath || room < PATH_COLUMNS_MIN) return shortened(text, columns);
  return `${text}  ${shortened(safeText(state.currentPath), room)}`;
}

/** A line every LINE_MS at most, the first one after that time: short runs stay silent. */
export function progressLines(write: (text: string) => void, clock: Clock): ProgressDisplay {
  const meter = new ProgressMeter();
  let lineMs = clock.monotonic();
  return {
    update(state) {
      const nowMs = clock.monotonic();
      const reading = meter.read(state, nowMs);
      if (nowMs - lineMs < LINE_MS) return;
      lineMs = nowMs;
      write(`${progressText(state, reading)}\n`);
    },
    stop() {},
  };
}

export const noProgress: ProgressDisplay = Object.freeze({ update() {}, stop() {} });

/** States with totals that the caller knows or estimates, asked for anew each time. */
export function withTotals(
  update: Progress,
  totals: () => Pick<ProgressState, 'bytesTotal' | 'filesTotal'>,
): Progress {
  return state => update({ ...totals(), ...state });
}

const SAMPLE_MS = 500;
const SAMPLES_MAX = 20;
const LINE_MS = 10_000;
const PATH_COLUMNS_MIN = 12;

/** Units in a second over the last samples. */
class RateMeter {
  readonly #samples: { atMs: number; units: number }[] = [];

  /** Undefined until there is something to divide. */
  read(atMs: number, units: number): number | undefined {
    const newest = this.#samples.at(-1);
    if (newest === undefined || atMs - newest.atMs >= SAMPLE_MS) {
      this.#samples.push({ atMs, units });
      if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
    }
    const oldest = this.#samples[0];
    if (oldest === undefined || atMs - oldest.atMs < SAMPLE_MS) return undefined;
    return ((units - oldest.units) * 1000) / (atMs - oldest.atMs);
  }
}

/** Bytes where their total is known, else files. */
function workOf(state: ProgressState): { done: number; total: number } | undefined {
  const { bytes, bytesPresent = 0, bytesTotal } = state;
  if (bytesTotal) return { done: bytes + bytesPresent, total: bytesTotal };
  if (state.filesTotal) return { done: state.files ?? 0, total: state.filesTotal };
  return undefined;
}
