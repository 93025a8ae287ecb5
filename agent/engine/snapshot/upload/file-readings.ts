// Large files that threads are reading, and what has been read of them.

import type { OpenDirectory, PlacedFile } from './open-directory.ts';
import type { SharedReading } from './shared-reading.ts';
import type { PartialFileInput } from './upload-tasks.ts';

export interface FileReading {
  readonly placed: PlacedFile;
  readonly reading: SharedReading;
  /** 1, or 2 when it is read once more. */
  readonly attempt: number;
  /** Before anything was read, by Date.now(). */
  readonly sinceMs: number;
}

export class FileReadings {
  readonly #open = new Set<FileReading>();
  #givenUpBytes = 0;

  add(open: FileReading): void {
    this.#open.add(open);
  }

  /** It is stored, and counts as that from now on. */
  end(open: FileReading): void {
    this.#open.delete(open);
  }

  /** It failed or has changed: what was read of it stays read. */
  giveUp(open: FileReading): void {
    this.#open.delete(open);
    this.#givenUpBytes += open.reading.readBytes;
  }

  /** What threads have brought back of files that are not stored. */
  get bytes(): number {
    let bytes = this.#givenUpBytes;
    for (const { reading } of this.#open) bytes += reading.readBytes;
    return bytes;
  }

  /** What a checkpoint can keep of each. */
  partials(): { directory: OpenDirectory; partial: PartialFileInput | undefined }[] {
    return [...this.#open].map(({ placed, reading }) => {
      return { directory: placed.directory, partial: reading.partial };
    });
  }
}
