// Chunks that one thread has read of a file. A terabyte of holes is half a million of them with one
// id between them, so ids that repeat stand there once.

import type { IndirectEntry } from '#engine/format/indirect.ts';
import type { FileChunks } from './upload-tasks.ts';

export class FileChunksBuilder {
  count = 0;
  #starts = new Float64Array(16);
  #lengths = new Uint32Array(16);
  #ids = new Uint32Array(16);
  readonly #contentIds: string[] = [];
  /** Positions of ids of holes. */
  readonly #repeated = new Map<string, number>();

  add(chunk: { start: number; length: number; isHole: boolean }, contentId: string): void {
    if (this.count === this.#starts.length) this.#grow();
    this.#starts[this.count] = chunk.start;
    this.#lengths[this.count] = chunk.length;
    this.#ids[this.count++] = this.#idOf(contentId, chunk.isHole);
  }

  finish(): FileChunks {
    return {
      starts: this.#starts.slice(0, this.count),
      lengths: this.#lengths.slice(0, this.count),
      ids: this.#ids.slice(0, this.count),
      contentIds: this.#contentIds,
    };
  }

  #idOf(contentId: string, isHole: boolean): number {
    const known = isHole ? this.#repeated.get(contentId) : undefined;
    if (known !== undefined) return known;
    if (isHole) this.#repeated.set(contentId, this.#contentIds.length);
    return this.#contentIds.push(contentId) - 1;
  }

  #grow(): void {
    const length = this.#starts.length * 2;
    const [starts, lengths, ids] = [this.#starts, this.#lengths, this.#ids];
    this.#starts = new Float64Array(length);
    this.#lengths = new Uint32Array(length);
    this.#ids = new Uint32Array(length);
    this.#starts.set(starts);
    this.#lengths.set(lengths);
    this.#ids.set(ids);
  }
}

/** The chunks of all threads in their order. */
export function mergeChunks(lists: readonly FileChunks[]): IndirectEntry[] {
  const entries: IndirectEntry[] = [];
  for (const { starts, lengths, ids, contentIds } of lists) {
    for (let at = 0; at < starts.length; at++) {
      entries.push({ start: starts[at], length: lengths[at], objectId: contentIds[ids[at]] });
    }
  }
  // An empty part begins where the one before it ends, and stands behind it.
  return entries.sort((a, b) => a.start - b.start || b.length - a.length);
}

/** The chunks from the start of the file to the first gap. */
export function contiguousChunks(lists: readonly FileChunks[]): IndirectEntry[] {
  const entries = mergeChunks(lists);
  let end = 0;
  for (const [index, { start, length }] of entries.entries()) {
    if (start !== end) return entries.slice(0, index);
    end += length;
  }
  return entries;
}
