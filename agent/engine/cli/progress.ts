// What a person sees while a job runs: a bar on a terminal, a line now and then elsewhere, nothing
// with --quiet. It goes to standard error alone.

import type { Clock } from '#engine/base/clock.ts';
import { counted, formatBytes, formatDuration, formatShare } from './quantity.ts';
import { safeText, shortened } from './terminal-text.ts';

export interface ProgressState {
  readonly phase: string;
  readonly files: number;
  readonly directories: number;
  readonly bytes: number;
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

/** Bytes in a second over the last ten seconds or so. */
export class RateMeter {
  readonly #samples: { atMs: number; bytes: number }[] = [];

  add(atMs: number, bytes: number): void {
    const newest = this.#samples.at(-1);
    if (newest !== undefined && atMs - newest.atMs < SAMPLE_MS) return;
    this.#samples.push({ atMs, bytes });
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
  }

  /** Undefined until there is something to divide. */
  bytesPerSecond(atMs: number, bytes: number): number | undefined {
    const oldest = this.#samples[0];
    if (oldest === undefined || atMs - oldest.atMs < SAMPLE_MS) return undefined;
    return ((bytes - oldest.bytes) * 1000) / (atMs - oldest.atMs);
  }
}

/** `upload  34 %  1,234 files  1.2 GiB of 3.5 GiB  210 MiB/s  11 s left` */
export function progressText(state: ProgressState, bytesPerSecond: number | undefined): string {
  const parts = [safeText(state.phase)];
  if (state.bytesTotal !== undefined) parts.push(formatShare(state.bytes, state.bytesTotal));
  parts.push(counted(state.files, 'file'));
  const total = state.bytesTotal === undefined ? '' : ` of ${formatBytes(state.bytesTotal)}`;
  parts.push(formatBytes(state.bytes) + total);
  if (state.bytesUploaded) parts.push(`${formatBytes(state.bytesUploaded)} new`);
  if (bytesPerSecond !== undefined) parts.push(`${formatBytes(bytesPerSecond)}/s`);
  const left = millisecondsLeft(state, bytesPerSecond);
  if (left !== undefined) parts.push(`${formatDuration(left)} left`);
  return parts.join('  ');
}

/** The line with what is being worked on, within `columns`. */
export function progressLine(
  state: ProgressState,
  bytesPerSecond: number | undefined,
  columns: number,
): string {
  const text = progressText(state, bytesPerSecond);
  const room = columns - text.length - 2;
  if (state.currentPath === undefined || room < 12) return shortened(text, columns);
  return `${text}  ${shortened(safeText(state.currentPath), room)}`;
}

/** A line every LINE_MS at most, the first one after that time: short runs stay silent. */
export function progressLines(write: (text: string) => void, clock: Clock): ProgressDisplay {
  const meter = new RateMeter();
  let lineMs = clock.monotonic();
  return {
    update(state) {
      const nowMs = clock.monotonic();
      meter.add(nowMs, state.bytes);
      if (nowMs - lineMs < LINE_MS) return;
      lineMs = nowMs;
      write(`${progressText(state, meter.bytesPerSecond(nowMs, state.bytes))}\n`);
    },
    stop() {},
  };
}

export const noProgress: ProgressDisplay = Object.freeze({ update() {}, stop() {} });

const SAMPLE_MS = 500;
const SAMPLES_MAX = 20;
const LINE_MS = 10_000;

function millisecondsLeft(state: ProgressState, rate: number | undefined): number | undefined {
  if (state.bytesTotal === undefined || rate === undefined || rate <= 0) return undefined;
  return (Math.max(0, state.bytesTotal - state.bytes) * 1000) / rate;
}
