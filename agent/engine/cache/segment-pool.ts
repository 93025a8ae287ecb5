// The segments of one cache directory: finds room for entries in them, adds one where the ledger
// allows, and gives whole segments back when the limit falls. A segment is charged in full when it
// is made, so that writing entries, however they come and go, changes nothing of what the disk
// holds.

import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '#engine/base/errors.ts';
import { AlignedBuffers } from './aligned-buffers.ts';
import { LOCK_NAME } from './cache-directory.ts';
import { allocatedFor, NOTHING } from './foreign-files.ts';
import type { Amount, Ledger } from './ledger.ts';
import { NOTES_NAME } from './notes-file.ts';
import {
  createSegment,
  openSegment,
  type Segment,
  type SegmentPlace,
  type SegmentSpace,
} from './segment.ts';
import {
  BLOCK_BYTES,
  type ChecksumKind,
  SEGMENT_BYTES_MAX,
  SEGMENT_BYTES_MIN,
} from './segment-format.ts';

/** The directory, the lock file, the notes, and what a file system allocates with first inodes. */
export const BASE_CHARGE: Amount = Object.freeze({ bytes: 32 * BLOCK_BYTES, inodes: 4 });
/**
 * What a file system needs to know where the blocks of a segment are, as a part of it and at least.
 * Measured with each block an extent of its own: 7 KiB for 4 MiB on ext4, 10 KiB on xfs.
 */
const MAP_SHARE = 1 / 64;
const MAP_BYTES_MIN = 2 * BLOCK_BYTES;
/** A cache has some 64 segments, so that giving one back loses little. */
const SEGMENTS_WANTED = 64;
export const SEGMENTS_MAX = 32_768;
export const SEGMENT_NAME = /^segment-(\d{5})$/;

/** Charged with the directory. */
export const BASE_NAMES: ReadonlySet<string> = new Set([LOCK_NAME, NOTES_NAME]);

export interface DropListeners {
  readonly onDrop: (segment: Segment) => void;
  readonly onClosed: () => void;
}

export interface PoolPlace extends SegmentSpace {
  readonly segment: Segment;
}

/** What one segment takes of the disk at most. */
export function segmentCharge(bytes: number): Amount {
  return { bytes: bytes + Math.max(MAP_BYTES_MIN, bytes * MAP_SHARE), inodes: 1 };
}

/** A power of two, so that some 64 fit the limit. */
export function segmentBytesFor(limitBytes: number): number {
  const exact = 2 ** Math.floor(Math.log2(Math.max(1, limitBytes / SEGMENTS_WANTED)));
  return Math.min(SEGMENT_BYTES_MAX, Math.max(SEGMENT_BYTES_MIN, exact));
}

export class SegmentPool {
  readonly #directory: string;
  readonly #ledger: Ledger;
  readonly #checksum: ChecksumKind;
  readonly #buffers = new AlignedBuffers();
  readonly #segments: (Segment | undefined)[] = [];
  #growing: Promise<boolean> | undefined;
  /** Segments that are being given back, by index: their files may still be there. */
  readonly #leaving = new Map<number, Promise<void>>();
  /** Of those. */
  #leavingBytes = 0;
  #leavingInodes = 0;
  /** Of segments that have blocks and are not in the list: just made, or not emptied yet. */
  #unlistedBytes = 0;
  #foreign = NOTHING;
  #isClosed = false;

  constructor(directory: string, ledger: Ledger, checksum: ChecksumKind) {
    this.#directory = directory;
    this.#ledger = ledger;
    this.#checksum = checksum;
  }

  get(index: number): Segment {
    const segment = this.#segments[index];
    if (segment === undefined) throw new EngineError('INTERNAL', `there is no segment ${index}`);
    return segment;
  }

