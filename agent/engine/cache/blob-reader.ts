// Reads stretches of blobs through the cache: what is there from the disk, what is on its way from
// whoever fetches it, the rest from the storage, each byte once.

import { unfilledBytes } from '#engine/base/bytes.ts';
import { settlesWithin } from '#engine/base/settles-within.ts';
import { truncatedError } from '#engine/storage/blob-id.ts';
import type { GetOptions, Storage } from '#engine/storage/storage.ts';
import type { BlobKey } from './blob-key.ts';
import type { CacheRepository } from './cache-repository.ts';
import { coverage, type Part, type Span, wholeLength } from './coverage.ts';
import { NO_ENTRY } from './entry-table.ts';
import type { Flight, Flights } from './flights.ts';

export interface CachedBlob {
  readonly id: string;
  readonly kind: number;
  readonly key: BlobKey;
}

/** Where a part of an answer comes from. */
type Piece = Part & { readonly flight?: Flight };

/** A disk that takes longer than this to take bytes in is not waited for. */
export const STORE_WAIT_MS = 250;
/** Closing a repository waits this long for what is being stored; then it goes on by itself. */
export const CLOSE_WAIT_MS = 5000;
/** More holes than this, and all of the stretch is fetched anew. */
const FETCHES_MAX = 8;
const DATA = 0;
const TO_THE_END = Number.POSITIVE_INFINITY;

export class BlobReader {
  readonly #inner: Storage;
  readonly #repository: CacheRepository;
  readonly #flights: Flights;
  readonly #storing = new Set<Promise<unknown>>();

  constructor(inner: Storage, repository: CacheRepository) {
    this.#inner = inner;
    this.#repository = repository;
    this.#flights = repository.flights;
  }

  async get(blob: CachedBlob, options: GetOptions): Promise<Uint8Array> {
    const { range, signal } = options;
    if (range) {
      const span = { from: range.offset, to: range.offset + range.length };
      return this.#getHot(blob, span, signal);
    }
    const table = this.#repository.table();
    const length = table && wholeLength(table, blob.key);
    if (length !== undefined) return this.#getSpan(blob, { from: 0, to: length }, signal);
    return this.#getWhole(blob, signal);
  }

  /** What is on its way is still handed to those who wait for it, and not kept. */
  async forget(id: string, cause: 'deleted' | 'damage'): Promise<void> {
    this.#flights.makeStale(id);
    await this.#repository.removeBlob(id, cause);
  }

  /** When nothing is being stored any more, or the disk has had its time. */
  async settled(): Promise<void> {
    if (this.#storing.size === 0) return;
    await settlesWithin(Promise.allSettled(this.#storing), CLOSE_WAIT_MS);
  }

  async #getWhole(blob: CachedBlob, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const span = { from: 0, to: TO_THE_END };
    for (const flight of this.#flights.of(blob.id)) {
      if (flight.to !== TO_THE_END || flight.isStale) continue;
      const bytes = await taken(flight);
      if (bytes) return this.#countMiss(bytes.slice());
    }
    return this.#fetch(blob, span, signal);
  }

  /** Small stretches of metadata are read again and again. */
  async #getHot(
    blob: CachedBlob,
    span: Span,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const { hot } = this.#repository;
    if (blob.kind === DATA) return this.#getSpan(blob, span, signal);
    const known = hot.get(blob.id, span);
    if (known) {
      this.#repository.noteHit(known.length);
      return known;
    }
    const isCurrent = this.#flights.watch();
    const bytes = await this.#getSpan(blob, span, signal);
    if (isCurrent()) hot.set(blob.id, span, bytes);
    return bytes;
  }

  async #getSpan(
    blob: CachedBlob,
    span: Span,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const pieces = this.#piecesOf(blob, span);
    const missing = pieces.filter(piece => piece.row === NO_ENTRY && !piece.flight);
    const isMissingAll = missing.length === pieces.length || missing.length > FETCHES_MAX;
    if (isMissingAll) return this.#fetch(blob, span, signal);
    const target = unfilledBytes(span.to - span.from);
    const reads = pieces.map(piece =>
      this.#fill(
        blob,
        piece,
        target.subarray(piece.from - span.from, piece.to - span.from),
        signal,
      ),
    );
    const failed = (await Promise.allSettled(reads)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    return target;
  }

