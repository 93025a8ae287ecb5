// Which index blobs make up the index, where the epoch manager is on (kopia internal/epoch).
//
// Writers add xn blobs to the current epoch. Maintenance begins new epochs (xe), merges epochs that
// nobody can be writing to any more (xs, and ranges of them in xr) and deletes what it merged. What
// is read is the longest chain of ranges, then every epoch behind it up to one after the current.
// Where kopia trusts the first complete xs set of an epoch we read all of them, and the xn blobs
// that are left: merging more is never wrong, and before kopia 0.23.1 a set could lack entries
// (kopia-format.md 6.6 and 12.8).

import { EngineError } from '#engine/base/errors.ts';
import { indexBlobSetOf, parseEpochBlobId } from './blob-names.ts';

/** An epoch this far behind the current one gets no more writes. */
const UNSETTLED_EPOCHS = 2;
/** Of epochs that are neither compacted nor covered; kopia compacts after 2. */
const EPOCHS_TO_READ_MAX = 100_000;

/** What listing says about a blob; the storage's BlobMetadata fits. */
export interface ListedBlob {
  readonly id: string;
  readonly bytes: number;
  /** Milliseconds since 1970 by the storage's clock. */
  readonly modifiedMs: number;
}

export interface RangeCheckpoint<Blob extends ListedBlob = ListedBlob> {
  readonly first: number;
  readonly last: number;
  readonly blobs: readonly Blob[];
}

export interface EpochState<Blob extends ListedBlob = ListedBlob> {
  /** Where writers add index blobs; 0 in a new repository. */
  readonly writeEpoch: number;
  /** Entries deleted at or before this time (seconds since 1970) are gone; undefined: none are. */
  readonly watermarkSeconds: number | undefined;
  /** A chain from epoch 0 without gaps. */
  readonly ranges: readonly RangeCheckpoint<Blob>[];
  /** Blobs of complete compactions, by epoch. */
  readonly singles: ReadonlyMap<number, readonly Blob[]>;
  /** Blobs of writers that were in the listing, by epoch. */
  readonly uncompacted: ReadonlyMap<number, readonly Blob[]>;
}

/** Reads the state off a listing of all blobs that begin with x. Unknown names are ignored. */
export function epochState<Blob extends ListedBlob>(listing: Iterable<Blob>): EpochState<Blob> {
  let writeEpoch = 0;
  let watermarkSeconds: number | undefined;
  const uncompacted = new Map<number, Blob[]>();
  const singles = new Map<number, Blob[]>();
  const ranges = new Map<string, RangeCheckpoint<Blob> & { blobs: Blob[] }>();
  for (const blob of listing) {
    const name = parseEpochBlobId(blob.id);
    switch (name?.kind) {
      case 'marker':
        writeEpoch = Math.max(writeEpoch, name.epoch);
        break;
      case 'watermark':
        watermarkSeconds = Math.max(watermarkSeconds ?? 0, name.seconds);
        break;
      case 'uncompacted':
        append(uncompacted, name.epoch, blob);
        break;
      case 'single':
        append(singles, name.epoch, blob);
        break;
      case 'range': {
        const key = `${name.first}_${name.last}`;
        const range = ranges.get(key) ?? { first: name.first, last: name.last, blobs: [] };
        range.blobs.push(blob);
        ranges.set(key, range);
        break;
      }
      case undefined:
        break;
    }
  }
  const completeRanges = [...ranges.values()]
    .map(range => ({ ...range, blobs: completeSets(range.blobs) }))
    .filter(range => range.blobs.length > 0);
  const completeSingles = [...singles]
    .map(([epoch, blobs]): [number, Blob[]] => [epoch, completeSets(blobs)])
    .filter(([, blobs]) => blobs.length > 0);
  return {
    writeEpoch,
    watermarkSeconds,
    ranges: longestChain(completeRanges),
    singles: new Map(completeSingles),
    uncompacted,
  };
}

/** Whether an epoch gets no more writes. */
export function isSettled(state: EpochState, epoch: number): boolean {
  return epoch <= state.writeEpoch - UNSETTLED_EPOCHS;
}

/** The first epoch that no range covers. */
export function firstUncoveredEpoch(state: EpochState): number {
  const last = state.ranges.at(-1);
  return last === undefined ? 0 : last.last + 1;
}

