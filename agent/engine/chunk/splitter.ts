// Where one chunk of an object ends and the next begins.

import type { Arena } from '#engine/base/arena.ts';

/** Finds cuts. Holds a position within the current chunk: one instance serves one stream. */
export interface Splitter {
  readonly name: string;
  /** No chunk but the last is shorter. */
  readonly minBytes: number;
  /** No chunk is longer. */
  readonly maxBytes: number;
  /** Memory the bytes must lie in (see SplitterAlgorithm.create). */
  readonly arena: Arena;
  /**
   * Length of the chunk that begins at arena.bytes[offset], of which `available` bytes are there;
   * 0 when the cut lies behind them (call again with more available and the same offset; what was
   * scanned is not scanned again). With `isLast` nothing follows, so the answer is never 0 unless
   * `available` is 0. After a cut has been returned the splitter is at the start of a new chunk.
   */
  nextCut(offset: number, available: number, isLast: boolean): number;
  /** Forgets the current chunk. */
  reset(): void;
}

export interface SplitterAlgorithm {
  readonly name: string;
  readonly minBytes: number;
  readonly maxBytes: number;
  /**
   * Memory for chunks of this splitter: `bytes` of it, which the splitter can scan where it lies.
   * WebAssembly splitters scan their own linear memory, so they must be the ones to allocate it.
   */
  readonly create: (bytes: number) => Splitter;
  /** Plain JavaScript with the same cuts, over memory of its own. */
  readonly portable: (bytes: number) => Splitter;
}
