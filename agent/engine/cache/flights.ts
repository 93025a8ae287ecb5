// Bytes that are on their way from the storage. Whoever wants some of them meanwhile waits for
// those and asks for nothing twice.

import type { Span } from './coverage.ts';

export interface Flight extends Span {
  /** Undefined when it failed: then each asks for itself, with its own signal. */
  readonly bytes: Promise<Uint8Array | undefined>;
  /** How many others take from it. */
  takers: number;
  /** The blob was deleted or replaced while it was under way; it is not kept. */
  isStale: boolean;
}

export class Flights {
  readonly #byBlob = new Map<string, Set<Flight>>();
  #deletions = 0;

  /** Those under way for a blob. */
  of(blobId: string): ReadonlySet<Flight> {
    return this.#byBlob.get(blobId) ?? NONE;
  }

  begin(blobId: string, span: Span, bytes: Promise<Uint8Array | undefined>): Flight {
    const flight: Flight = { ...span, bytes, takers: 0, isStale: false };
    const flights = this.#byBlob.get(blobId) ?? new Set();
    this.#byBlob.set(blobId, flights.add(flight));
    return flight;
  }

  end(blobId: string, flight: Flight): void {
    const flights = this.#byBlob.get(blobId);
    flights?.delete(flight);
    if (flights?.size === 0) this.#byBlob.delete(blobId);
  }

  /** A question that is answered with yes as long as no blob was deleted or replaced since. */
  watch(): () => boolean {
    const before = this.#deletions;
    return () => this.#deletions === before;
  }

  makeStale(blobId: string): void {
    this.#deletions++;
    for (const flight of this.of(blobId)) flight.isStale = true;
  }
}

const NONE: ReadonlySet<Flight> = new Set();
