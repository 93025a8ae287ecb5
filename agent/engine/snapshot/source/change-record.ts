// What tells a changed file where kopia's rule cannot: change time and inode, as they were when the
// file was stored. Kept beside the snapshot (docs/change-detection.md); one record a directory, in
// words of 32 bits: a header, then a stamp for each entry that is no directory, in stored order.

import type { SourceStat } from './source-stat.ts';

/** Version, count, two words of the directory's key, its own stamp, the digest of its entries. */
export const HEADER_WORDS = 12;
/** Seconds, nanoseconds with two more bits of seconds, two words of the inode. */
export const STAMP_WORDS = 4;
export const OWN_STAMP = 4;
const DIGEST = 8;
/** See entries-digest.ts. */
export const DIGEST_WORDS = 4;
/** Version 1 had no digest. A record of another version is as good as none. */
const VERSION = 2;
const NANOSECONDS = 1;
/** In place of nanoseconds. Nothing is known: attributes are looked at, content by kopia's rule. */
const UNKNOWN = 0xffff_ffff;
/** It could be written to once more without its times telling: it is read again. */
const RACY = 0xffff_fffe;
/**
 * Among nanoseconds: not all attributes could be had, so they are looked at again, whatever the
 * change time says; of the content it says as much as elsewhere. It stands for the second of the
 * more bits of seconds, which no file has before the year 2242. UNKNOWN and RACY have it anyway.
 */
const LOOK_AGAIN = 2;
const SECONDS_MAX = 2 ** 33;

/** The kernel takes times from a clock that ticks every 1 to 10 ms. */
const TICK_MS = 20;
/** Where there are no nanoseconds the file system may count in steps of two seconds (FAT). */
const COARSE_TICK_MS = 2000;

/** What is not to be believed: some network and FUSE file systems make it up. */
export interface ChangeRules {
  /** Read everything. */
  readonly forceHash: boolean;
  readonly ignoreCtime: boolean;
  readonly ignoreInode: boolean;
  /**
   * When the runs began that the backup goes on from, in milliseconds since 1970. Of a file that
   * has changed since nobody knows whether they read it before or after, so it is read again.
   */
  readonly resumedSinceMs?: number;
}

/** `unknown`: attributes are looked at, the content is old as far as kopia's rule goes. */
export const STATE = Object.freeze({ unknown: 0, same: 1, changed: 2 });

export interface DirectoryKey {
  readonly low: number;
  readonly high: number;
}

/** A number of 64 bits for the directory that `names` lead to (FNV-1a, twice). */
export function directoryKey(names: readonly Uint8Array[]): DirectoryKey {
  let low = 0x811c_9dc5;
  let high = 0x1000_0193;
  for (const name of names) {
    for (const byte of name) {
      low = Math.imul(low ^ byte, 0x0100_0193);
      high = Math.imul(high ^ byte, 0x0100_01b3) ^ (low >>> 15);
    }
    low = Math.imul(low ^ 0x2f, 0x0100_0193);
    high = Math.imul(high ^ 0x2f, 0x0100_01b3);
  }
  return { low: low >>> 0, high: high >>> 0 };
}

/** Stamps of entries, as they come. */
export class StampBuilder {
  count = 0;
  #words = new Uint32Array(64 * STAMP_WORDS);

