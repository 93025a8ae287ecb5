// Which contents a file consists of, and where they lie: the chunks of a plan.

import type { ContentSource } from '#engine/content/content-source.ts';
import { contentKey } from '#engine/format/content-id.ts';
import { openObject } from '#engine/object/object-reader.ts';
import { wrongLength } from '#engine/snapshot/stored-path.ts';
import type { BatchRows } from './batch-rows.ts';
import type { PlanPaths } from './plan-paths.ts';
import { CHUNK_FLAG, ENTRY_ACTION, NO_ROW, SectionTable } from './plan-tables.ts';
import type { RestoreReport } from './restore-report.ts';

/** Where a content lies; good until the next call. */
export interface LocatedContent {
  readonly packId: string;
  readonly packOffset: number;
  readonly packedBytes: number;
  readonly originalBytes: number;
  readonly compressionId: number;
}

export interface ChunkPlannerParts {
  readonly contents: ContentSource;
  /** The place of a content by its key; undefined where the index does not know it. */
  readonly locate: (key: Uint8Array) => LocatedContent | undefined;
  readonly keyBytes: number;
  readonly report: RestoreReport;
}

export class ChunkPlanner {
  readonly #parts: ChunkPlannerParts;
  readonly #paths: PlanPaths;
  readonly #options: { readonly signal: AbortSignal | undefined };
  #section: SectionTable;

  constructor(
    parts: ChunkPlannerParts,
    paths: PlanPaths,
    options: { readonly signal: AbortSignal | undefined },
  ) {
    this.#parts = parts;
    this.#paths = paths;
    this.#options = options;
    this.#section = new SectionTable(parts.keyBytes);
  }

  /** Plans what the file or link at `row` consists of. */
  async add(section: SectionTable, rows: BatchRows, at: number, row: number): Promise<void> {
    this.#section = section;
    const { entries } = this.#section;
    if (rows.columns.isSingle[at] === 1) this.#addOnlyChunk(rows.keyAt(at), row);
    else await this.#addObject(rows.objectIds.get(at) ?? '', row);
    const holes = rows.holes.get(at);
    if (holes !== undefined) this.#markHoles(row, holes);
    const from = entries.firstChunk[row];
    const { flags } = this.#section.chunks;
    let left = 0;
    for (let chunk = from; chunk < from + entries.chunkCount[row]; chunk++) {
      if ((flags[chunk] & CHUNK_FLAG.present) === 0) left++;
    }
    this.#section.entries.chunksLeft[row] = left;
  }

  #addOnlyChunk(key: Uint8Array, row: number): void {
    const { entries } = this.#section;
    const located = this.#parts.locate(key);
    if (located !== undefined) this.#checkLength(row, located.originalBytes);
    const bytes = entries.bytes[row];
    if (located !== undefined && bytes === 0) return;
    this.#addChunk(row, { key, offset: 0, bytes, isCompressed: false });
  }

  /** A file whose bytes are in several contents, or in a compressed one. */
  async #addObject(objectId: string, row: number): Promise<void> {
    const { contents, report } = this.#parts;
    const { signal } = this.#options;
    try {
      const reader = await openObject(contents, objectId, { signal });
      this.#checkLength(row, reader.bytes);
      for await (const { contentId, offset, bytes, isCompressed } of reader.chunks({ signal })) {
        if (bytes === 0) continue;
        this.#addChunk(row, { key: contentKey(contentId), offset, bytes, isCompressed });
      }
    } catch (error) {
      report.damage(this.#paths.ofEntry(this.#section, row), error);
      this.#section.entries.action[row] = ENTRY_ACTION.failed;
    }
  }

  #addChunk(
    row: number,
    chunk: { key: Uint8Array; offset: number; bytes: number; isCompressed: boolean },
  ): void {
    const located = this.#parts.locate(chunk.key);
    const at = this.#section.addChunk(chunk.key);
    const { chunks, entries } = this.#section;
    entries.chunkCount[row] += 1;
    chunks.entry[at] = row;
    chunks.offset[at] = chunk.offset;
    chunks.bytes[at] = chunk.bytes;
    chunks.flags[at] = chunk.isCompressed ? CHUNK_FLAG.compressed : 0;
    chunks.pack[at] = located === undefined ? NO_ROW : this.#section.packNumber(located.packId);
    if (located === undefined) return;
    chunks.packOffset[at] = located.packOffset;
    chunks.packedBytes[at] = located.packedBytes;
    chunks.originalBytes[at] = located.originalBytes;
    chunks.compressionId[at] = located.compressionId;
  }

  /** Names a file that is not as long as its entry says, and plans for what is there. */
  #checkLength(row: number, found: number): void {
    const { entries } = this.#section;
    const expected = entries.bytes[row];
    if (found === expected) return;
    const path = this.#paths.ofEntry(this.#section, row);
    const { report } = this.#parts;
    report.differ(path, [{ attribute: 'size', expected: String(expected), found: String(found) }]);
    report.damage(path, wrongLength(path, { bytes: expected, objectId: '' }, found));
    entries.bytes[row] = found;
  }

  /** Chunks that lie in a hole as a whole are not fetched. */
  #markHoles(row: number, holes: readonly number[]): void {
    const { chunks, entries } = this.#section;
    const from = entries.firstChunk[row];
    let hole = 0;
    for (let chunk = from; chunk < from + entries.chunkCount[row]; chunk++) {
      const start = chunks.offset[chunk];
      const end = start + chunks.bytes[chunk];
      while (hole < holes.length && holes[hole] + holes[hole + 1] < end) hole += 2;
      if (hole < holes.length && holes[hole] <= start) chunks.flags[chunk] |= CHUNK_FLAG.present;
    }
  }
}