  /** What is not in the cache but on its way is taken from there. */
  #piecesOf(blob: CachedBlob, span: Span): Piece[] {
    const table = this.#repository.table();
    const parts = table ? coverage(table, blob.key, span) : [{ ...span, row: NO_ENTRY }];
    const flights = [...this.#flights.of(blob.id)].filter(flight => !flight.isStale);
    if (flights.length === 0) return parts;
    return parts.flatMap(part => (part.row === NO_ENTRY ? splitByFlights(part, flights) : [part]));
  }

  async #fill(
    blob: CachedBlob,
    piece: Piece,
    target: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (piece.row !== NO_ENTRY) {
      if (await this.#repository.read(piece.row, blob.key, piece, target)) return;
    }
    if (piece.flight) {
      const bytes = await taken(piece.flight);
      const start = piece.from - piece.flight.from;
      if (bytes && bytes.length >= start + target.length) {
        target.set(bytes.subarray(start, start + target.length));
        this.#countMiss(target);
        return;
      }
    }
    target.set(await this.#fetch(blob, piece, signal));
  }

  /** From the storage, and kept if there is room. The bytes are the caller's. */
  async #fetch(
    blob: CachedBlob,
    { from, to }: Span,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const isWhole = to === TO_THE_END;
    const range = isWhole ? undefined : { offset: from, length: to - from };
    const fetched = this.#inner.get(blob.id, { range, signal });
    const flight = this.#flights.begin(
      blob.id,
      { from, to },
      fetched.catch(() => undefined),
    );
    try {
      const bytes = await fetched;
      if (range && bytes.length !== range.length) {
        throw truncatedError(blob.id, range.length, bytes.length);
      }
      this.#countMiss(bytes);
      const isKept = await this.#keep(blob, flight, bytes, isWhole);
      this.#flights.end(blob.id, flight);
      // Others may not have taken theirs yet, or the disk still reads from this memory.
      return isKept && flight.takers === 0 ? bytes : bytes.slice();
    } finally {
      this.#flights.end(blob.id, flight);
    }
  }

  /** Whether nobody uses the memory of `bytes` any more. */
  async #keep(
    blob: CachedBlob,
    flight: Flight,
    bytes: Uint8Array,
    isEnd: boolean,
  ): Promise<boolean> {
    if (bytes.length === 0) return true;
    const { key, kind } = blob;
    const stretch = { key, kind, offset: flight.from, bytes, isEnd };
    const storing = this.#repository.store({ ...stretch, isWanted: () => !flight.isStale });
    this.#storing.add(storing);
    void storing.finally(() => this.#storing.delete(storing));
    return settlesWithin(storing, STORE_WAIT_MS);
  }

  #countMiss(bytes: Uint8Array): Uint8Array {
    this.#repository.noteMiss(bytes.length);
    return bytes;
  }
}

/** Takes a flight's bytes; they are read at once and belong to somebody else. */
async function taken(flight: Flight): Promise<Uint8Array | undefined> {
  flight.takers++;
  return flight.bytes;
}

function splitByFlights(part: Part, flights: readonly Flight[]): Piece[] {
  const pieces: Piece[] = [];
  let at = part.from;
  while (at < part.to) {
    const flight = flights.find(({ from, to }) => from <= at && at < to);
    const next = flight
      ? flight.to
      : Math.min(...flights.map(({ from }) => (from > at ? from : part.to)));
    const to = Math.min(part.to, next);
    pieces.push({ from: at, to, row: NO_ENTRY, flight });
    at = to;
  }
  return pieces;
}
