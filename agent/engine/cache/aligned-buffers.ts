// Memory that a disk may read from by itself (direct-file.ts): it begins at a whole page. A few
// pieces serve all segments of a cache by turns, since memory that was used a moment ago costs
// nothing, and fresh memory a page fault for each 4 KiB. They are given back when nobody uses one.

import { allocateAlignedArena } from '#engine/base/arena.ts';
import { releaseBuffer } from '#engine/base/release-buffer.ts';
import { WINDOW_BYTES } from './entry-table.ts';

/** No disk wants more; an ArrayBuffer of the heap begins 16 bytes into a page. */
const ALIGNMENT_BYTES = 4096;
/** As many as threads of libuv, which write them. */
export const ALIGNED_BUFFERS_MAX = 4;

/** Until it is disposed of. */
export interface LentBuffer extends Disposable {
  /** As long as the longest entry. */
  readonly bytes: Uint8Array;
}

export class AlignedBuffers {
  readonly #free: Uint8Array[] = [];
  readonly #waiting: ((bytes: Uint8Array) => void)[] = [];
  #lentCount = 0;

  /** How many are in memory. */
  get count(): number {
    return this.#free.length + this.#lentCount;
  }

  /** Waits while all are lent; those who came first get theirs first. */
  async take(): Promise<LentBuffer> {
    const bytes = await this.#next();
    let isLent = true;
    return {
      bytes,
      [Symbol.dispose]: () => {
        if (isLent) this.#giveBack(bytes);
        isLent = false;
      },
    };
  }

  async #next(): Promise<Uint8Array> {
    const free = this.#free.pop();
    if (free === undefined && this.count >= ALIGNED_BUFFERS_MAX) {
      return await new Promise(resolve => this.#waiting.push(resolve));
    }
    this.#lentCount++;
    // Without native calls nobody knows where it is; the kernel refuses it then.
    return free ?? allocateAlignedArena(WINDOW_BYTES, ALIGNMENT_BYTES).bytes;
  }

  #giveBack(bytes: Uint8Array): void {
    const next = this.#waiting.shift();
    if (next) return next(bytes);
    this.#lentCount--;
    this.#free.push(bytes);
    if (this.#lentCount > 0) return;
    for (const { buffer } of this.#free) releaseBuffer(buffer);
    this.#free.length = 0;
  }
}
