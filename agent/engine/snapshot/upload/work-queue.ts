// What the upload does next. Directories are taken depth first, so that few are open at a time;
// what completes something goes before what begins something; threads that would stand idle help
// with files that others have begun.

import type { FileReading } from './file-readings.ts';
import type { ChildRequest, Compared } from './compare-directories.ts';
import type { OpenDirectory, PlacedFile, PlacedPage, TakenChild } from './open-directory.ts';

export type Work =
  | { readonly kind: 'write'; readonly directory: OpenDirectory }
  | { readonly kind: 'page'; readonly placed: PlacedPage }
  | { readonly kind: 'file'; readonly placed: PlacedFile }
  | { readonly kind: 'join'; readonly reading: FileReading }
  | {
      readonly kind: 'children';
      readonly parent: OpenDirectory;
      readonly children: readonly TakenChild[];
    }
  | { readonly kind: 'scan'; readonly child: ComparedChild };

/** A child directory that has been compared and is to be listed. */
export interface ComparedChild {
  readonly request: ChildRequest;
  readonly compared: Compared;
}

export class WorkQueue {
  readonly writes: OpenDirectory[] = [];
  readonly pages: PlacedPage[] = [];
  readonly files: PlacedFile[] = [];
  readonly compared: ComparedChild[] = [];
  readonly readings = new Set<FileReading>();
  readonly #stack: OpenDirectory[] = [];
  readonly #readersMax: number;

  constructor(readersMax: number) {
    this.#readersMax = readersMax;
  }

  /** Adds a directory whose children are to be listed. */
  push(directory: OpenDirectory): void {
    this.#stack.push(directory);
  }

  /** The next thing to do; undefined when everything that is left is being done. */
  next(): Work | undefined {
    const directory = this.writes.pop();
    if (directory) return { kind: 'write', directory };
    // Before more pages: each may bring two thousand files more.
    const file = this.files.shift();
    if (file) return { kind: 'file', placed: file };
    const page = this.pages.shift();
    if (page) return { kind: 'page', placed: page };
    const child = this.compared.shift();
    if (child) return { kind: 'scan', child };
    return this.#nextChildren() ?? this.#join();
  }

  #nextChildren(): Work | undefined {
    for (;;) {
      const parent = this.#stack.at(-1);
      if (parent === undefined) return undefined;
      const children = parent.takeChildren();
      if (children.length > 0) return { kind: 'children', parent, children };
      this.#stack.pop();
    }
  }

  #join(): Work | undefined {
    for (const reading of this.readings) {
      if (reading.reading.readers < this.#readersMax) return { kind: 'join', reading };
    }
    return undefined;
  }
}
