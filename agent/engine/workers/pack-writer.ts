// The open packs of one worker: at most one of file contents and one of metadata. A content is
// sealed straight to where it belongs and never copied again. A pack ends when it is full or when
// the main thread asks for it (a flush); it then carries its own little index, so that the
// repository's index can be rebuilt from packs alone (kopia-format.md 5).

import { randomFillSync } from 'node:crypto';
import type { Arena } from '#engine/base/arena.ts';
import {
  type ContentCipher,
  NONCE_BYTES,
  type Region,
  SEAL_BYTES,
} from '#engine/cipher/content-cipher.ts';
import { sealBytes } from '#engine/cipher/seal-bytes.ts';
import {
  encodePackTail,
  LOCAL_INDEX_TAIL_BYTES,
  PACK_PREAMBLE_BYTES,
} from '#engine/format/pack.ts';
import type { ContentHash } from '#engine/hash/content-hash.ts';
import { encodeIndex } from '#engine/index/encode.ts';
import { IndexRows } from '#engine/index/rows.ts';
import { digestBytes } from './digest-bytes.ts';
import { BufferPackOutput, type PackOutput, StagedPackOutput } from './pack-output.ts';
import type { FinishedPack, PackKind, PackTicket, TicketHolder } from './pack-tickets.ts';

export interface PackedContent {
  /** Prefix byte (0 for none), then the hash. */
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
  readonly timestampSeconds: number;
  readonly originalBytes: number;
  readonly compressionId: number;
}

/**
 * A pack is closed, too, when it has this many contents: its index takes at most 60 bytes for each,
 * and has to find room in the buffer that the pack was given.
 */
export const PACK_CONTENTS_MAX = 100_000;
/** The longest that padding, index and postamble of a pack can be. */
export const PACK_TAIL_BYTES_MAX = 8 * 1024 * 1024;

export interface PackWriterOptions {
  /** A pack is closed as soon as it is at least this long. */
  readonly packBytesMax: number;
  readonly formatVersion: number;
}

interface OpenPack {
  readonly ticket: PackTicket;
  readonly output: PackOutput;
  readonly rows: IndexRows;
}

export class PackWriter {
  readonly #tickets: TicketHolder;
  readonly #hash: ContentHash;
  readonly #cipher: ContentCipher;
  readonly #options: PackWriterOptions;
  readonly #open = new Map<PackKind, OpenPack>();
  readonly #gatherMemory = new Map<PackKind, Arena>();
  #failure: { readonly error: unknown } | undefined;

  constructor(
    tickets: TicketHolder,
    hash: ContentHash,
    cipher: ContentCipher,
    options: PackWriterOptions,
  ) {
    this.#tickets = tickets;
    this.#hash = hash;
    this.#cipher = cipher;
    this.#options = options;
  }

  /**
   * Makes sure that a pack of `kind` is open. Whoever claims a content does this first: then the
   * pack that it goes into belongs to a session that a flush, which somebody else begins because of
   * the claim, waits for.
   */
  prepare(kind: PackKind): void {
    if (this.#failure) throw this.#failure.error;
    if (!this.#open.has(kind)) this.#begin(kind);
  }

  /**
   * Says that a content could not be written; everything that was claimed is void. The main thread
   * is told, and whatever it asks for before it hears of it fails here.
   */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#tickets.fail(error);
  }

  /**
   * Seals `length` bytes at `plaintext` into the open pack of `kind`. The plaintext may be
   * overwritten, and so may NONCE_BYTES before and TAG_BYTES behind it.
   * @returns the bytes it takes in the pack
   */
  append(kind: PackKind, plaintext: Region, length: number, content: PackedContent): number {
    const pack = this.#open.get(kind) ?? this.#begin(kind);
    const packedBytes = length + SEAL_BYTES;
    const packOffset = pack.output.bytes;
    const target = pack.output.reserve(packedBytes);
    if (target) {
      this.#cipher.seal(plaintext, length, target, content.iv);
    } else {
      const { arena, offset } = plaintext;
      const start = offset - NONCE_BYTES;
      this.#cipher.seal(plaintext, length, { arena, offset: start }, content.iv);
      pack.output.write(arena.bytes.subarray(start, start + packedBytes));
    }
    pack.rows.add(content.key, 0, {
      timestampSeconds: content.timestampSeconds,
      packIndex: 0,
      packOffset,
      packedBytes,
      originalBytes: content.originalBytes,
      compressionId: content.compressionId,
      formatVersion: this.#options.formatVersion,
      isDeleted: false,
    });
    const isFull =
      pack.output.bytes >= this.#options.packBytesMax || pack.rows.count >= PACK_CONTENTS_MAX;
    if (isFull) this.#finish(kind, pack);
    return packedBytes;
  }

  /**
   * Ends all open packs and hands them to the main thread.
   * @throws what fail() was told
   */
  finishAll(): void {
    if (this.#failure) throw this.#failure.error;
    for (const [kind, pack] of this.#open) this.#finish(kind, pack);
  }

  #begin(kind: PackKind): OpenPack {
    const ticket = this.#tickets.take(kind);
    const output = this.#openOutput(ticket);
    output.write(randomFillSync(new Uint8Array(PACK_PREAMBLE_BYTES)));
    const rows = new IndexRows(1 + this.#hash.digestBytes);
    rows.addPack(ticket.packId);
    const pack = { ticket, output, rows };
    this.#open.set(kind, pack);
    return pack;
  }

  #openOutput(ticket: PackTicket): PackOutput {
    if (ticket.buffer) return new BufferPackOutput(ticket.buffer);
    const gather = this.#gatherMemory.get(ticket.kind) ?? StagedPackOutput.allocateGather();
    this.#gatherMemory.set(ticket.kind, gather);
    return new StagedPackOutput(ticket.stagedPath ?? '', gather);
  }

  #finish(kind: PackKind, { ticket, output, rows }: OpenPack): void {
    this.#open.delete(kind);
    if (rows.count === 0) {
      this.#giveUp(kind, ticket, output);
      return;
    }
    const [encoded] = encodeIndex(rows, { version: INDEX_VERSION });
    const localIndex = withRandomTail(encoded);
    const iv = digestBytes(this.#hash, localIndex);
    output.write(
      encodePackTail({
        packBytes: output.bytes,
        sealedIndex: sealBytes(this.#cipher, localIndex, iv),
        iv,
      }),
    );
    const { bytes } = output;
    const buffer = output.finish();
    const moved = rows.transfer();
    const finished: FinishedPack = { packId: ticket.packId, kind, bytes, rows: moved.rows, buffer };
    const transfer = buffer ? [...moved.transferList, buffer] : moved.transferList;
    this.#tickets.giveBack(finished, transfer);
  }

  #giveUp(kind: PackKind, { packId }: PackTicket, output: PackOutput): void {
    const buffer = output.discard();
    const unused: FinishedPack = { packId, kind, bytes: 0, rows: undefined, buffer };
    this.#tickets.giveBack(unused, buffer ? [buffer] : []);
  }
}

/** Writing is refused to repositories with an older index (content/repository-format.ts). */
const INDEX_VERSION = 2;

/** Local indexes end in 32 random bytes, so that equal ones do not get equal keys. */
function withRandomTail(encoded: Uint8Array): Uint8Array {
  const tailed = new Uint8Array(encoded.length + LOCAL_INDEX_TAIL_BYTES);
  tailed.set(encoded);
  randomFillSync(tailed, encoded.length);
  return tailed;
}
