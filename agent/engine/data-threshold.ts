// Whether a repository is large enough for its data to be worth room in the cache. Its size is that
// of the contents in its index; the sum is not taken further than to the threshold.

import type { IndexTable } from '#engine/index/table.ts';

export interface SizedIndex {
  readonly view: { readonly tables: readonly Pick<IndexTable, 'count' | 'packedBytesAt'>[] };
  /** Changes whenever `view` does. */
  readonly revision: number;
}

export class DataThreshold {
  readonly #bytesMin: number;
  #isReached: boolean;
  #revision: number | undefined;

  constructor(bytesMin: number) {
    this.#bytesMin = bytesMin;
    this.#isReached = bytesMin <= 0;
  }

  /** What was reached once stays so, until the repository is opened anew. */
  isReached({ view, revision }: SizedIndex): boolean {
    if (!this.#isReached && revision !== this.#revision) {
      this.#revision = revision;
      this.#isReached = hasBytes(view, this.#bytesMin);
    }
    return this.#isReached;
  }
}

function hasBytes({ tables }: SizedIndex['view'], bytesMin: number): boolean {
  let bytes = 0;
  for (const table of tables) {
    for (let row = 0; row < table.count; row++) {
      bytes += table.packedBytesAt(row);
      if (bytes >= bytesMin) return true;
    }
  }
  return false;
}
