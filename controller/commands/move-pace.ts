// How far a move is and how long it goes on, of what its agent said last.

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
