// How far a move is and how long it goes on, of what its agent said last, and the words for it.
// Undefined is for whoever shows it to leave out.

import { formatBytes, formatDuration } from '#engine/cli/quantity.ts';
import type { MoveRate } from '#proto/agent-saying.ts';

type Pace = Pick<MoveRate, 'doneBytes' | 'totalBytes' | 'doneBytesPerSecond'>;

/** Whole ones, and 100 not before all is done. Undefined while the size is not known. */
export function percentOf({ doneBytes, totalBytes }: Pace): number | undefined {
  if (totalBytes === undefined || totalBytes === 0) return undefined;
  return Math.min(100, Math.floor((100 * doneBytes) / totalBytes));
}

/** If it goes on as in the last seconds; undefined where nobody can say. */
export function leftMsOf(pace: Pace): number | undefined {
  const { doneBytes, totalBytes, doneBytesPerSecond: rate } = pace;
  if (totalBytes === undefined || rate === undefined || rate === 0) return undefined;
  return Math.ceil((Math.max(0, totalBytes - doneBytes) * 1000) / rate);
}

/** Of the volume. */
export function rateText(pace: Pace | undefined): string | undefined {
  const rate = pace?.doneBytesPerSecond;
  return rate === undefined ? undefined : `${formatBytes(rate)}/s`;
}

export function leftText(pace: Pace | undefined): string | undefined {
  const leftMs = pace && leftMsOf(pace);
  return leftMs === undefined ? undefined : formatDuration(Math.ceil(leftMs / 1000) * 1000);
}

/** To or from the object storage, whichever is more. */
export function storageText(rate: MoveRate | undefined): string | undefined {
  if (rate === undefined) return undefined;
  return `${formatBytes(Math.max(rate.uploadBytesPerSecond, rate.downloadBytesPerSecond))}/s`;
}
