// What `cache info` tells about a directory: what is in it, how large it may get and why, and how
// much room its disk has. Read from outside; what only a running cache knows is as it was noted.

import { repositoryKey } from './blob-key.ts';
import {
  type CacheSettings,
  isWatched,
  limitSettings,
  UNVISITED_DAYS_MAX,
} from './cache-settings.ts';
import { readDisk } from './disk-space.ts';
import { ENTRY_KINDS, type EntryKind } from './entry-table.ts';
import { type FoundLines, readKubeletLines } from './kubelet-configuration.ts';
import { textOfKey } from './key-text.ts';
import { cacheLimit, type CacheLimit, distanceToLine } from './limit.ts';
import { type CacheLocation, locationOf, type LocationKind } from './location.ts';
import type { CacheNotes, CacheTotals, Shrink } from './notes-format.ts';
import { BASE_CHARGE, segmentCharge } from './segment-pool.ts';
import type { SiblingCache } from './sibling-caches.ts';
import { readStoredCache, type StoredCache } from './stored-cache.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** The last that a Date can be. */
const WALL_MS_MAX = 8.64e15;

export interface Share {
  readonly entries: number;
  readonly bytes: number;
}

export interface CacheDescription {
  readonly directory: string;
  /** Undefined where the table of mounts does not tell. */
  readonly location: LocationKind | undefined;
  /** Whether a process has it open now. */
  readonly isHeld: boolean;
  /** With the settings that are given here; a process that has it open may have others. */
  readonly limit: CacheLimit;
  readonly usedBytes: number;
  readonly usedInodes: number;
  /** Of what is used: what others put into the directory. */
  readonly foreignBytes: number;
  /** Other caches in the location, which the limit knows nothing of. */
  readonly siblings: readonly SiblingCache[];
  readonly freeBytes: number;
  readonly distanceToLineBytes: number | undefined;
  /** Where the kubelet's lines were found; undefined where none apply. */
  readonly linesFrom: string | undefined;
  readonly total: Share;
  readonly kinds: Readonly<Record<EntryKind, Share>>;
  /** Of repositories that were deleted, or that nobody visits. */
  readonly orphaned: Share;
  /** The largest first. */
  readonly repositories: readonly DescribedRepository[];
  /** Undefined where no process has noted anything. */
  readonly noted: DescribedNotes | undefined;
}

export interface DescribedRepository extends Share {
  readonly key: string;
  /** Address; of one that was not used since the notes were lost only where it was asked for. */
  readonly name?: string;
  readonly isOrphan: boolean;
  /** As of the notes. */
  readonly unvisitedDays?: number;
}

/** What the process that has the cache open, or had it last, knew. Times are RFC 3339. */
export interface DescribedNotes extends CacheTotals {
  readonly at: string;
  /** With the settings of that process. */
  readonly limit: { readonly amount: number; readonly reason: string };
  readonly reservedBytes: number;
  readonly pinnedBytes: number;
  /** Of all bytes that were asked for since the cache was made; undefined for none. */
  readonly hitRatio: number | undefined;
  readonly lastShrink: (Omit<Shrink, 'wallMs'> & { readonly at: string }) | undefined;
}

/** Undefined where there is no cache. `names` are addresses of repositories. */
export async function describeCache(
  settings: CacheSettings,
  { names, mountInfo }: { readonly names: readonly string[]; readonly mountInfo: string },
): Promise<CacheDescription | undefined> {
  const { directory, node } = settings;
  const stored = await readStoredCache({ location: directory, node });
  if (stored === undefined) return undefined;
  const location = locationOf(mountInfo, directory);
  const space = await readDisk(directory);
  const used = [BASE_CHARGE, stored.foreign, ...stored.segmentBytes.map(segmentCharge)];
  const lines = await linesOf(settings, location);
  const limits = limitSettings(settings, location, lines?.lines ?? []);
  const { foreign, siblings } = stored;
  const ownBytes = stored.segmentBytes.reduce((sum, bytes) => sum + bytes, foreign.bytes);
  const ownInodes = stored.segmentBytes.length + BASE_CHARGE.inodes + foreign.inodes;
  return {
    directory: stored.directory,
    location: location?.kind,
    isHeld: stored.isHeld,
    limit: cacheLimit(limits, { ...space, ownBytes, ownInodes, fallBytesPerSecond: 0 }),
    usedBytes: used.reduce((sum, { bytes }) => sum + bytes, 0),
    usedInodes: used.reduce((sum, { inodes }) => sum + inodes, 0),
    foreignBytes: foreign.bytes,
    siblings,
    freeBytes: space.freeBytes,
    linesFrom: lines?.origin,
    distanceToLineBytes: distanceToLine(limits.evictionLines, space),
    ...sharesOf(stored.shares, notesByKey(stored.notes, names, settings)),
    noted: stored.notes && describedNotes(stored.notes),
  };
}