  /** What is allocated for segments, also for those that are being made or given back. */
  get bytes(): number {
    return [...this.all()].reduce((sum, segment) => sum + segment.bytes, this.#unlistedBytes);
  }

  *all(): Generator<Segment> {
    for (const segment of this.#segments) if (segment) yield segment;
  }

  /** What was in the directory and is none of ours; it is charged and stays. */
  get foreign(): Amount {
    return this.#foreign;
  }

  /**
   * Takes over the segments that are there. What has the name of a segment and is none is removed;
   * what has a name that we give to nothing is charged, since it takes room, and left.
   */
  async adopt(): Promise<void> {
    const foreign: string[] = [];
    const buffers = this.#buffers;
    for (const name of await readdir(this.#directory)) {
      const index = Number(SEGMENT_NAME.exec(name)?.[1] ?? Number.NaN);
      const path = join(this.#directory, name);
      const segment =
        index < SEGMENTS_MAX
          ? await openOrNot({ path, index, buffers }, this.#checksum)
          : undefined;
      if (segment === undefined) {
        const isGone = SEGMENT_NAME.test(name) && (await isUnlinked(path));
        if (!isGone && !BASE_NAMES.has(name)) foreign.push(name);
        continue;
      }
      this.#segments[index] = segment;
      this.#ledger.adopt(segmentCharge(segment.bytes));
    }
    this.#foreign = await allocatedFor(this.#directory, foreign);
    this.#ledger.adopt(this.#foreign);
  }

  /**
   * A run of at most `blockCount` blocks: one as long, or the longest of at least `leastBlocks`.
   */
  take(blockCount: number, leastBlocks: number): PoolPlace | undefined {
    for (const segment of this.all()) {
      const space = segment.takeWhole(blockCount);
      if (space) return { ...space, segment };
    }
    let longest: Segment | undefined;
    for (const segment of this.all()) {
      if (segment.longest > (longest?.longest ?? 0)) longest = segment;
    }
    if (longest === undefined || longest.longest < leastBlocks) return undefined;
    const space = longest.take(blockCount);
    return space && { ...space, segment: longest };
  }

  /**
   * One more segment, if the ledger has room for it; callers at the same time share one.
   * @throws the system's error when the disk refuses
   */
  async grow(): Promise<boolean> {
    this.#growing ??= this.#addSegment().finally(() => {
      this.#growing = undefined;
    });
    return this.#growing;
  }

  /**
   * Gives segments back, least valuable first, until no more than `limit` is used. They are off the
   * account when they are gone from the disk, of which `onClosed` tells.
   */
  shrinkTo(limit: Amount, { onDrop, onClosed }: DropListeners): void {
    for (;;) {
      const excess = this.#ledger.excessOver(limit);
      const isEnough = excess.bytes <= this.#leavingBytes && excess.inodes <= this.#leavingInodes;
      if (isEnough) return;
      let least: Segment | undefined;
      for (const segment of this.all()) {
        if (least === undefined || segment.value / segment.bytes < least.value / least.bytes) {
          least = segment;
        }
      }
      if (least === undefined) return;
      onDrop(least);
      this.#drop(least, onClosed);
    }
  }

  /** When nothing is being given back any more, or made. */
  async settled(): Promise<void> {
    // Whoever asked for one more is told of what went wrong.
    await this.#growing?.catch(() => undefined);
    await Promise.all(this.#leaving.values());
  }

  #drop(segment: Segment, onClosed: () => void): void {
    const { index, bytes } = segment;
    const charge = segmentCharge(bytes);
    this.#segments[index] = undefined;
    this.#leavingBytes += charge.bytes;
    this.#leavingInodes += charge.inodes;
    this.#unlistedBytes += bytes;
    const emptied = (): void => {
      this.#unlistedBytes -= bytes;
    };
    const left = segment.drop(emptied).then(() => {
      this.#leaving.delete(index);
      this.#leavingBytes -= charge.bytes;
      this.#leavingInodes -= charge.inodes;
      this.#ledger.giveBack(charge);
      if (!this.#isClosed) onClosed();
    });
    this.#leaving.set(index, left);
  }

  /** Leaves the files. */
  close(): void {
    this.#isClosed = true;
    this.#ledger.giveBack(this.#foreign);
    this.#foreign = NOTHING;
    for (const segment of this.all()) {
      this.#ledger.giveBack(segmentCharge(segment.bytes));
      segment.close();
    }
    this.#segments.length = 0;
  }

  async #addSegment(): Promise<boolean> {
    const index = this.#freeIndex();
    const bytes = segmentBytesFor(this.#ledger.limit.bytes);
    const charge = segmentCharge(bytes);
    const room = this.#ledger.tryReserve(charge.bytes, charge.inodes);
    if (index === undefined || room === undefined) {
      room?.release();
      return false;
    }
    const name = `segment-${String(index).padStart(5, '0')}`;
    const place = { path: join(this.#directory, name), index, buffers: this.#buffers };
    let unlistedBytes = 0;
    const onAllocated = (): void => {
      this.#unlistedBytes += bytes;
      unlistedBytes = bytes;
    };
    try {
      const segment = await createSegment(place, { bytes, checksum: this.#checksum, onAllocated });
      if (this.#isClosed) {
        await segment.drop();
        room.release();
        return false;
      }
      this.#segments[index] = segment;
      room.commit();
      return true;
    } catch (error) {
      room.release();
      throw error;
    } finally {
      this.#unlistedBytes -= unlistedBytes;
    }
  }

  #freeIndex(): number | undefined {
    for (let index = 0; index < SEGMENTS_MAX; index++) {
      if (this.#segments[index] === undefined && !this.#leaving.has(index)) return index;
    }
    return undefined;
  }
}

async function isUnlinked(path: string): Promise<boolean> {
  return unlink(path).then(
    () => true,
    () => false,
  );
}

async function openOrNot(
  place: SegmentPlace,
  checksum: ChecksumKind,
): Promise<Segment | undefined> {
  try {
    return await openSegment(place, checksum);
  } catch {
    // A link, a directory, a file that cannot be read: none of ours.
    return undefined;
  }
}
