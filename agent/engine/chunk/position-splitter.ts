// The rule that all splitters but FastCDC's WebAssembly form share: a chunk ends at the first
// position that a scan approves of, not before its minimum, at its maximum at the latest. This
// holds the position; what is approved is the scan's business.

import assert from 'node:assert';

import type { Arena } from '#engine/base/arena.ts';

import type { Splitter, SplitterForm } from './splitter.ts';

/**
 * The first position p with start < p <= end that may end a chunk, or 0; positions and bytes count
 * from the start of the arena. Called for adjoining stretches, in order, until it finds one; a new
 * chunk begins with restart().
 */
export interface Scan {
  next(start: number, end: number): number;
  restart?(): void;
}

export interface PositionSplitterOptions {
  readonly name: string;
  readonly minBytes: number;
  readonly maxBytes: number;
  /** A chunk is never cut at or before this length. */
  readonly skipBytes: number;
}

export class PositionSplitter implements Splitter {
  readonly name: string;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly arena: Arena;
  readonly form: SplitterForm;
  readonly #scan: Scan;
  readonly #skipBytes: number;
  /** No position of the current chunk up to here may end it. */
  #scannedBytes: number;

  constructor(
    memory: { arena: Arena; form: SplitterForm },
    scan: Scan,
    o: PositionSplitterOptions,
  ) {
    this.arena = memory.arena;
    this.form = memory.form;
    this.name = o.name;
    this.minBytes = o.minBytes;
    this.maxBytes = o.maxBytes;
    this.#scan = scan;
    this.#skipBytes = o.skipBytes;
    this.#scannedBytes = o.skipBytes;
  }

  nextCut(offset: number, available: number, isLast: boolean): number {
    assertInside(this.arena, offset, available);
    const end = Math.min(available, this.maxBytes);
    if (end > this.#scannedBytes) {
      const cut = this.#scan.next(offset + this.#scannedBytes, offset + end);
      if (cut !== 0) return this.#cutAt(cut - offset);
      this.#scannedBytes = end;
    }
    return isLast || end === this.maxBytes ? this.#cutAt(end) : 0;
  }

  reset(): void {
    this.#scannedBytes = this.#skipBytes;
    this.#scan.restart?.();
  }

  #cutAt(length: number): number {
    this.reset();
    return length;
  }
}

/** A scan outside the arena would read, in WebAssembly, whatever lies there. */
export function assertInside(arena: Arena, offset: number, available: number): void {
  assert(Number.isInteger(offset) && offset >= 0, 'a chunk begins at a position in the arena');
  assert(Number.isInteger(available) && available >= 0, 'a chunk has a number of bytes');
  assert(offset + available <= arena.bytes.length, 'a chunk ends within the arena');
}
