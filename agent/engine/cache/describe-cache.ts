// What `cache info` tells about a directory: what is in it, how large it may get and why, and how
// much room its disk has. Read from outside, so what only a running cache knows is not in it.

import { repositoryKey } from './blob-key.ts';
import { type CacheSettings, isWatched, limitSettings } from './cache-settings.ts';
import { readDisk } from './disk-space.ts';
import { ENTRY_KINDS, type EntryKind } from './entry-table.ts';
import { type FoundLines, readKubeletLines } from './kubelet-configuration.ts';
import { textOfKey } from './key-text.ts';
import { cacheLimit, type CacheLimit, distanceToLine } from './limit.ts';
import { type CacheLocation, locationOf, type LocationKind } from './location.ts';
import { BASE_CHARGE, segmentCharge } from './segment-pool.ts';
import { readStoredCache, type StoredCache } from './stored-cache.ts';

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
  readonly freeBytes: number;
  readonly distanceToLineBytes: number | undefined;
  /** Where the kubelet's lines were found; undefined where none apply. */
  readonly linesFrom: string | undefined;
  readonly total: Share;
  readonly kinds: Readonly<Record<EntryKind, Share>>;
  /** The largest first. Addresses are not stored: `name` is there for those that were asked for. */
  readonly repositories: readonly (Share & { readonly key: string; readonly name?: string })[];
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
  const used = [BASE_CHARGE, ...stored.segmentBytes.map(segmentCharge)];
  const lines = await linesOf(settings, location);
  const limits = limitSettings(settings, location, lines?.lines ?? []);
  const ownBytes = stored.segmentBytes.reduce((sum, bytes) => sum + bytes, 0);
  const ownInodes = stored.segmentBytes.length + BASE_CHARGE.inodes;
  return {
    directory: stored.directory,
    location: location?.kind,
    isHeld: stored.isHeld,
    limit: cacheLimit(limits, { ...space, ownBytes, ownInodes, fallBytesPerSecond: 0 }),
    usedBytes: used.reduce((sum, { bytes }) => sum + bytes, 0),
    usedInodes: used.reduce((sum, { inodes }) => sum + inodes, 0),
    freeBytes: space.freeBytes,
    linesFrom: lines?.origin,
    distanceToLineBytes: distanceToLine(limits.evictionLines, space),
    ...sharesOf(stored.rows, names),
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

function sharesOf(
  rows: StoredCache['rows'],
  names: readonly string[],
): Pick<CacheDescription, 'total' | 'kinds' | 'repositories'> {
  const known = new Map(names.map(name => [textOfKey(repositoryKey(name)), name]));
  const repositories = new Map<string, StoredCache['rows'][number][]>();
  for (const each of rows) {
    const key = textOfKey({ a: each.row.repositoryA, b: each.row.repositoryB });
    const list = repositories.get(key);
    if (list) list.push(each);
    else repositories.set(key, [each]);
  }
  const ofKind = (kind: number) => shareOf(rows.filter(({ row }) => row.kind === kind));
  const [data, metadata, index] = ENTRY_KINDS.map((_, kind) => ofKind(kind));
  return {
    total: shareOf(rows),
    kinds: { data, metadata, index },
    repositories: [...repositories]
      .map(([key, list]) => ({ key, name: known.get(key), ...shareOf(list) }))
      .sort((one, other) => other.bytes - one.bytes),
  };
}

function shareOf(rows: StoredCache['rows']): Share {
  return { entries: rows.length, bytes: rows.reduce((sum, { row }) => sum + row.length, 0) };
}
