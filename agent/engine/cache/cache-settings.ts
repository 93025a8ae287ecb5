// What can be set about a cache, what holds where nothing is set, and what it tells about itself.

import type { RepositoryBounds } from './accounts.ts';
import type { EntryTable } from './entry-table.ts';
import type { EvictionPolicy } from './eviction-policy.ts';
import type { EvictionLine, LimitReason, LimitSettings } from './limit.ts';
import type { CacheLocation, LocationKind } from './location.ts';

export interface CacheSettings {
  /** An existing directory; the cache makes one of its own in it. */
  readonly directory: string;
  /** Name of this node, where several share the directory. */
  readonly node?: string;
  readonly isRootDiskAllowed?: boolean;
  readonly absoluteBytes?: number;
  /** Of the file system, between 0 and 1. */
  readonly share?: number;
  readonly emptyDirBytes?: number;
  /** What may be taken of memory, where the directory is in memory. */
  readonly memoryBytes?: number;
  readonly marginBytes?: number;
  /** Of the kubelet on this node; what its configuration says where nothing is given. */
  readonly evictionLines?: readonly EvictionLine[];
  /** Of the kubelet; its defaults hold where there is none. */
  readonly kubeletConfiguration?: string;
  /** Directory of drop-ins, the kubelet's `--config-dir`. */
  readonly kubeletDropIns?: string;
  /** Entries of a repository that nobody has used for longer go first; 14 where nothing is set. */
  readonly unvisitedDaysMax?: number;
  readonly newPolicy?: (table: EntryTable) => EvictionPolicy;
}

/** What one repository may have of a cache. */
export interface CacheShare extends RepositoryBounds {
  /** A repository, or a restore, of fewer bytes keeps index and metadata alone. */
  readonly dataBytesMin?: number;
}

export type CacheEvent =
  | { readonly kind: 'attached'; readonly directory: string }
  | { readonly kind: 'unavailable'; readonly reason: string }
  | { readonly kind: 'orphaned'; readonly repository: string; readonly reason: OrphanReason }
  | { readonly kind: 'eviction lines'; readonly origin: string }
  | { readonly kind: 'foreign files'; readonly directory: string; readonly bytes: number }
  | {
      /** Another cache in the location, which no process has open. */
      readonly kind: 'sibling';
      readonly directory: string;
      readonly bytes: number;
      readonly isRemoved: boolean;
    }
  | {
      /** The location, or another cache in it, could not be looked at. */
      readonly kind: 'siblings unknown';
      readonly directory: string;
      readonly reason: string;
    }
  | { readonly kind: 'limit'; readonly bytes: number; readonly reason: LimitReason };

export type OrphanReason = 'deleted' | 'unvisited';

export const UNVISITED_DAYS_MAX = 14;

/** Of the file system, where the operator sets nothing. */
const DEFAULT_SHARES: Readonly<Record<LocationKind, number>> = Object.freeze({
  volume: 0.95,
  emptyDir: 0.2,
  'node disk': 0.2,
  'root disk': 0.2,
  tmpfs: 0.5,
});

/** The kubelet watches the node's disks; a volume of its own fills without harm to others. */
export function limitSettings(
  settings: CacheSettings,
  location: CacheLocation | undefined,
  lines: readonly EvictionLine[],
): LimitSettings {
  const { absoluteBytes, share, emptyDirBytes, memoryBytes, marginBytes } = settings;
  const kind = location?.kind ?? 'node disk';
  const isSet = absoluteBytes !== undefined || share !== undefined;
  return {
    absoluteBytes,
    share: share ?? (isSet ? undefined : DEFAULT_SHARES[kind]),
    emptyDirBytes,
    memoryBytes: kind === 'tmpfs' ? memoryBytes : undefined,
    marginBytes,
    evictionLines: isWatched(location) ? lines : [],
  };
}

/** Whether the kubelet watches the disk there. */
export function isWatched(location: CacheLocation | undefined): boolean {
  return location?.kind !== 'volume' && location?.kind !== 'tmpfs';
}