async function linesOf(
  settings: CacheSettings,
  location: CacheLocation | undefined,
): Promise<FoundLines | undefined> {
  if (!isWatched(location)) return undefined;
  const { evictionLines, kubeletConfiguration: path, kubeletDropIns: dropIns } = settings;
  if (evictionLines) return { lines: evictionLines, origin: 'settings' };
  return readKubeletLines({ path, dropIns });
}

type KnownRepository = Pick<DescribedRepository, 'name' | 'isOrphan' | 'unvisitedDays'>;

function notesByKey(
  notes: CacheNotes | undefined,
  names: readonly string[],
  { unvisitedDaysMax = UNVISITED_DAYS_MAX }: CacheSettings,
): ReadonlyMap<string, KnownRepository> {
  const known = new Map<string, KnownRepository>();
  for (const { key, name, unvisitedMs, isDeleted } of notes?.repositories ?? []) {
    const unvisitedDays = unvisitedMs / DAY_MS;
    const isOrphan = isDeleted || unvisitedDays > unvisitedDaysMax;
    known.set(textOfKey(key), { name, isOrphan, unvisitedDays });
  }
  for (const name of names) {
    const key = textOfKey(repositoryKey(name));
    known.set(key, { isOrphan: false, ...known.get(key), name });
  }
  return known;
}

function describedNotes(notes: CacheNotes): DescribedNotes {
  const { totals, at, lastShrink, limitBytes, limitReason, reservedBytes, pinnedBytes } = notes;
  const bytes = totals.hitBytes + totals.missBytes;
  return {
    at: timeText(at.wallMs),
    limit: { amount: limitBytes, reason: limitReason },
    reservedBytes,
    pinnedBytes,
    ...totals,
    hitRatio: bytes === 0 ? undefined : totals.hitBytes / bytes,
    lastShrink: lastShrink && {
      fromBytes: lastShrink.fromBytes,
      toBytes: lastShrink.toBytes,
      reason: lastShrink.reason,
      at: timeText(lastShrink.wallMs),
    },
  };
}

/** A clock may have been anywhere. */
function timeText(wallMs: number): string {
  return new Date(Math.min(wallMs, WALL_MS_MAX)).toISOString();
}

function sharesOf(
  shares: StoredCache['shares'],
  known: ReadonlyMap<string, KnownRepository>,
): Pick<CacheDescription, 'total' | 'kinds' | 'repositories' | 'orphaned'> {
  const byKey = Map.groupBy(shares, ({ repository }) => textOfKey(repository));
  const ofKind = (index: number) => sumOf(shares.filter(({ kind }) => kind === index));
  const [data, metadata, index] = ENTRY_KINDS.map((_, kind) => ofKind(kind));
  const repositories = [...byKey]
    .map(([key, list]) => ({ key, isOrphan: false, ...known.get(key), ...sumOf(list) }))
    .sort((one, other) => other.bytes - one.bytes);
  return {
    total: sumOf(shares),
    kinds: { data, metadata, index },
    orphaned: sumOf(repositories.filter(({ isOrphan }) => isOrphan)),
    repositories,
  };
}

function sumOf(shares: readonly Share[]): Share {
  return {
    entries: shares.reduce((sum, { entries }) => sum + entries, 0),
    bytes: shares.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
