// What a cache notes beside its segments, byte for byte: how long each repository was not visited,
// which was deleted, hits so far, why the limit fell. A file of fixed size with two slots that are
// written in turn, so that kill -9 at any write leaves one of them whole. A slot that is damaged,
// cut, or of another file is none.

import { crc32 } from 'node:zlib';
import type { RepositoryKey } from './blob-key.ts';
import { keyOfText, textOfKey } from './key-text.ts';
import { BLOCK_BYTES } from './segment-format.ts';

export const NOTES_BYTES = 64 * 1024;
export const SLOT_BYTES = NOTES_BYTES / 2;
const MAGIC = 0x53_56_4e_31;
const HEADER_BYTES = 32;
const TEXT_BYTES_MAX = SLOT_BYTES - HEADER_BYTES;
/** Of the text, for what is not about single repositories. */
const COMMON_BYTES_MAX = 1024;
const NAME_LENGTH_MAX = 512;
const WORD_LENGTH_MAX = 64;

/** When something was, by clocks that cannot all be wrong at once (repository-age.ts). */
export interface Moment {
  /** Milliseconds since 1970; may have stepped. */
  readonly wallMs: number;
  /** Of this start of the machine; '' where it is not known. */
  readonly bootId: string;
  /** Since that start. */
  readonly uptimeMs: number;
}

export interface RepositoryNote {
  readonly key: RepositoryKey;
  readonly name?: string;
  readonly unvisitedMs: number;
  readonly isDeleted: boolean;
}

/** All there was since the cache was made. */
export interface CacheTotals {
  readonly hits: number;
  readonly hitBytes: number;
  readonly misses: number;
  readonly missBytes: number;
}

/** The last time that the limit fell. */
export interface Shrink {
  readonly fromBytes: number;
  readonly toBytes: number;
  readonly reason: string;
  /** Milliseconds since 1970, for people. */
  readonly wallMs: number;
}

export interface CacheNotes {
  readonly at: Moment;
  readonly totals: CacheTotals;
  readonly limitBytes: number;
  readonly limitReason: string;
  readonly reservedBytes: number;
  readonly pinnedBytes: number;
  readonly lastShrink?: Shrink;
  /** As many as fit; for those beyond nothing is known but their entries. */
  readonly repositories: readonly RepositoryNote[];
}

export interface NotedSlot {
  /** The higher one is the newer one. */
  readonly sequence: number;
  readonly notes: CacheNotes;
}

/** @param inode of the file, so that one that was put there by somebody counts for nothing */
export function encodeNotes({ sequence, notes }: NotedSlot, inode: bigint): Buffer {
  const text = Buffer.from(notesText(notes));
  const blocks = Math.ceil((HEADER_BYTES + text.length) / BLOCK_BYTES);
  const slot = Buffer.alloc(blocks * BLOCK_BYTES);
  slot.writeUInt32LE(MAGIC, 0);
  slot.writeUInt32LE(text.length, 4);
  slot.writeDoubleLE(sequence, 8);
  slot.writeBigUInt64LE(BigInt.asUintN(64, inode), 16);
  slot.set(text, HEADER_BYTES);
  slot.writeUInt32LE(checkOf(slot, text.length), 24);
  return slot;
}

export function decodeNotes(slot: Buffer, inode: bigint): NotedSlot | undefined {
  if (slot.length < HEADER_BYTES || slot.readUInt32LE(0) !== MAGIC) return undefined;
  const length = slot.readUInt32LE(4);
  const isWhole =
    length <= slot.length - HEADER_BYTES &&
    slot.readUInt32LE(24) === checkOf(slot, length) &&
    slot.readBigUInt64LE(16) === BigInt.asUintN(64, inode);
  if (!isWhole) return undefined;
  const notes = parsedNotes(slot.toString('utf8', HEADER_BYTES, HEADER_BYTES + length));
  return notes && { sequence: amount(slot.readDoubleLE(8)), notes };
}

function checkOf(slot: Buffer, length: number): number {
  const text = slot.subarray(HEADER_BYTES, HEADER_BYTES + length);
  return crc32(text, crc32(slot.subarray(0, 24)));
}

/**
 * Where not all fit, those that were visited last are left out, for which no age is nearly the
 * right one; and names before ages.
 */
function notesText({ repositories, ...common }: CacheNotes): string {
  let room = TEXT_BYTES_MAX - COMMON_BYTES_MAX;
  const isFitting = (text: string): boolean => (room -= Buffer.byteLength(text) + 1) >= 0;
  const oldestFirst = repositories.toSorted(
    (a, b) => Number(b.isDeleted) - Number(a.isDeleted) || b.unvisitedMs - a.unvisitedMs,
  );
  const ages = oldestFirst
    .map(({ key, unvisitedMs, isDeleted }) => [
      textOfKey(key),
      Math.floor(unvisitedMs),
      isDeleted ? 1 : 0,
    ])
    .filter(row => isFitting(JSON.stringify(row)));
  const names = oldestFirst
    .flatMap(({ key, name }) =>
      name === undefined || name.length > NAME_LENGTH_MAX ? [] : [[textOfKey(key), name]],
    )
    .filter(row => isFitting(JSON.stringify(row)));
  return JSON.stringify({ ...common, ages, names });
}

function parsedNotes(text: string): CacheNotes | undefined {
  try {
    const found = record(JSON.parse(text));
    const at = record(found.at);
    const totals = record(found.totals);
    return {
      at: { wallMs: amount(at.wallMs), bootId: word(at.bootId), uptimeMs: amount(at.uptimeMs) },
      totals: {
        hits: amount(totals.hits),
        hitBytes: amount(totals.hitBytes),
        misses: amount(totals.misses),
        missBytes: amount(totals.missBytes),
      },
      limitBytes: amount(found.limitBytes),
      limitReason: word(found.limitReason),
      reservedBytes: amount(found.reservedBytes),
      pinnedBytes: amount(found.pinnedBytes),
      lastShrink: found.lastShrink === undefined ? undefined : parsedShrink(found.lastShrink),
      repositories: parsedRepositories(found.ages, found.names),
    };
  } catch {
    // Of another version of this program: as if there were none.
    return undefined;
  }
}

function parsedShrink(value: unknown): Shrink {
  const { fromBytes, toBytes, reason, wallMs } = record(value);
  return {
    fromBytes: amount(fromBytes),
    toBytes: amount(toBytes),
    reason: word(reason),
    wallMs: amount(wallMs),
  };
}

function parsedRepositories(ages: unknown, names: unknown): RepositoryNote[] {
  const known = new Map(list(names).map(row => [list(row)[0], list(row)[1]]));
  return list(ages).map(row => {
    const [text, unvisitedMs, isDeleted] = list(row);
    const name = known.get(text);
    return {
      key: keyOfText(word(text)),
      name: typeof name === 'string' ? name.slice(0, NAME_LENGTH_MAX) : undefined,
      unvisitedMs: amount(unvisitedMs),
      isDeleted: isDeleted === 1,
    };
  });
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new TypeError('no object');
  return Object.fromEntries(Object.entries(value));
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError('no list');
  return value;
}

function amount(value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw new TypeError('no amount');
}

function word(value: unknown): string {
  if (typeof value === 'string' && value.length <= WORD_LENGTH_MAX) return value;
  throw new TypeError('no word');
}
