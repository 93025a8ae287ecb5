// Contents of a section that are read one by one: those that the index did not know when they were
// planned, those that are not where it said, and those that a cache has kept damaged. Maintenance
// moves contents, so the index is loaded again before any of them counts as lost.

import { throwIfAborted } from '#engine/base/abort.ts';
import { type EngineError, serializeError, type SerializedError } from '#engine/base/errors.ts';
import type { ContentSource } from '#engine/content/content-source.ts';
import { contentIdOfKnownKey } from '#engine/format/content-id.ts';
import { readEach } from '#engine/snapshot/damage.ts';
import { isSameContent } from './pack-order.ts';
import type { SectionTable } from './plan-tables.ts';
import type { RestoreReport } from './restore-report.ts';
import type { WorkOutcome } from './restore-tasks.ts';
import type { SectionCrew, TaskPlace } from './section-crew.ts';

/** Contents that are asked for together. */
const CONTENTS_PER_READ = 512;

export interface SingleContentsParts {
  readonly contents: ContentSource;
  readonly report: RestoreReport;
  readonly note: (outcome: WorkOutcome) => void;
}

export class SingleContents {
  readonly #parts: SingleContentsParts;
  readonly #crew: SectionCrew;
  readonly #table: SectionTable;

  constructor(parts: SingleContentsParts, crew: SectionCrew, table: SectionTable) {
    this.#parts = parts;
    this.#crew = crew;
    this.#table = table;
  }

  /** Reads contents one by one, from wherever they are now. */
  async restore(order: Uint32Array, place: TaskPlace): Promise<void> {
    const { signal } = place;
    for (const part of this.#contentParts(order)) {
      const chunksOf = this.#chunksByContent(part);
      const failures: [string, SerializedError][] = [];
      const receiver = {
        content: async (contentId: string, bytes: Uint8Array): Promise<void> => {
          this.#parts.report.bytesFetched += this.#packedBytes(contentId);
          await this.#giveContent(chunksOf.get(contentId), { bytes }, place);
        },
        failure: (contentId: string, error: EngineError): void =>
          void failures.push([contentId, serializeError(error)]),
      };
      await readEach(this.#parts.contents, chunksOf.keys(), receiver, { signal });
      for (const [contentId, failure] of failures) {
        await this.#giveContent(chunksOf.get(contentId), { failure }, place);
      }
    }
  }

  #packedBytes(contentId: string): number {
    return this.#parts.contents.find(contentId)?.packedBytes ?? 0;
  }

  async #giveContent(
    chunks: readonly number[] = [],
    result: { readonly bytes: Uint8Array } | { readonly failure: SerializedError },
    { workerIndex, signal }: TaskPlace,
  ): Promise<void> {
    throwIfAborted(signal);
    const input = { chunks: Uint32Array.from(chunks), ...result };
    this.#parts.note(await this.#crew.task('restoreContent', input, { workerIndex }));
    this.#parts.report.progress('');
  }

  /** Parts of an order that divide no places of one content. */
  *#contentParts(order: Uint32Array): Generator<Uint32Array> {
    for (let from = 0; from < order.length;) {
      let to = Math.min(order.length, from + CONTENTS_PER_READ);
      const { chunks } = this.#table;
      while (to < order.length && isSameContent(chunks, order[to - 1], order[to])) to++;
      yield order.subarray(from, to);
      from = to;
    }
  }

  #chunksByContent(order: Uint32Array): Map<string, number[]> {
    const chunksOf = new Map<string, number[]>();
    for (const chunk of order) {
      // A copy, since what is shared cannot become text.
      const contentId = contentIdOfKnownKey(this.#table.keyOf(chunk).slice());
      const known = chunksOf.get(contentId);
      if (known) known.push(chunk);
      else chunksOf.set(contentId, [chunk]);
    }
    return chunksOf;
  }
}
