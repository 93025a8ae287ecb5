// Divides the names of a very large directory into pages, each with its part of the parent
// snapshot.

import type { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import type { PreviousEntries } from './previous-entries.ts';
import type { DirectoryPage } from './upload-tasks.ts';

/** Some 50 ms of work where files are small. */
const PAGE_ENTRIES = 2048;
const NONE = -1;
const NOTHING = new Uint8Array(0);

export class PageBuilder {
  readonly #pages: DirectoryPage[] = [];
  readonly #listing: SourceListing;
  readonly #previous: PreviousEntries;
  #indexes: number[] = [];
  #firstPosition = NONE;
  #lastPosition = NONE;

  constructor(listing: SourceListing, previous: PreviousEntries) {
    this.#listing = listing;
    this.#previous = previous;
  }

  /** `position` is that in the parent's table, or -1. */
  add(index: number, position: number): void {
    this.#indexes.push(index);
    if (position !== NONE) {
      if (this.#firstPosition === NONE) this.#firstPosition = position;
      this.#lastPosition = position;
    }
    if (this.#indexes.length === PAGE_ENTRIES) this.#turn();
  }

  finish(): DirectoryPage[] {
    if (this.#indexes.length > 0) this.#turn();
    return this.#pages;
  }

  #turn(): void {
    const { table, known } = this.#previous;
    const first = this.#firstPosition;
    // What is not in order has no part that belongs to a page; its files are read again.
    const hasPrevious = first !== NONE && table.isSorted;
    const count = this.#lastPosition + 1 - first;
    const stamps = hasPrevious ? known?.stamps(first - table.directoryCount, count) : undefined;
    this.#pages.push({
      names: this.#names(),
      types: new Uint8Array(this.#indexes.map(index => this.#listing.types[index])),
      previous: new Uint8Array(hasPrevious ? table.textsOf(first, this.#lastPosition) : NOTHING),
      stamps: stamps && new Uint32Array(stamps),
      ...this.#partials(),
    });
    this.#indexes = [];
    this.#firstPosition = NONE;
    this.#lastPosition = NONE;
  }

  #partials(): Pick<DirectoryPage, 'partials'> {
    const { partials } = this.#previous;
    if (partials.size === 0) return {};
    const found = this.#indexes.map(index => partials.get(this.#listing.textAt(index)));
    return { partials: found.filter(entry => entry !== undefined) };
  }

  #names(): Uint8Array<ArrayBuffer> {
    const { lengths } = this.#listing;
    const bytes = this.#indexes.reduce((sum, index) => sum + lengths[index] + 1, 0);
    const names = new Uint8Array(bytes);
    let at = 0;
    for (const index of this.#indexes) {
      names.set(this.#listing.nameAt(index), at);
      at += lengths[index] + 1;
    }
    return names;
  }
}
