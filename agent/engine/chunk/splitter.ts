// Where one chunk of an object ends and the next begins.

import type { Arena } from '#engine/base/arena.ts';

/** Finds cuts. Holds a position within the current chunk: one instance serves one stream. */
export interface Splitter {
  readonly name: string;
  /** No chunk but the last is shorter. */
  readonly minBytes: number;
  /** No chunk is longer. */
  readonly maxBytes: number;
  /**
   * Memory the bytes must lie in (see SplitterAlgorithm.create). It neither moves nor grows;
   * bytes[0] is at a multiple of 16, and the splitter writes nothing into it.
   */
  readonly arena: Arena;
  /** What scans; the cuts are the same. */
  readonly form: SplitterForm;
  /**
   * Length of the chunk that begins at arena.bytes[offset], of which `available` bytes are there;
   * 0 when the cut lies behind them (call again with more available and the same offset; what was
   * scanned is not scanned again). With `isLast` nothing follows, so the answer is never 0 unless
   * `available` is 0. After a cut has been returned the splitter is at the start of a new chunk.
   * How much is available at a time changes no cut. Between the calls for one chunk its bytes may
   * move, as long as they stay the same.
   */
  nextCut(offset: number, available: number, isLast: boolean): number;
  /** Forgets the current chunk. */
  reset(): void;
}

export type SplitterForm = 'wasm' | 'portable';

export interface SplitterAlgorithm {
  readonly name: string;
  /** Whether kopia knows the name: no other may stand in `kopia.repository` or in a policy. */
  readonly isStock: boolean;
  readonly minBytes: number;
  /** The N of the name: chunks of random bytes have about N to 1.3 N. */
  readonly averageBytes: number;
  readonly maxBytes: number;
  /**
   * Memory for chunks of this splitter: `bytes` of it, which the splitter can scan where it lies.
   * WebAssembly splitters scan their own linear memory, so they must be the ones to allocate it.
   * Where WebAssembly cannot be had, or fails its self-test, this is the portable form.
   */
  readonly create: (bytes: number) => Splitter;
  /** Plain JavaScript with the same cuts, over memory of its own. */
  readonly portable: (bytes: number) => Splitter;
}
