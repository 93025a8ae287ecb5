// How large the cache may be: a pure function of what was asked for and of what the disk says, for
// bytes and for inodes, with the reason that binds. docs/cache.md has a worked example.

/** Below this much free space of a file system the kubelet begins to evict pods. */
export interface EvictionLine {
  readonly signal: EvictionSignal;
  /** A share of the file system between 0 and 1, or an amount. */
  readonly threshold: Threshold;
}

export type EvictionSignal =
  'nodefs.available' | 'imagefs.available' | 'nodefs.inodesFree' | 'imagefs.inodesFree';
export type Threshold = { readonly share: number } | { readonly amount: number };

export interface LimitSettings {
  /** What the operator gave as a number. */
  readonly absoluteBytes?: number;
  /** Share of the file system, between 0 and 1. */
  readonly share?: number;
  /** `sizeLimit` of the emptyDir that the cache lives in. */
  readonly emptyDirBytes?: number;
  /** What may be taken of memory where the location is a tmpfs. */
  readonly memoryBytes?: number;
  /** Empty for a volume of its own, which the kubelet does not watch. */
  readonly evictionLines: readonly EvictionLine[];
  /** Kept free above the line, for what others write between two looks. */
  readonly marginBytes?: number;
}

export interface DiskState {
  readonly totalBytes: number;
  /** What we could still write (`f_bavail`), which is what the kubelet looks at. */
  readonly freeBytes: number;
  /** What of the used bytes is the cache's. */
  readonly ownBytes: number;
  /** 0 where the file system has no fixed number of inodes. */
  readonly totalInodes: number;
  readonly freeInodes: number;
  readonly ownInodes: number;
  /** How fast others are filling the disk; 0 while it is not getting fuller. */
  readonly fallBytesPerSecond: number;
}

export type LimitReason =
  'absolute' | 'percentage' | 'emptyDir size' | 'memory' | 'file system' | EvictionSignal;

export interface Bound {
  readonly amount: number;
  readonly reason: LimitReason;
}

export interface CacheLimit {
  readonly bytes: Bound;
  readonly inodes: Bound;
}

export const MARGIN_BYTES_MAX = 1024 * 1024 * 1024;
const MARGIN_SHARE = 0.02;
/**
 * From a look at the disk to the room that was made, at most, while the disk is filling: on ext4 a
 * truncation behind a neighbour who writes 490 MB/s was seen to come 1.2 s late.
 */
const REACTION_SECONDS = 2;
const MARGIN_INODES = 1024;
/** Where the file system counts no inodes, files are bounded by the number of segments anyway. */
const INODES_WITHOUT_COUNT = 2 ** 31;

/** The least of all bounds. Never negative; 0 means that there is no room for a cache. */
export function cacheLimit(settings: LimitSettings, disk: DiskState): CacheLimit {
  return {
    bytes: leastOf(byteBounds(settings, disk)),
    inodes: leastOf(inodeBounds(settings, disk)),
  };
}

/** What is kept free above the line. */
export function marginBytes(settings: LimitSettings, disk: DiskState): number {
  const still = settings.marginBytes ?? Math.min(MARGIN_BYTES_MAX, disk.totalBytes * MARGIN_SHARE);
  return still + Math.min(MARGIN_BYTES_MAX, disk.fallBytesPerSecond * REACTION_SECONDS);
}

/** What others can still write before they meet the highest line, whatever the cache does. */
export function headroomBytes({ evictionLines }: LimitSettings, disk: DiskState): number {
  const lines = evictionLines
    .filter(({ signal }) => signal.endsWith('.available'))
    .map(({ threshold }) => lineOf(threshold, disk.totalBytes));
  return Math.max(0, disk.freeBytes - Math.max(0, ...lines));
}

function* byteBounds(settings: LimitSettings, disk: DiskState): Generator<Bound> {
  const { absoluteBytes, share, emptyDirBytes, memoryBytes, evictionLines } = settings;
  if (absoluteBytes !== undefined) yield { amount: absoluteBytes, reason: 'absolute' };
  if (share !== undefined) yield { amount: disk.totalBytes * share, reason: 'percentage' };
  if (emptyDirBytes !== undefined) yield { amount: emptyDirBytes, reason: 'emptyDir size' };
  if (memoryBytes !== undefined) yield { amount: memoryBytes, reason: 'memory' };
  const room = disk.freeBytes + disk.ownBytes - marginBytes(settings, disk);
  for (const { signal, threshold } of evictionLines) {
    if (!signal.endsWith('.available')) continue;
    yield { amount: room - lineOf(threshold, disk.totalBytes), reason: signal };
  }
  yield { amount: room, reason: 'file system' };
}

function* inodeBounds({ evictionLines }: LimitSettings, disk: DiskState): Generator<Bound> {
  if (disk.totalInodes === 0) {
    yield { amount: INODES_WITHOUT_COUNT, reason: 'file system' };
    return;
  }
  const margin = Math.min(MARGIN_INODES, disk.totalInodes * MARGIN_SHARE);
  const room = disk.freeInodes + disk.ownInodes - margin;
  for (const { signal, threshold } of evictionLines) {
    if (!signal.endsWith('.inodesFree')) continue;
    yield { amount: room - lineOf(threshold, disk.totalInodes), reason: signal };
  }
  yield { amount: room, reason: 'file system' };
}

/** How far the free space is from the nearest line; undefined where none applies. */
export function distanceToLine(
  lines: readonly EvictionLine[],
  { freeBytes, totalBytes }: Pick<DiskState, 'freeBytes' | 'totalBytes'>,
): number | undefined {
  const distances = lines
    .filter(({ signal }) => signal.endsWith('.available'))
    .map(({ threshold }) => freeBytes - lineOf(threshold, totalBytes));
  return distances.length === 0 ? undefined : Math.min(...distances);
}

function lineOf(threshold: Threshold, total: number): number {
  return 'share' in threshold ? total * threshold.share : threshold.amount;
}

/**
 * The first of those that are equally small names the reason: what a person has set comes first.
 */
function leastOf(bounds: Iterable<Bound>): Bound {
  let least: Bound = { amount: Number.MAX_SAFE_INTEGER, reason: 'file system' };
  for (const bound of bounds) if (bound.amount < least.amount) least = bound;
  return { amount: Math.max(0, Math.floor(least.amount)), reason: least.reason };
}
