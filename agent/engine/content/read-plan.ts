// Which ranges of which packs to fetch so that many contents come with few requests. Pure: entries
// in, ranges out.

import type { ContentEntry } from './content-source.ts';

export interface PackRange {
  readonly packId: string;
  readonly offset: number;
  readonly length: number;
  /** Entries whose bytes lie in the range, by offset. */
  readonly entries: readonly ContentEntry[];
}

export interface ReadPlanLimits {
  /** Bytes nobody asked for that are fetched rather than asking twice. */
  readonly gapBytesMax: number;
  /** A range grows no further than this, unless one content alone is longer. */
  readonly rangeBytesMax: number;
}

export const READ_PLAN_LIMITS: ReadPlanLimits = Object.freeze({
  // A request to an object store costs about as long as 64 KiB take to arrive.
  gapBytesMax: 64 * 1024,
  rangeBytesMax: 8 * 1024 * 1024,
});

/** Ranges that cover `entries`, pack by pack in ascending order; entries may come in any order. */
export function planReads(
  entries: readonly ContentEntry[],
  limits: ReadPlanLimits = READ_PLAN_LIMITS,
): PackRange[] {
  const sorted = entries.toSorted(comparePosition);
  const ranges: PackRange[] = [];
  let group: ContentEntry[] = [];
  let groupEnd = 0;
  for (const entry of sorted) {
    const end = entry.packOffset + entry.packedBytes;
    const first = group.at(0);
    const isContinuing =
      first !== undefined &&
      first.packId === entry.packId &&
      entry.packOffset - groupEnd <= limits.gapBytesMax &&
      end - first.packOffset <= limits.rangeBytesMax;
    if (!isContinuing) {
      if (first) ranges.push(rangeOf(group, groupEnd));
      group = [];
      groupEnd = 0;
    }
    group.push(entry);
    groupEnd = Math.max(groupEnd, end);
  }
  if (group.length > 0) ranges.push(rangeOf(group, groupEnd));
  return ranges;
}

function comparePosition(a: ContentEntry, b: ContentEntry): number {
  if (a.packId !== b.packId) return a.packId < b.packId ? -1 : 1;
  return a.packOffset - b.packOffset;
}

function rangeOf(entries: readonly ContentEntry[], end: number): PackRange {
  const [{ packId, packOffset }] = entries;
  return { packId, offset: packOffset, length: end - packOffset, entries };
}
