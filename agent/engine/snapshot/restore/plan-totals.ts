// Adds up the sections of a plan for a dry run.

import type { ChunkRange } from './pack-order.ts';
import { ENTRY_ACTION, ENTRY_KIND, type SectionTable } from './plan-tables.ts';

export interface PlannedPack {
  readonly packId: string;
  /** Requests that it takes to read what is wanted of it. */
  readonly ranges: number;
  readonly bytes: number;
}

/** Paths that are listed. */
const TO_REMOVE_MAX = 1000;

export class PlanTotals {
  directories = 0;
  #files = 0;
  #symlinks = 0;
  #special = 0;
  #hardLinks = 0;
  #bytes = 0;
  #bytesToFetch = 0;
  #removeCount = 0;
  readonly #toRemove: string[] = [];
  readonly #packs = new Map<string, { ranges: number; bytes: number }>();

  addEntries({ entries, entryCount }: SectionTable): void {
    for (let row = 0; row < entryCount; row++) {
      if (entries.action[row] === ENTRY_ACTION.failed) continue;
      if (entries.action[row] === ENTRY_ACTION.link) this.#hardLinks += 1;
      else if (entries.kind[row] === ENTRY_KIND.symlink) this.#symlinks += 1;
      else if (entries.kind[row] === ENTRY_KIND.special) this.#special += 1;
      else {
        this.#files += 1;
        this.#bytes += entries.bytes[row];
      }
    }
  }

  addRanges({ packIds }: SectionTable, ranges: readonly ChunkRange[]): void {
    for (const { pack, length } of ranges) {
      const known = this.#packs.get(packIds[pack]) ?? { ranges: 0, bytes: 0 };
      this.#packs.set(packIds[pack], { ranges: known.ranges + 1, bytes: known.bytes + length });
      this.#bytesToFetch += length;
    }
  }

  addRemoved(paths: readonly string[]): void {
    this.#removeCount += paths.length;
    this.#toRemove.push(...paths.slice(0, TO_REMOVE_MAX - this.#toRemove.length));
  }

  totals() {
    return {
      directories: this.directories,
      files: this.#files,
      symlinks: this.#symlinks,
      special: this.#special,
      hardLinks: this.#hardLinks,
      bytes: this.#bytes,
      bytesToFetch: this.#bytesToFetch,
      toRemove: this.#toRemove,
      toRemoveCount: this.#removeCount,
      packs: [...this.#packs].map(([packId, pack]): PlannedPack => ({ packId, ...pack })),
    };
  }
}
