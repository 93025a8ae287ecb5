// Where a file has holes: ranges that read as zeros and take no room (lseek(2), SEEK_DATA and
// SEEK_HOLE). Offset, length, offset, length, …, ascending, as in format/entry-extras.ts.

import type { SourceStat } from './source-stat.ts';

/** Of more holes the longest are kept; the others are read and stored as zeros. */
export const HOLES_MAX = 16_384;

export interface Holes {
  readonly ranges: readonly number[];
  /** How many are left out. */
  readonly omittedCount: number;
}

/** How an end of data or of a hole is looked for; -1 when there is no data from `offset` on. */
export interface HoleSeeker {
  readonly data: (offset: number) => number;
  readonly hole: (offset: number) => number;
}

const BLOCK_BYTES = 512;

/** Whether it can have holes: it takes less room than its bytes need. */
export function mayHaveHoles(stat: SourceStat): boolean {
  return stat.blocks * BLOCK_BYTES < stat.size;
}

/** The holes of a file of `fileBytes`; undefined when it has none. */
export function findHoles(seeker: HoleSeeker, fileBytes: number): Holes | undefined {
  const list = new HoleList();
  for (let at = 0; at < fileBytes;) {
    const found = seeker.data(at);
    const data = found === -1 ? fileBytes : Math.min(found, fileBytes);
    if (data > at) list.add(at, data - at);
    if (data >= fileBytes) break;
    // A file that is being written to may have none where it had some: go on in any case.
    at = Math.max(data + 1, seeker.hole(data));
  }
  return list.finish();
}

class HoleList {
  #ranges: number[] = [];
  #omittedCount = 0;

  add(offset: number, length: number): void {
    this.#ranges.push(offset, length);
    if (this.#ranges.length >= 4 * HOLES_MAX) this.#keepLongest();
  }

  finish(): Holes | undefined {
    if (this.#ranges.length > 2 * HOLES_MAX) this.#keepLongest();
    const isNone = this.#ranges.length === 0;
    return isNone ? undefined : { ranges: this.#ranges, omittedCount: this.#omittedCount };
  }

  #keepLongest(): void {
    const ranges = this.#ranges;
    const indexes = Array.from({ length: ranges.length / 2 }, (_, index) => index);
    indexes.sort((a, b) => ranges[2 * b + 1] - ranges[2 * a + 1] || a - b);
    const kept = indexes.slice(0, HOLES_MAX).sort((a, b) => a - b);
    this.#omittedCount += indexes.length - kept.length;
    this.#ranges = kept.flatMap(index => [ranges[2 * index], ranges[2 * index + 1]]);
  }
}

/**
 * Where the hole that covers `position` ends; when none does, minus the offset of the next one, or
 * minus infinity.
 */
export function holeEndAt(ranges: readonly number[], position: number): number {
  let low = 0;
  let high = ranges.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[2 * middle] <= position) low = middle + 1;
    else high = middle;
  }
  // `low` is the first hole that begins behind the position.
  const end = low === 0 ? 0 : ranges[2 * low - 2] + ranges[2 * low - 1];
  if (end > position) return end;
  return low < ranges.length / 2 ? -ranges[2 * low] : -Infinity;
}