  /** @param seenMs no later than when `stat` was taken and reading began; of Date.now() */
  add(stat: SourceStat, seenMs: number): void {
    putStamp(this.#nextWords(), (this.count - 1) * STAMP_WORDS, stat, seenMs);
  }

  /** One that says what it said before: what it stands for is taken over. */
  addAgain(words: Uint32Array, at: number): void {
    const own = this.#nextWords();
    const to = (this.count - 1) * STAMP_WORDS;
    for (let word = 0; word < STAMP_WORDS; word++) own[to + word] = words[at + word];
  }

  /** Something of which only the attributes count, and not all of them could be had. */
  addUnknown(): void {
    this.#nextWords()[(this.count - 1) * STAMP_WORDS + NANOSECONDS] = UNKNOWN;
  }

  /** Of the last one not all attributes could be had. */
  markLastToLookAgain(): void {
    this.#words[(this.count - 1) * STAMP_WORDS + NANOSECONDS] |= LOOK_AGAIN;
  }

  /** The last one is of something that was being written to. */
  markLastRacy(): void {
    markRacy(this.#words, this.count - 1);
  }

  /** A copy. */
  words(): Uint32Array<ArrayBuffer> {
    return this.#words.slice(0, this.count * STAMP_WORDS);
  }

  clear(): void {
    this.count = 0;
  }

  #nextWords(): Uint32Array {
    const needed = (this.count + 1) * STAMP_WORDS;
    if (needed > this.#words.length) {
      const grown = new Uint32Array(this.#words.length * 2);
      grown.set(this.#words);
      this.#words = grown;
    }
    for (let word = needed - STAMP_WORDS; word < needed; word++) this.#words[word] = 0;
    this.count++;
    return this.#words;
  }
}

/** Writes change time and inode of what `stat` describes to the STAMP_WORDS from words[at] on. */
export function putChange(words: Uint32Array, at: number, stat: SourceStat): void {
  words[at] = stat.ctimeSeconds >>> 0;
  words[at + NANOSECONDS] = changeNanoseconds(stat);
  words[at + 2] = stat.inodeLow;
  words[at + 3] = stat.inodeHigh;
}

/** Nanoseconds times four, and two more bits of the seconds. */
function changeNanoseconds({ ctimeSeconds, ctimeNanoseconds }: SourceStat): number {
  return ctimeNanoseconds * 4 + (Math.floor(ctimeSeconds / 0x1_0000_0000) & 3);
}

/** Writes the stamp of what `stat` describes to words[at]. */
export function putStamp(words: Uint32Array, at: number, stat: SourceStat, seenMs: number): void {
  const { ctimeSeconds } = stat;
  putChange(words, at, stat);
  if (ctimeSeconds < 0 || ctimeSeconds >= SECONDS_MAX) words[at + 1] = UNKNOWN;
  else if (hasChangedSince(stat, seenMs)) words[at + 1] = RACY;
}

/** Whether a change at `sinceMs` or later could have given it its change time. */
export function hasChangedSince(
  { ctimeSeconds, ctimeNanoseconds }: Pick<SourceStat, 'ctimeSeconds' | 'ctimeNanoseconds'>,
  sinceMs: number,
): boolean {
  const tickMs = ctimeNanoseconds === 0 ? COARSE_TICK_MS : TICK_MS;
  return ctimeSeconds * 1000 + ctimeNanoseconds / 1e6 > sinceMs - tickMs;
}

/** Of an entry that has no stamp, or one that says nothing. */
export function unknownState(
  stat: SourceStat,
  { ignoreCtime, resumedSinceMs }: ChangeRules,
): number {
  if (resumedSinceMs === undefined || ignoreCtime) return STATE.unknown;
  return hasChangedSince(stat, resumedSinceMs) ? STATE.changed : STATE.unknown;
}

/** Marks a stamp: what it stands for was being written to. */
export function markRacy(stamps: Uint32Array, index: number): void {
  stamps[index * STAMP_WORDS + NANOSECONDS] = RACY;
}

/** What the stamp at words[at] says of the entry that `stat` describes. */
export function stampState(
  words: Uint32Array,
  at: number,
  stat: SourceStat,
  rules: ChangeRules,
): number {
  const { ignoreCtime, ignoreInode } = rules;
  const nanoseconds = words[at + 1];
  if (nanoseconds === UNKNOWN) return unknownState(stat, rules);
  if (nanoseconds === RACY) return ignoreCtime ? STATE.unknown : STATE.changed;
  const time = (nanoseconds & ~LOOK_AGAIN) >>> 0;
  const isSameTime =
    ignoreCtime || (words[at] === stat.ctimeSeconds >>> 0 && time === changeNanoseconds(stat));
  const isSameInode =
    ignoreInode || (words[at + 2] === stat.inodeLow && words[at + 3] === stat.inodeHigh);
  if (!isSameTime || !isSameInode) return STATE.changed;
  return time === nanoseconds ? STATE.same : STATE.unknown;
}

/**
 * The record of a directory.
 * @param digest of the entries as they were stored, where there is one; it is left out where one of
 *   the stamps does not say for certain all of what it stands for
 */
export function makeRecord(
  key: DirectoryKey,
  own: Uint32Array,
  stamps: readonly Uint32Array[],
  digest?: Uint32Array,
): Uint32Array<ArrayBuffer> {
  const words = stamps.reduce((sum, { length }) => sum + length, HEADER_WORDS);
  const record = new Uint32Array(words);
  record[0] = VERSION;
  record[1] = (words - HEADER_WORDS) / STAMP_WORDS;
  record[2] = key.low;
  record[3] = key.high;
  record.set(own, OWN_STAMP);
  if (digest && stamps.every(areCertain)) record.set(digest, DIGEST);
  let at = HEADER_WORDS;
  for (const part of stamps) {
    record.set(part, at);
    at += part.length;
  }
  return record;
}

function areCertain(stamps: Uint32Array): boolean {
  for (let at = NANOSECONDS; at < stamps.length; at += STAMP_WORDS) {
    if ((stamps[at] & LOOK_AGAIN) !== 0) return false;
  }
  return true;
}

/** Whether a directory can be told by its digest under these rules. */
export function isDigestUsed({ forceHash, ignoreCtime, ignoreInode }: ChangeRules): boolean {
  return !forceHash && !ignoreCtime && !ignoreInode;
}

/** Whether what is known of a directory may be enough to say that nothing has changed. */
export function mayBeUnchanged(known: Uint32Array, rules: ChangeRules): boolean {
  return isDigestUsed(rules) && new KnownRecord(known).digest !== undefined;
}

/** A record as it was read, or nothing. */
export class KnownRecord {
  readonly words: Uint32Array;

  constructor(words: Uint32Array) {
    this.words = words;
  }

  /** -1 for one that a later version wrote. */
  get count(): number {
    return this.words[0] === VERSION ? this.words[1] : -1;
  }

  get key(): DirectoryKey {
    return { low: this.words[2], high: this.words[3] };
  }

  /** The stamp of the directory itself. */
  get own(): Uint32Array {
    return this.words.subarray(OWN_STAMP, OWN_STAMP + STAMP_WORDS);
  }

  /** Digest of the entries; undefined where there is none. */
  get digest(): Uint32Array | undefined {
    const words = this.words.subarray(DIGEST, DIGEST + DIGEST_WORDS);
    return words.some(word => word !== 0) ? words : undefined;
  }

  /** What is known of the directory itself. */
  ownState(stat: SourceStat, rules: ChangeRules): number {
    return stampState(this.words, OWN_STAMP, stat, rules);
  }

  /** Stamps of `count` entries from `index` on. */
  stamps(index: number, count: number): Uint32Array {
    const start = HEADER_WORDS + index * STAMP_WORDS;
    return this.words.subarray(start, start + count * STAMP_WORDS);
  }
}
