// Divides the names of a very large directory into pages.

import type { DirEntry } from '#engine/format/directory.ts';
import type { DirectoryPage } from './upload-tasks.ts';

/** Some 50 ms of work where files are small. */
const PAGE_ENTRIES = 2048;

export class PageBuilder {
  readonly #pages: DirectoryPage[] = [];
  #names: Uint8Array[] = [];
  #previous: DirEntry[] = [];

  add(name: Uint8Array, previous: DirEntry | undefined): void {
    this.#names.push(name);
    if (previous) this.#previous.push(previous);
    if (this.#names.length === PAGE_ENTRIES) this.#turn();
  }

  finish(): DirectoryPage[] {
    if (this.#names.length > 0) this.#turn();
    return this.#pages;
  }

  #turn(): void {
    this.#pages.push({ names: this.#names, previous: this.#previous });
    this.#names = [];
    this.#previous = [];
  }
}
