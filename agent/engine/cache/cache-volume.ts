// One cache directory that is in use: its segments, the table of what is in them, and the accounts.
// Bytes come in and go out here; when and whether they may is decided by the ledger and the
// evictor. When the directory is lost, the volume is thrown away as a whole and a new one is
// opened.

import { isEngineError } from '#engine/base/errors.ts';
import { Accounts, type RepositoryBounds } from './accounts.ts';
import type { BlobKey, RepositoryKey } from './blob-key.ts';
import type { Checksum } from './checksum.ts';
import { ENTRY_KINDS, EntryTable, NO_ENTRY, WINDOW_BYTES, windowOf } from './entry-table.ts';
import type { EvictionPolicy } from './eviction-policy.ts';
import { Evictor, type Newcomer } from './evictor.ts';
import { type KeptEntry, valueOf } from './kept-entry.ts';
import type { Amount, Ledger } from './ledger.ts';
import { OrphanRows } from './orphan-rows.ts';
import { checkOf, readChecked } from './pieces.ts';
import type { PlannedUses } from './planned-uses.ts';
import { recoverEntries } from './recover-entries.ts';
import type { Segment } from './segment.ts';
import { BLOCK_BYTES, encodeRow, REMOVED_ROW } from './segment-format.ts';
import { type PoolPlace, SegmentPool } from './segment-pool.ts';

export interface VolumeParts {
  readonly ledger: Ledger;
  readonly checksum: Checksum;
  readonly plans: PlannedUses;
  readonly newPolicy: (table: EntryTable) => EvictionPolicy;
  /** Told of what went; a small set of causes, fit for a label. */
  readonly onEvicted?: (cause: EvictionCause, bytes: number) => void;
}

export type EvictionCause = 'room' | 'orphan' | 'limit' | 'damage' | 'deleted';

/** What is to be kept: a stretch of a blob. */
export interface Stretch {
  readonly key: BlobKey;
  readonly repository: number;
  /** Index into ENTRY_KINDS. */
  readonly kind: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** Whether the blob ends where the stretch ends. */
  readonly isEnd: boolean;
  /** Asked before it becomes visible: whether it is still wanted. */
  readonly isWanted?: () => boolean;
}

/** An entry is not cut shorter than this, as long as a few evictions make the room. */
const LEAST_BLOCKS = 16;
const EVICTIONS_MAX = 64;
const ENTRY_BYTES_MAX = 2 ** 32 - 1;

export class CacheVolume {
  readonly directory: string;
  readonly table = new EntryTable();
  readonly accounts = new Accounts();
  readonly #parts: VolumeParts;
  readonly #pool: SegmentPool;
  readonly #policies: readonly EvictionPolicy[];
  readonly #evictor: Evictor;
  readonly #orphans = new OrphanRows(this.table, this.accounts);
  /** Rows that were removed while somebody read them. */
  readonly #zombies = new Map<number, PoolPlace>();
  #sequence = 1;
  #limit: Amount = { bytes: 0, inodes: 0 };
  #isClosed = false;
  #isGrowing = true;

  private constructor(directory: string, parts: VolumeParts) {
    this.directory = directory;
    this.#parts = parts;
    this.#pool = new SegmentPool(directory, parts.ledger, parts.checksum.kind);
    this.#policies = ENTRY_KINDS.map(() => parts.newPolicy(this.table));
    const { table, accounts } = this;
    this.#evictor = new Evictor({ table, accounts, plans: parts.plans, policies: this.#policies });
  }

  /** With the segments that are there on the ledger, and none of their entries known yet. */
  static async open(directory: string, parts: VolumeParts): Promise<CacheVolume> {
    const volume = new CacheVolume(directory, parts);
    await volume.#pool.adopt();
    return volume;
  }

