// One rate for the cluster, split among the moves that are under way: everybody gets the same, and
// what a move cannot use is split among the others (max-min fairness: D. Bertsekas, R. Gallager,
// "Data Networks", 6.5.2).

export interface MoveDemand {
  readonly id: string;
  /** What it could use; undefined when only the rate holds it up, or nothing is known yet. */
  readonly wantedBytesPerSecond: number | undefined;
}

/**
 * Bytes per second of each move, by id, in whole numbers; together at most `totalBytesPerSecond`.
 */
export function shareRate(
  totalBytesPerSecond: number,
  moves: readonly MoveDemand[],
): Map<string, number> {
  const sorted = [...moves].sort((a, b) => wantOf(a) - wantOf(b));
  const shares = new Map<string, number>();
  let left = Math.floor(totalBytesPerSecond);
  for (const [index, move] of sorted.entries()) {
    const share = Math.min(wantOf(move), Math.floor(left / (sorted.length - index)));
    shares.set(move.id, share);
    left -= share;
  }
  return shares;
}

export interface MeasuredRate {
  readonly bytesPerSecond: number;
  /** What it was allowed while that was measured; undefined for no limit. */
  readonly allowedBytesPerSecond: number | undefined;
}

/** Who used nearly all that it was allowed is held up by that. */
const USED_SHARE = 0.9;
/** Who used less may use a quarter more, at least so much, before it is asked again. */
const SPARE_FACTOR = 1.25;
const SPARE_BYTES_PER_SECOND = 64 * 1024;

/** What a move could use, judged by what it did use. */
export function demandOf(measured: MeasuredRate | undefined): number | undefined {
  if (measured === undefined) return undefined;
  const { bytesPerSecond, allowedBytesPerSecond } = measured;
  if (allowedBytesPerSecond === undefined) return undefined;
  if (bytesPerSecond >= allowedBytesPerSecond * USED_SHARE) return undefined;
  return Math.ceil(bytesPerSecond * SPARE_FACTOR) + SPARE_BYTES_PER_SECOND;
}

function wantOf({ wantedBytesPerSecond }: MoveDemand): number {
  return wantedBytesPerSecond ?? Number.MAX_SAFE_INTEGER;
}
