// Large files with several names: one of them is read, the others wait for it and take its object.

import { hasChangedSince } from '#engine/snapshot/source/change-record.ts';
import type { PlacedFile } from './open-directory.ts';
import type { StoredContents } from './file-contents.ts';
import type { LargeFile } from './upload-tasks.ts';

/** What falls out is read again. */
const FILES_MAX = 4096;

interface LinkedLarge {
  readonly waiting: PlacedFile[];
  stored: StoredContents | undefined;
}

export class LargeLinks {
  readonly #files = new Map<string, LinkedLarge>();

  /** The object that another name has; `wait` while it is being read; `read` to read it. */
  claim(placed: PlacedFile): StoredContents | 'wait' | 'read' {
    const key = keyOf(placed.file);
    if (key === undefined) return 'read';
    const known = this.#files.get(key);
    if (known?.stored) return known.stored;
    if (known) {
      known.waiting.push(placed);
      return 'wait';
    }
    if (this.#files.size >= FILES_MAX) this.#dropOldest();
    this.#files.set(key, { waiting: [], stored: undefined });
    return 'read';
  }

  /**
   * One of its names has been stored.
   * @param sinceMs when its reading began, or before; by Date.now()
   * @returns those that waited: to be claimed again
   */
  settle(placed: PlacedFile, stored: StoredContents, sinceMs: number): PlacedFile[] {
    // Within one tick of the clock it may have been written once more unseen. The name that was
    // read is read again next time; one that is looked at later would pass for certain.
    if (hasChangedSince(placed.file, sinceMs)) return this.giveUp(placed);
    const known = this.#known(placed);
    if (known) known.stored = stored;
    return known?.waiting.splice(0) ?? [];
  }

  /** What was read of it is not to stand for others. @returns those that waited, as settle does */
  giveUp(placed: PlacedFile): PlacedFile[] {
    const known = this.#known(placed);
    this.#files.delete(keyOf(placed.file) ?? '');
    return known?.waiting.splice(0) ?? [];
  }

  #known({ file }: PlacedFile): LinkedLarge | undefined {
    return this.#files.get(keyOf(file) ?? '');
  }

  /** One that nobody waits for, if there is any. */
  #dropOldest(): void {
    for (const [key, { stored }] of this.#files) {
      if (!stored) continue;
      this.#files.delete(key);
      return;
    }
  }
}

/**
 * A file that has changed since is another one. All that small ones compare, too: where inodes are
 * made up and change times are coarse, two files may have those in common.
 */
function keyOf(file: LargeFile): string | undefined {
  const { extras, bytes, mtimeSeconds, mtimeNanoseconds, ctimeSeconds, ctimeNanoseconds } = file;
  if (extras?.linkGroup === undefined) return undefined;
  const times = [mtimeSeconds, mtimeNanoseconds, ctimeSeconds, ctimeNanoseconds];
  return [extras.linkGroup, bytes, ...times].join(' ');
}
