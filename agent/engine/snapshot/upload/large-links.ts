// Large files with several names: one of them is read, the others wait for it and take its object.

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

  /** @returns those that waited; without an object they have to be read */
  settle({ file }: PlacedFile, stored: StoredContents | undefined): PlacedFile[] {
    const key = keyOf(file);
    const known = key === undefined ? undefined : this.#files.get(key);
    if (key === undefined || known === undefined) return [];
    if (stored) known.stored = stored;
    else this.#files.delete(key);
    return known.waiting.splice(0);
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

/** A file that has changed since is another one. */
function keyOf(file: LargeFile): string | undefined {
  const { extras, bytes, ctimeSeconds, ctimeNanoseconds } = file;
  if (extras?.linkGroup === undefined) return undefined;
  return `${extras.linkGroup} ${bytes} ${ctimeSeconds} ${ctimeNanoseconds}`;
}
