// Chunks of the parent snapshot of a device that nothing has touched since, in memory that threads
// share. Where a splitter cuts depends on nothing but the bytes of the chunk, so what begins where
// such a chunk begins is that chunk, and the next begins where it ends.

import { FileChunksBuilder } from './file-chunks.ts';
import type { FileChunks } from './upload-tasks.ts';

export interface SharedUntouched {
  /** Where each chunk begins, and where the last one ends. */
  readonly starts: SharedArrayBuffer;
  /** 1 for a chunk that has to be read. */
  readonly touched: SharedArrayBuffer;
}

/** Positions of chunks, the last one not among them; and where they end on the device. */
export interface UntouchedRun {
  readonly from: number;
  readonly to: number;
  readonly end: number;
}

export class UntouchedChunks {
  readonly #starts: Float64Array;
  readonly #touched: Uint8Array;

  private constructor({ starts, touched }: SharedUntouched) {
    this.#starts = new Float64Array(starts);
    this.#touched = new Uint8Array(touched);
  }

  static attach(shared: SharedUntouched): UntouchedChunks {
    return new UntouchedChunks(shared);
  }

  /** The chunks from the one on that begins at `position`, as many as follow each other. */
  runAt(position: number): UntouchedRun | undefined {
    const from = firstAtOrBehind(this.#starts, position);
    let to = from;
    if (this.#starts[from] === position) while (this.#touched[to] === 0) to++;
    return to === from ? undefined : { from, to, end: this.#starts[to] };
  }
}

/**
 * @param chunks of all of the parent, in order
 * @param changed offset, length, offset, length, …, ascending
 */
export function shareUntouched(
  { starts, lengths }: FileChunks,
  changed: readonly number[],
  deviceBytes: number,
): SharedUntouched {
  const count = starts.length;
  const shared = {
    starts: new SharedArrayBuffer((count + 1) * 8),
    touched: new SharedArrayBuffer(count + 1),
  };
  const ends = new Float64Array(shared.starts);
  const touched = new Uint8Array(shared.touched);
  ends.set(starts);
  if (count > 0) ends[count] = starts[count - 1] + lengths[count - 1];
  // It was cut because the device ended, and ends elsewhere now.
  if (count > 0 && ends[count] !== deviceBytes) touched[count - 1] = 1;
  touched[count] = 1;
  for (let index = 0; index < changed.length; index += 2) {
    const end = changed[index] + changed[index + 1];
    const first = firstAtOrBehind(ends, changed[index] + 1) - 1;
    for (let at = Math.max(0, first); at < count && ends[at] < end; at++) {
      if (ends[at + 1] > changed[index]) touched[at] = 1;
    }
  }
  return shared;
}

/** Those of them that were taken over. */
export function takenOver(
  { starts, lengths, ids, contentIds }: FileChunks,
  runs: readonly UntouchedRun[],
): FileChunks {
  const builder = new FileChunksBuilder();
  let last = '';
  for (const { from, to } of runs) {
    for (let at = from; at < to; at++) {
      const id = contentIds[ids[at]];
      builder.add({ start: starts[at], length: lengths[at], isHole: id === last }, id);
      last = id;
    }
  }
  return builder.finish();
}

function firstAtOrBehind(starts: Float64Array, position: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (starts[middle] < position) low = middle + 1;
    else high = middle;
  }
  return low;
}