  /** Makes what earlier runs have left known again. Others may read and store meanwhile. */
  async recover(signal?: AbortSignal): Promise<void> {
    const segments = [...this.#pool.all()];
    const { table, accounts } = this;
    const onSequence = (sequence: number): void => {
      this.#sequence = Math.max(this.#sequence, sequence + 1);
    };
    const publish = this.#publishFound.bind(this);
    const isClosed = (): boolean => this.#isClosed;
    await recoverEntries(segments, { table, accounts, isClosed, onSequence, publish }, signal);
  }

  /** The number under which a repository stands in this volume; it is no orphan from now on. */
  visit(
    key: RepositoryKey,
    { name, bounds = {} }: { readonly name: string; readonly bounds?: RepositoryBounds },
  ): number {
    const index = this.accounts.indexOf(key);
    this.accounts.visit(index, name, bounds);
    return index;
  }

  /** Bytes of the segments, without what the file system needs for them. */
  segmentBytes(): number {
    return this.#pool.bytes;
  }

  foreignBytes(): number {
    return this.#pool.foreign.bytes;
  }

  /** The disk is full, whatever the ledger says. */
  pauseGrowth(): void {
    this.#isGrowing = false;
  }

  resumeGrowth(): void {
    this.#isGrowing = true;
  }

  /** Bytes of an entry into `target`, which is as long; false for one that is damaged or gone. */
  async read(row: number, key: BlobKey, target: Uint8Array): Promise<boolean> {
    const { columns } = this.table;
    const segment = this.#pool.get(columns.segment[row]);
    const check = { a: columns.checkA[row], b: columns.checkB[row] };
    const offset = columns.offset[row];
    const block = columns.block[row];
    // More readers than fit the column: the one too many does without.
    if (columns.readers[row] === 255) return false;
    columns.readers[row]++;
    this.#policies[columns.kind[row]].used(row);
    try {
      const reader = segment.reader(block);
      const found = await readChecked(this.#parts.checksum, { key, offset }, target, reader);
      const isSound = found !== undefined && found.a === check.a && found.b === check.b;
      if (!isSound && this.#isThere(row)) this.remove(row, 'damage');
      return isSound;
    } catch (error) {
      if (isEngineError(error, 'ABORTED')) return false;
      // Whatever the disk has there, nobody asks for it a second time.
      if (this.#isThere(row)) this.remove(row, 'damage');
      throw error;
    } finally {
      this.#endRead(row);
    }
  }

  /**
   * Keeps as much of a stretch as there is room for, in entries of its own.
   * @returns how many bytes
   * @throws the system's error when the disk refuses
   */
  async store(stretch: Stretch): Promise<number> {
    const { offset, bytes } = stretch;
    let stored = 0;
    for (let at = 0; at < bytes.length;) {
      const windowEnd = (windowOf(offset + at) + 1) * WINDOW_BYTES;
      const wanted = Math.min(bytes.length - at, windowEnd - (offset + at));
      const length = await this.#storePiece(stretch, at, wanted);
      if (length === 0) break;
      stored += length;
      at += length;
    }
    return stored;
  }

  remove(row: number, cause: EvictionCause): void {
    const { columns } = this.table;
    const place = this.#placeOf(row);
    this.#parts.onEvicted?.(cause, columns.length[row]);
    this.#forget(row, place.segment);
    if (columns.readers[row] > 0) this.#zombies.set(row, place);
    else this.#bury(row, place);
  }

  /** Removes all of a blob, now and for those who open the directory later. */
  async removeBlob(key: BlobKey, cause: EvictionCause): Promise<void> {
    const rows = [...this.table.ofBlob(key)];
    const places = rows.map(row => this.#placeOf(row));
    for (const row of rows) this.remove(row, cause);
    const writes = places.map(({ segment, slot }) => segment.writeRow(slot, REMOVED_ROW));
    await Promise.allSettled(writes);
  }

  /**
   * Removes some of what orphans have, now and for those who open the directory later.
   * @returns how many entries; 0 when there is nothing more that could go now
   */
  async purge(): Promise<number> {
    const rows = this.#orphans.next();
    const writes = rows.map(async row => {
      const { segment, slot } = this.#placeOf(row);
      // Like a reader: its row on disk is nobody else's until that is written.
      this.table.columns.readers[row]++;
      this.remove(row, 'orphan');
      await segment.writeRow(slot, REMOVED_ROW).finally(() => this.#endRead(row));
    });
    await Promise.allSettled(writes);
    return rows.length;
  }

  /** When what had to go for the limit is gone from the disk. */
  async settled(): Promise<void> {
    await this.#pool.settled();
  }

  /** Makes the limit hold from now on, at the price of entries. */
  setLimit(limit: Amount): void {
    this.#limit = limit;
    this.#pool.shrinkTo(limit, {
      onDrop: segment => this.#forgetSegment(segment),
      // That may be long after, when another limit holds.
      onClosed: () => this.#parts.ledger.setLimit(this.#limit),
    });
    this.#parts.ledger.setLimit(limit);
  }

  /** Whether the files are still those that were opened. */
  isInPlace(): boolean {
    return [...this.#pool.all()].every(segment => segment.isInPlace());
  }

  /** Leaves everything on disk as it is. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#pool.close();
  }

  async #storePiece(stretch: Stretch, at: number, wanted: number): Promise<number> {
    const { key, repository, kind, bytes } = stretch;
    const offset = stretch.offset + at;
    if (this.#isClosed || offset + wanted > ENTRY_BYTES_MAX) return 0;
    const { plans, ledger } = this.#parts;
    const window = windowOf(offset);
    const distance = plans.distance(key, window);
    // By the time that somebody asks for it again, all of the cache would have been something else.
    const limitBytes = ledger.limit.bytes;
    const isPassing = kind === 0 && plans.isPassing(key, window, limitBytes);
    const newcomer = { repository, kind, bytes: wanted, distance, isPassing, limitBytes };
    const place = await this.#place(newcomer);
    if (place === undefined) return 0;
    const length = Math.min(wanted, place.run.length * BLOCK_BYTES);
    const piece = bytes.subarray(at, at + length);
    const check = checkOf(this.#parts.checksum, { key, offset }, piece);
    const isLast = stretch.isEnd && at + length === bytes.length;
    const entry = { key, offset, length, check, repository, kind, isLast };
    try {
      await this.#write(place, piece, entry);
    } catch (error) {
      this.#giveUnlessDropped(place);
      throw error;
    } finally {
      this.accounts.get(repository).storingBytes -= wanted;
    }
    const isKept =
      !this.#isClosed &&
      !place.segment.isDropped &&
      (stretch.isWanted?.() ?? true) &&
      this.#isNew(key, offset, length);
    if (isKept) this.#publish(place, entry);
    else this.#giveUnlessDropped(place);
    return length;
  }

  /** Bytes and row at once: a row whose bytes did not arrive has a checksum that does not fit. */
  async #write(place: PoolPlace, piece: Uint8Array, entry: KeptEntry): Promise<void> {
    const { key, offset, length, check, kind, isLast } = entry;
    const repository = this.accounts.get(entry.repository).key;
    const row = encodeRow({
      keyA: key.a,
      keyB: key.b,
      repositoryA: repository.a,
      repositoryB: repository.b,
      offset,
      length,
      block: place.run.start,
      checkA: check.a,
      checkB: check.b,
      sequence: this.#sequence++,
      kind,
      isLast,
    });
    const { segment, run, slot } = place;
    const writes = [segment.writeBlocks(run.start, piece), segment.writeRow(slot, row)];
    const failed = (await Promise.allSettled(writes)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  /** Room for an entry: what is free, one more segment, or what has to go for it. */
  async #place(newcomer: Newcomer): Promise<PoolPlace | undefined> {
    const blocks = Math.ceil(newcomer.bytes / BLOCK_BYTES);
    let least = Math.min(blocks, LEAST_BLOCKS);
    for (let evictions = 0; evictions < EVICTIONS_MAX;) {
      if (!this.accounts.isWithinCeiling(newcomer.repository, newcomer.bytes)) return undefined;
      const isAtCeiling = this.accounts.isAtCeiling(newcomer.repository, newcomer.bytes);
      const place = isAtCeiling ? undefined : this.#pool.take(blocks, least);
      if (place) {
        this.accounts.get(newcomer.repository).storingBytes += newcomer.bytes;
        return place;
      }
      if (!isAtCeiling && (await this.#grow())) continue;
      if (this.#isClosed) return undefined;
      if ((await this.purge()) > 0) continue;
      const row = this.#evictor.victim(newcomer);
      if (row === NO_ENTRY) return undefined;
      this.remove(row, 'room');
      if (++evictions % LEAST_BLOCKS === 0) least = Math.ceil(least / 2);
    }
    return undefined;
  }

  async #grow(): Promise<boolean> {
    return this.#isGrowing && (await this.#pool.grow());
  }

  #publish(place: PoolPlace, entry: KeptEntry): void {
    const { segment, run, slot } = place;
    const row = this.table.prepare({ ...entry, segment: segment.index, slot, block: run.start });
    this.#publishRow(segment, row);
  }

  #publishFound(segment: Segment, row: number): void {
    const { keyA, keyB, offset, length } = this.table.columns;
    const key = { a: keyA[row], b: keyB[row] };
    if (this.#isNew(key, offset[row], length[row])) this.#publishRow(segment, row);
    else this.#bury(row, this.#placeOf(row));
  }

  #publishRow(segment: Segment, row: number): void {
    const { keyA, keyB, offset, length, kind, slot, repository } = this.table.columns;
    this.table.publish(row);
    segment.entryOfSlot[slot[row]] = row;
    segment.value += valueOf(kind[row], length[row]);
    this.accounts.add(repository[row], kind[row], length[row]);
    this.#policies[kind[row]].added(row);
    this.#parts.plans.stored({ a: keyA[row], b: keyB[row] }, windowOf(offset[row]));
  }

  /** Takes an entry off all books but the map of its segment. */
  #forget(row: number, segment: Segment): void {
    const { kind, length, repository } = this.table.columns;
    this.#policies[kind[row]].removed(row);
    this.accounts.remove(repository[row], kind[row], length[row]);
    segment.value -= valueOf(kind[row], length[row]);
    this.table.remove(row);
  }

  #forgetSegment(segment: Segment): void {
    for (const row of segment.entryOfSlot) {
      if (row === NO_ENTRY || !this.#isThere(row)) continue;
      const place = this.#placeOf(row);
      this.#parts.onEvicted?.('limit', this.table.columns.length[row]);
      this.#forget(row, segment);
      if (this.table.columns.readers[row] > 0) this.#zombies.set(row, place);
      else this.table.recycle(row);
    }
  }

  #endRead(row: number): void {
    const { readers } = this.table.columns;
    readers[row]--;
    const place = this.#zombies.get(row);
    if (place === undefined || readers[row] > 0) return;
    this.#zombies.delete(row);
    this.#bury(row, place);
  }

  #bury(row: number, place: PoolPlace): void {
    this.#giveUnlessDropped(place);
    this.table.recycle(row);
  }

  #giveUnlessDropped(place: PoolPlace): void {
    if (!place.segment.isDropped) place.segment.give(place);
  }

  #isThere(row: number): boolean {
    return this.table.isUsed(row) && !this.#zombies.has(row);
  }

  #placeOf(row: number): PoolPlace {
    const { segment, block, length, slot } = this.table.columns;
    const run = { start: block[row], length: Math.ceil(length[row] / BLOCK_BYTES) };
    return { segment: this.#pool.get(segment[row]), run, slot: slot[row] };
  }

  /** Whether no entry has any of these bytes. */
  #isNew(key: Pick<BlobKey, 'a' | 'b'>, offset: number, length: number): boolean {
    const { offset: offsets, length: lengths } = this.table.columns;
    for (const row of this.table.inWindow(key, windowOf(offset))) {
      if (offsets[row] < offset + length && offset < offsets[row] + lengths[row]) return false;
    }
    return true;
  }
}