/**
 * The blobs whose entries, merged, are the index. The state must come from a listing that was
 * complete, and no older than the repository's refresh frequency when the last of them is fetched;
 * a blob that is missing then means that the listing has to be repeated.
 * @throws LIMIT_EXCEEDED when an absurd number of epochs would have to be looked at
 */
export function selectIndexBlobs<Blob extends ListedBlob>(state: EpochState<Blob>): Blob[] {
  const first = firstUncoveredEpoch(state);
  // A slow writer, or one that saw an advance we did not, may have used the epoch after.
  const last = state.writeEpoch + 1;
  if (last - first > EPOCHS_TO_READ_MAX) {
    throw new EngineError(
      'LIMIT_EXCEEDED',
      `cannot read the index: ${last - first} epochs have not been compacted, at most ` +
        `${EPOCHS_TO_READ_MAX} can be; check the blobs that begin with xe`,
    );
  }
  const selected = state.ranges.flatMap(range => range.blobs);
  for (let epoch = first; epoch <= last; epoch++) {
    if (isSettled(state, epoch)) selected.push(...(state.singles.get(epoch) ?? []));
    selected.push(...(state.uncompacted.get(epoch) ?? []));
  }
  return selected;
}

/**
 * Whether a view of the epochs that was begun at `readAtMs` is young enough to write an index blob
 * by: kopia begins a write with three quarters of the refresh frequency left.
 */
export function mayWriteByEpochState(
  readAtMs: number,
  nowMs: number,
  refreshFrequencyNs: bigint,
): boolean {
  return nowMs - readAtMs <= Number(refreshFrequencyNs) / 1e6 / 4;
}

/** Whether such a view may still be read by, and an index blob's put still begin. */
export function isEpochStateValid(
  readAtMs: number,
  nowMs: number,
  refreshFrequencyNs: bigint,
): boolean {
  return nowMs - readAtMs < Number(refreshFrequencyNs) / 1e6;
}

/**
 * Whether an index blob written to `epoch` may be lost, going by the epoch that was current after
 * the put: it may have been compacted without the blob. It must be written again to the new epoch.
 */
export function wasIndexWriteTooSlow(epoch: number, writeEpochAfterPut: number): boolean {
  return writeEpochAfterPut >= epoch + UNSETTLED_EPOCHS;
}

/** Blobs of sets that are complete, and blobs whose names have no set. */
function completeSets<Blob extends ListedBlob>(blobs: readonly Blob[]): Blob[] {
  const sizes = new Map<string, number>();
  for (const { id } of blobs) {
    const set = indexBlobSetOf(id);
    if (set !== undefined) sizes.set(set.setId, (sizes.get(set.setId) ?? 0) + 1);
  }
  return blobs.filter(({ id }) => {
    const set = indexBlobSetOf(id);
    return set === undefined || (sizes.get(set.setId) ?? 0) >= set.count;
  });
}

/** A range and what follows it. Chains share their ends: each start has one link of its own. */
interface Link<Blob extends ListedBlob> {
  readonly range: RangeCheckpoint<Blob>;
  readonly next: Link<Blob> | undefined;
  /** The last epoch of the chain. */
  readonly reach: number;
  readonly length: number;
}

/** Ranges from epoch 0 on, each beginning where the one before ends, that reach farthest. */
function longestChain<Blob extends ListedBlob>(
  ranges: readonly RangeCheckpoint<Blob>[],
): RangeCheckpoint<Blob>[] {
  // From the highest start down, so that what follows a range is known before the range is met.
  const links = new Map<number, Link<Blob>>();
  for (const range of [...ranges].sort((a, b) => b.first - a.first || a.last - b.last)) {
    const next = links.get(range.last + 1);
    const reach = next?.reach ?? range.last;
    const length = 1 + (next?.length ?? 0);
    const best = links.get(range.first);
    const gain = reach - (best?.reach ?? -1);
    if (gain > 0 || (gain === 0 && length < (best?.length ?? 0))) {
      links.set(range.first, { range, next, reach, length });
    }
  }
  const chain: RangeCheckpoint<Blob>[] = [];
  for (let link = links.get(0); link; link = link.next) chain.push(link.range);
  return chain;
}

function append<Blob>(map: Map<number, Blob[]>, epoch: number, blob: Blob): void {
  const blobs = map.get(epoch);
  if (blobs === undefined) map.set(epoch, [blob]);
  else blobs.push(blob);
}
