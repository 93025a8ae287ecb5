// Open directories of the source, the last few that one thread has used. A directory is addressed
// by the names that lead to it and opened from the nearest ancestor that is open, one name at a
// time: neither a path that is too long nor a link that was put in the way can lead elsewhere.

import type {
  SourceDirectory,
  SourceFileSystem,
} from '#engine/snapshot/source/source-file-system.ts';
import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { ENTRY_TYPE } from '#engine/snapshot/source/source-stat.ts';

const OPEN_MAX = 32;

export class DirectoryHandles implements Disposable {
  readonly #fileSystem: SourceFileSystem;
  readonly #root: SourceDirectory;
  /** Holds one name at a time; a listing is large, and one is enough. */
  readonly #name = new SourceListing();
  /** By key; a Map keeps the order of use. */
  readonly #open = new Map<string, SourceDirectory>();

  constructor(fileSystem: SourceFileSystem, root: Uint8Array) {
    this.#fileSystem = fileSystem;
    this.#root = fileSystem.openRoot(root, { followsLinks: true });
  }

  /**
   * The directory at `names` below the root; it stays open until others push it out, at least until
   * the next call.
   * @throws SOURCE_VANISHED, SOURCE_CHANGED, SOURCE_UNREADABLE
   */
  at(names: readonly Uint8Array[]): SourceDirectory {
    const keys = keysOf(names);
    let depth = names.length;
    while (depth > 0 && !this.#open.has(keys[depth])) depth--;
    let directory = depth === 0 ? this.#root : this.#touch(keys[depth]);
    for (; depth < names.length; depth++) {
      directory = this.#openChild(directory, names[depth]);
      this.#keep(keys[depth + 1], directory);
    }
    return directory;
  }

  /**
   * Closes all that leads to `names`, so that the next call follows them anew. Otherwise a thread
   * stays in a directory that another one has replaced.
   */
  forget(names: readonly Uint8Array[]): void {
    for (const key of keysOf(names)) {
      this.#open.get(key)?.[Symbol.dispose]();
      this.#open.delete(key);
    }
  }

  [Symbol.dispose](): void {
    for (const directory of this.#open.values()) directory[Symbol.dispose]();
    this.#open.clear();
    this.#root[Symbol.dispose]();
  }

  #openChild(parent: SourceDirectory, name: Uint8Array): SourceDirectory {
    this.#name.clear();
    const index = this.#name.add(name, ENTRY_TYPE.directory);
    return this.#fileSystem.openDirectory(parent, this.#name, index);
  }

  #touch(key: string): SourceDirectory {
    const directory = this.#open.get(key) ?? this.#root;
    this.#open.delete(key);
    this.#open.set(key, directory);
    return directory;
  }

  #keep(key: string, directory: SourceDirectory): void {
    if (this.#open.size >= OPEN_MAX) {
      const [oldest] = this.#open;
      oldest[1][Symbol.dispose]();
      this.#open.delete(oldest[0]);
    }
    this.#open.set(key, directory);
  }
}

/** Keys of the root, of its child on the way, and so on down to the directory itself. */
function keysOf(names: readonly Uint8Array[]): string[] {
  const keys = [''];
  for (const name of names) keys.push(`${keys[keys.length - 1]}/${latin1(name)}`);
  return keys;
}

function latin1(name: Uint8Array): string {
  return Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString('latin1');
}
