// The cache as one open repository sees it: its own entries, its own bounds, never another's.

import { unfilledBytes } from '#engine/base/bytes.ts';
import { EngineError, systemCodeOf } from '#engine/base/errors.ts';
import { type BlobKey, blobKey, repositoryKey } from './blob-key.ts';
import type { Cache } from './cache.ts';
import type { CacheShare } from './cache-settings.ts';
import type { CacheVolume, Stretch } from './cache-volume.ts';
import type { Span } from './coverage.ts';
import { ENTRY_KINDS, type EntryTable, windowOf } from './entry-table.ts';
import type { Flights } from './flights.ts';
import type { HotRanges } from './hot-ranges.ts';
import { Plan, type PlannedRange } from './plan.ts';
import type { HasEntries } from './planned-uses.ts';

export interface CacheRepositoryOptions {
  /** Under which its blobs are found; a secret of those who can open it (blob-key.ts). */
  readonly identity: string;
  /** Where it is: what its account goes by, and what people are shown. */
  readonly name: string;
  readonly share?: CacheShare;
  /** False for one that is too small to be worth it: then only index and metadata are kept. */
  readonly keepsData?: () => boolean;
}

export interface PlannedRead {
  readonly blobId: string;
  readonly offset: number;
  readonly length: number;
}

/** Of one that reads what it said. Ends when it is disposed of. */
export interface PlannedReads extends Disposable {
  /** Told of each read when it begins. */
  readonly reading: (read: PlannedRead) => void;
}

/** Bytes that are being stored at a time; what comes beyond that is served and not kept. */
export const STORING_BYTES_MAX = 64 * 1024 * 1024;

const DATA = ENTRY_KINDS.indexOf('data');

export class CacheRepository {
  readonly identity: string;
  readonly flights: Flights;
  readonly hot: HotRanges;
  readonly #cache: Cache;
  readonly #options: CacheRepositoryOptions;
  #visited: { readonly volume: CacheVolume; readonly index: number } | undefined;
  /** Of restores that are too small for their data to be kept. */
  readonly #smallPlans = new Set<Plan>();
  #storingBytes = 0;

  constructor(cache: Cache, options: CacheRepositoryOptions) {
    requireShare(options.share ?? {});
    this.#cache = cache;
    this.#options = options;
    this.identity = options.identity;
    const { flights, hot } = cache.sharedReads(options.identity);
    this.flights = flights;
    this.hot = hot;
  }

  /** Whether blobs of this kind are kept. */
  keeps(kind: number): boolean {
    return kind > DATA || (this.#options.keepsData?.() ?? true);
  }

  /** What is in the cache; undefined while there is none. */
  table(): EntryTable | undefined {
    return this.#visit(this.#cache.volumeInPlace())?.volume.table;
  }

  /** What somebody will read, in this order, until it is disposed of. */
  plan(reads: readonly PlannedRead[]): PlannedReads {
    const rangeOf = ({ blobId, offset, length }: PlannedRead): PlannedRange => ({
      key: blobKey(this.identity, blobId),
      offset,
      length,
    });
    const plan = new Plan(reads.map(rangeOf));
    const { plans } = this.#cache;
    if (plan.bytes < (this.#options.share?.dataBytesMin ?? 0)) {
      this.#smallPlans.add(plan);
      const end = (): void => void this.#smallPlans.delete(plan);
      return { reading: () => undefined, [Symbol.dispose]: end };
    }
    const table = this.table();
    const hasEntries: HasEntries = (key, window) =>
      table?.inWindow(key, window).next().done === false;
    const running = plans.begin(plan, hasEntries);
    const reading = (read: PlannedRead): void => plans.read(plan, rangeOf(read));
    return { reading, [Symbol.dispose]: () => running[Symbol.dispose]() };
  }

  /** The bytes of `span` from the entry in `row`; false where they cannot be had. */
  async read(row: number, key: BlobKey, span: Span, target: Uint8Array): Promise<boolean> {
    const volume = this.#visited?.volume;
    if (volume === undefined || volume !== this.#cache.volume) return false;
    const { offset, length } = volume.table.columns;
    const start = span.from - offset[row];
    const isWhole = start === 0 && span.to - span.from === length[row];
    const bytes = isWhole ? target : unfilledBytes(length[row]);
    try {
      if (!(await volume.read(row, key, bytes))) return false;
    } catch (error) {
      this.#cache.diskFailed(error);
      return false;
    }
    if (!isWhole) target.set(bytes.subarray(start, start + target.length));
    this.#cache.statistics.hits++;
    this.#cache.statistics.hitBytes += target.length;
    return true;
  }

  /** Keeps what there is room for. Never fails. */
  async store(stretch: Omit<Stretch, 'repository'>): Promise<void> {
    const visited = this.#visit(this.#cache.volumeInPlace());
    const { statistics } = this.#cache;
    const { length } = stretch.bytes;
    if (visited === undefined || this.#isOfSmallPlan(stretch)) return;
    if (this.#storingBytes + length > STORING_BYTES_MAX) {
      statistics.refusals++;
      return;
    }
    this.#storingBytes += length;
    try {
      const stored = await visited.volume.store({ ...stretch, repository: visited.index });
      statistics.storedBytes += stored;
      if (stored < length) statistics.refusals++;
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
      this.#cache.diskFailed(error);
    } finally {
      this.#storingBytes -= length;
    }
  }

  async removeBlob(id: string, cause: 'deleted' | 'damage'): Promise<void> {
    this.hot.forget(id);
    await this.#cache.volume?.removeBlob(blobKey(this.identity, id), cause);
  }

  noteHit(bytes: number): void {
    this.#visit(this.#cache.volume);
    this.#cache.statistics.hits++;
    this.#cache.statistics.hitBytes += bytes;
  }

  noteMiss(bytes: number): void {
    this.#cache.statistics.misses++;
    this.#cache.statistics.missBytes += bytes;
  }

  #isOfSmallPlan({ kind, key, offset }: Omit<Stretch, 'repository'>): boolean {
    if (kind !== DATA) return false;
    for (const plan of this.#smallPlans)
      if (plan.stepOf(key, windowOf(offset)) !== undefined) return true;
    return false;
  }

  #visit(
    volume: CacheVolume | undefined,
  ): { readonly volume: CacheVolume; readonly index: number } | undefined {
    if (volume === undefined) return undefined;
    if (this.#visited?.volume !== volume) {
      const { name, share: bounds } = this.#options;
      const index = volume.visit(repositoryKey(name), { name, bounds });
      this.#visited = { volume, index };
    }
    volume.accounts.touch(this.#visited.index);
    return this.#visited;
  }
}

/** @throws USAGE */
function requireShare({ floorBytes = 0, ceilingBytes, dataBytesMin = 0 }: CacheShare): void {
  const isRight = floorBytes >= 0 && dataBytesMin >= 0 && (ceilingBytes ?? 0) >= 0;
  if (isRight && floorBytes <= (ceilingBytes ?? floorBytes)) return;
  throw new EngineError(
    'USAGE',
    `a floor of ${floorBytes} and a ceiling of ${ceilingBytes} bytes, and data from ` +
      `${dataBytesMin} on, are no share of a cache; give none below 0, and no floor above the ` +
      'ceiling',
  );
}
