// Where a file has holes: ranges that read as zeros and take no room (lseek(2), SEEK_DATA and
// SEEK_HOLE). Offset, length, offset, length, …, ascending, as in format/entry-extras.ts.

/** Of more holes the longest are kept; the others are read and stored as zeros. */
export const HOLES_MAX = 16_384;

export interface Holes {
  readonly ranges: readonly number[];
  /** How many are left out. */
  readonly omittedCount: number;
}

/** Where data or a hole is, from `offset` on; -1 when there is none, or the file ends before. */
export interface HoleSeeker {
  readonly data: (offset: number) => number;
  readonly hole: (offset: number) => number;
}

/**
 * The holes of a file of `fileBytes`; undefined when it has none. Costs one call where there is
 * none. What `stat` says of blocks is no shorter way: blocks of extended attributes and room that
 * was set aside are counted there, so a file with holes may seem to have all of its bytes.
 */
export function findHoles(seeker: HoleSeeker, fileBytes: number): Holes | undefined {
  const list = new HoleList();
  for (let at = 0; at < fileBytes;) {
    const hole = seeker.hole(at);
    if (hole === -1 || hole >= fileBytes) break;
    const found = seeker.data(hole);
    const data = found === -1 ? fileBytes : Math.min(found, fileBytes);
    if (data > hole) list.add(hole, data - hole);
    // A hole that is filled at this moment is none, and must not be asked for for ever.
    at = Math.max(data, hole + 1);
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
