// Hash, cipher and tickets for tests of what runs in a worker thread, on this one.

import { readFileSync } from 'node:fs';
import { allocateArena, arenaOver } from '#engine/base/arena.ts';
import { createCipher } from '#engine/cipher/ciphers.ts';
import { NONCE_BYTES, type Region, TAG_BYTES } from '#engine/cipher/content-cipher.ts';
import { openBytes } from '#engine/cipher/seal-bytes.ts';
import { toHex } from '#engine/base/bytes.ts';
import { locateLocalIndex } from '#engine/format/pack.ts';
import { createHash } from '#engine/hash/hashes.ts';
import type { IndexEntry } from '#engine/index/entry.ts';
import { IndexRows } from '#engine/index/rows.ts';
import { ContentOpener } from '#engine/workers/content-opener.ts';
import { type FinishedPack, type PackTicket, TicketHolder } from '#engine/workers/pack-tickets.ts';

export const KEY_BYTES = 17;
const secret = new Uint8Array(32).fill(9);

export const newHash = () => createHash('BLAKE2B-256-128', secret);
export const newCipher = () => createCipher('AES256-GCM-HMAC-SHA256', secret);
export const newOpener = () =>
  new ContentOpener(newHash(), newCipher(), { eccOverheadPercent: 0, isNativeAllowed: true });

export interface ClosedPack {
  readonly packId: string;
  readonly bytes: Uint8Array;
  readonly rows: IndexRows;
}

/** Gives tickets at once and keeps what comes back. */
export class FakeTickets extends TicketHolder {
  readonly taken: PackTicket[] = [];
  readonly packs: ClosedPack[] = [];
  readonly unused: string[] = [];
  readonly failures: unknown[] = [];
  /** Where the bytes of packs go: a file by its path, or buffers of so many bytes. */
  readonly #place: (index: number) => { stagedPath: string } | { buffer: ArrayBuffer };

  constructor(place: FakeTickets['placeOf']) {
    // take() and giveBack() below leave the line alone.
    super({ port: new MessageChannel().port1, answered: new SharedArrayBuffer(4) }, () => false);
    this.#place = place;
  }

  get placeOf(): (index: number) => { stagedPath: string } | { buffer: ArrayBuffer } {
    return this.#place;
  }

  override take(kind: PackTicket['kind']): PackTicket {
    const index = this.taken.length;
    const packId = `${kind}${String(index).padStart(32, '0')}-s1`;
    const ticket = { packId, kind, ...this.#place(index) };
    this.taken.push(ticket);
    return ticket;
  }

  override giveBack({ packId, bytes, rows, buffer }: FinishedPack): void {
    if (rows === undefined) {
      this.unused.push(packId);
      return;
    }
    const ticket = this.taken.find(taken => taken.packId === packId);
    const stored = buffer
      ? new Uint8Array(buffer, 0, bytes)
      : readFileSync(ticket?.stagedPath ?? '');
    this.packs.push({ packId, bytes: new Uint8Array(stored), rows: IndexRows.from(rows) });
  }

  override fail(error: unknown): void {
    this.failures.push(error);
  }
}

/** Bytes where a writer wants them: with room before and behind. */
export function regionOf(bytes: Uint8Array): Region {
  const arena = allocateArena(NONCE_BYTES + bytes.length + TAG_BYTES);
  arena.bytes.set(bytes, NONCE_BYTES);
  return { arena, offset: NONCE_BYTES };
}

export function keyOf(bytes: Uint8Array, prefix = 0): Uint8Array {
  const key = new Uint8Array(KEY_BYTES);
  key[0] = prefix;
  newHash().digest(
    arenaOver(Uint8Array.from(regionOf(bytes).arena.bytes)),
    NONCE_BYTES,
    bytes.length,
    key,
    1,
  );
  return key;
}

/** Entries of the index that a pack carries, as recovery reads it. */
export function localEntries({ packId, bytes }: ClosedPack): IndexEntry[] {
  const { iv, offset, length } = locateLocalIndex(bytes, bytes.length, packId);
  const plain = openBytes(newCipher(), bytes.slice(offset, offset + length), iv);
  const rows = new IndexRows(KEY_BYTES);
  rows.addFile(plain, { name: packId });
  return entriesOf(rows);
}

export function entriesOf(rows: IndexRows): IndexEntry[] {
  const entries = Array.from({ length: rows.count }, (_, row) => rows.entryAt(row));
  return entries.sort((a, b) => Buffer.compare(a.key, b.key));
}

/** Plaintexts of all contents of a pack by the hexadecimal form of their keys, fully checked. */
export function openAll(pack: ClosedPack): Map<string, Uint8Array> {
  const opener = newOpener();
  return new Map(
    entriesOf(pack.rows).map(entry => {
      const sealed = pack.bytes.slice(entry.packOffset, entry.packOffset + entry.packedBytes);
      const arena = allocateArena(Math.max(sealed.length, 128));
      arena.bytes.set(sealed);
      const plain = opener.open(arena, { ...entry, offset: 0, length: entry.packedBytes });
      return [toHex(entry.key), plain.slice()];
    }),
  );
}
