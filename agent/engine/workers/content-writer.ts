// One content on its way into the repository: hash, look up, compress, seal, pack. Lives in a
// worker thread; all workers of a run share the committed index and the set of contents claimed so
// far, so a content that two of them meet at the same time is stored once.

import { allocateArena, type Arena } from '#engine/base/arena.ts';
import { NONCE_BYTES, type Region, TAG_BYTES } from '#engine/cipher/content-cipher.ts';
import { compressRegion } from '#engine/compress/compress-region.ts';
import type { Compressor } from '#engine/compress/compressors.ts';
import type { ContentHash } from '#engine/hash/content-hash.ts';
import { TIMESTAMP_MAX } from '#engine/index/entry.ts';
import type { PendingContents } from '#engine/index/pending.ts';
import type { IndexView } from '#engine/index/view.ts';
import { COUNTER } from './run-control.ts';
import type { PackKind } from './pack-tickets.ts';
import type { PackWriter } from './pack-writer.ts';

/** What is known of the contents, besides what this worker is writing. Replaced at each flush. */
export interface KnownContents {
  readonly index: IndexView;
  readonly pending: PendingContents;
}

export interface ContentWriterParts {
  readonly hash: ContentHash;
  readonly packs: PackWriter;
  readonly known: KnownContents;
  readonly counters: Float64Array;
  readonly nowSeconds: () => number;
}

const IV_BYTES = 16;

export class ContentWriter {
  /** Prefix byte and hash of the content written last; overwritten by the next one. */
  readonly key: Uint8Array;
  readonly #iv: Uint8Array;
  readonly #hash: ContentHash;
  readonly #packs: PackWriter;
  readonly #counters: Float64Array;
  readonly #nowSeconds: () => number;
  #known: KnownContents;
  #scratch: Arena | undefined;

  constructor({ hash, packs, known, counters, nowSeconds }: ContentWriterParts) {
    this.#hash = hash;
    this.#packs = packs;
    this.#known = known;
    this.#counters = counters;
    this.#nowSeconds = nowSeconds;
    this.key = new Uint8Array(1 + hash.digestBytes);
    this.#iv = this.key.subarray(1 + hash.digestBytes - IV_BYTES);
  }

  /** Takes effect from the next content on. */
  adopt(known: KnownContents): void {
    this.#known = known;
  }

  /**
   * Stores `length` bytes at `plaintext` unless the repository has them. Afterwards `this.key`
   * names them. The plaintext may be overwritten, and so may NONCE_BYTES before and TAG_BYTES
   * behind it. Durable only after the flush that follows.
   * @param prefix 0, or the ASCII code of g..z
   */
  write(prefix: number, plaintext: Region, length: number, compressor?: Compressor): void {
    const { key } = this;
    key[0] = prefix;
    this.#hash.digest(plaintext.arena, plaintext.offset, length, key, 1);
    this.#counters[COUNTER.bytesHashed] += length;
    const { index, pending } = this.#known;
    // What was dropped was deleted before, so that it is not stored either.
    const previous = index.findEvenDropped(key, 0, key.length);
    const isStored = previous >= 0 && !index.isDeletedAt(previous);
    if (isStored || !this.#claim(prefix, pending)) {
      this.#counters[COUNTER.contentsReused] += 1;
      return;
    }
    try {
      this.#store(prefix, plaintext, length, { previous, compressor });
    } catch (error) {
      // Others take a claimed content for stored, so nothing that this run says counts any more.
      this.#packs.fail(error);
      throw error;
    }
  }

  #claim(prefix: number, pending: PendingContents): boolean {
    try {
      this.#packs.prepare(packKind(prefix));
    } catch (error) {
      // A ticket that is neither used nor given back would be waited for.
      this.#packs.fail(error);
      throw error;
    }
    return pending.claim(this.key, 0, this.key.length);
  }

  #store(
    prefix: number,
    plaintext: Region,
    length: number,
    { previous, compressor }: { previous: number; compressor: Compressor | undefined },
  ): void {
    const { key } = this;
    const { index } = this.#known;
    const content = {
      key,
      iv: this.#iv,
      timestampSeconds: this.#timeAfter(previous < 0 ? -1 : index.timestampAt(previous)),
      originalBytes: length,
      compressionId: 0,
    };
    const packed = this.#compress(plaintext, length, compressor);
    if (packed) content.compressionId = compressor?.headerId ?? 0;
    this.#counters[COUNTER.contentsNew] += 1;
    this.#counters[COUNTER.bytesStored] += this.#packs.append(
      packKind(prefix),
      packed?.region ?? plaintext,
      packed?.length ?? length,
      content,
    );
  }

  /**
   * Now, or the second after a deletion by a clock that was ahead, as contentWriteTime has it
   * (kopia v0.23.0 repo/content/content_manager.go); kopia does not see dropped deletions there and
   * may lose to them. Nothing is later than the last time that an index holds, but at an equal time
   * what is not deleted counts.
   */
  #timeAfter(deletedSeconds: number): number {
    return Math.min(TIMESTAMP_MAX, Math.max(this.#nowSeconds(), deletedSeconds + 1));
  }

  /** Undefined where compression does not make the content smaller (kopia-format.md 8.3). */
  #compress(
    plaintext: Region,
    length: number,
    compressor: Compressor | undefined,
  ): { region: Region; length: number } | undefined {
    if (compressor === undefined || length === 0) return undefined;
    // Not smaller means not compressed, so there is never more than `length - 1` to hold.
    const scratch = this.#scratchFor(length);
    const region = { arena: scratch, offset: NONCE_BYTES };
    const stored = compressRegion(compressor, plaintext, length, region, length - 1);
    return stored === 0 ? undefined : { region, length: stored };
  }

  #scratchFor(bytes: number): Arena {
    const needed = NONCE_BYTES + bytes + TAG_BYTES;
    if (this.#scratch === undefined || this.#scratch.bytes.length < needed) {
      this.#scratch = allocateArena(Math.max(64 * 1024, needed));
    }
    return this.#scratch;
  }
}

function packKind(prefix: number): PackKind {
  return prefix === 0 ? 'p' : 'q';
}
