// Open directories of the target, the last few that one thread has used. A directory is addressed
// by the names that lead to it from the root and opened from the nearest ancestor that is open, in
// one call where the kernel has openat2(2): beneath that ancestor, through no link. Elsewhere one
// name at a time, never following: neither a path that is too long nor a link that was put in the
// way leads elsewhere.

import { constants as osConstants } from 'node:os';

import { joinPath } from '#engine/snapshot/source/source-handle.ts';

import { OPEN_DIRECTORY, RESOLVE_INSIDE } from './target-calls.ts';
import { targetError } from './target-error.ts';
import type { TargetFileSystem } from './target-file-system.ts';
import { TargetDirectory } from './target-handle.ts';
import { assertSafeName } from './target-name.ts';
import { TEXT_BYTES_MAX } from './scratch-text.ts';

/** Open directories of one thread. */
const OPEN_MAX = 32;
const SLASH = 0x2f;
const { ENOSYS, EPERM } = osConstants.errno;

export class TargetDirectories implements Disposable {
  readonly #fileSystem: TargetFileSystem;
  readonly #root: TargetDirectory;
  /** By key; a Map keeps the order of use. */
  readonly #open = new Map<string, TargetDirectory>();
  #hasOpenBeneath = true;
  #lastNames: readonly Uint8Array[] = [];
  #last: TargetDirectory | undefined;

  /** The root stays the caller's to close. */
  constructor(fileSystem: TargetFileSystem, root: TargetDirectory) {
    this.#fileSystem = fileSystem;
    this.#root = root;
  }

  /**
   * The directory at `names` below the root; it stays open until others push it out, at least until
   * the next call. Asking again for the same is cheap where the names are the same arrays, which
   * nobody may write over.
   * @throws TARGET_NAME_UNSAFE, TARGET_ENTRY_FAILED and what ends a restore
   */
  at(names: readonly Uint8Array[]): TargetDirectory {
    if (this.#last !== undefined && areSame(this.#lastNames, names)) return this.#last;
    const keys = keysOf(names);
    let depth = names.length;
    while (depth > 0 && !this.#open.has(keys[depth])) depth--;
    let directory = depth === 0 ? this.#root : this.#touch(keys[depth]);
    if (depth < names.length) {
      directory = this.#openBelow(directory, names, depth);
      this.#keep(keys[names.length], directory);
    }
    this.#lastNames = names.slice();
    this.#last = directory;
    return directory;
  }

  /** Closes what is open at `names` and below it: to be called before that is removed or moved. */
  forget(names: readonly Uint8Array[]): void {
    const key = keysOf(names)[names.length];
    this.#last = undefined;
    for (const [other, directory] of this.#open) {
      if (other !== key && !other.startsWith(`${key}/`)) continue;
      this.#open.delete(other);
      directory[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    this.forget([]);
  }

  /** Opens names[depth], names[depth + 1], … from `start`. */
  #openBelow(start: TargetDirectory, names: readonly Uint8Array[], depth: number): TargetDirectory {
    let directory = start;
    for (let at = depth; at < names.length;) {
      let end = at + 1;
      if (this.#hasOpenBeneath) {
        let bytes = names[at].length;
        while (end < names.length && bytes + names[end].length + 2 < TEXT_BYTES_MAX) {
          bytes += names[end++].length + 1;
        }
      }
      const above = directory;
      try {
        directory = this.#openSeveral(above, names.slice(at, end));
      } finally {
        if (above !== start) above[Symbol.dispose]();
      }
      at = end;
    }
    return directory;
  }

  #openSeveral(above: TargetDirectory, names: readonly Uint8Array[]): TargetDirectory {
    const { calls } = this.#fileSystem;
    for (const name of names) assertSafeName(above, name);
    if (this.#hasOpenBeneath) {
      const path = joinNames(names);
      const flags = OPEN_DIRECTORY;
      const descriptor = calls.openBeneath(above.descriptor, path, flags, RESOLVE_INSIDE);
      if (descriptor >= 0) return new TargetDirectory(calls, descriptor, above, names);
      if (descriptor !== -ENOSYS && descriptor !== -EPERM) {
        throw targetError({ attempt: 'open', path: pathOf(above, names), errno: -descriptor });
      }
    }
    const directory = this.#openOneByOne(above, names);
    // Older kernels do not have it, and some filters of system calls say EPERM.
    this.#hasOpenBeneath = false;
    return directory;
  }

  #openOneByOne(above: TargetDirectory, names: readonly Uint8Array[]): TargetDirectory {
    const { calls } = this.#fileSystem;
    let directory = above;
    for (const [index, name] of names.entries()) {
      const descriptor = calls.openAt(directory.descriptor, name, OPEN_DIRECTORY, 0);
      if (directory !== above) directory[Symbol.dispose]();
      const way = names.slice(0, index + 1);
      if (descriptor < 0) {
        throw targetError({ attempt: 'open', path: pathOf(above, way), errno: -descriptor });
      }
      directory = new TargetDirectory(calls, descriptor, above, way);
    }
    return directory;
  }

  #touch(key: string): TargetDirectory {
    const directory = this.#open.get(key) ?? this.#root;
    this.#open.delete(key);
    this.#open.set(key, directory);
    return directory;
  }

  #keep(key: string, directory: TargetDirectory): void {
    if (this.#open.size >= OPEN_MAX) {
      const [[oldestKey, oldest]] = this.#open;
      this.#open.delete(oldestKey);
      oldest[Symbol.dispose]();
    }
    this.#open.set(key, directory);
  }
}

function areSame(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}

function pathOf(above: TargetDirectory, names: readonly Uint8Array[]): Uint8Array {
  return names.reduce(joinPath, above.path);
}

function joinNames(names: readonly Uint8Array[]): Uint8Array {
  const bytes = names.reduce((sum, name) => sum + name.length + 1, -1);
  const path = new Uint8Array(bytes);
  let at = 0;
  for (const name of names) {
    if (at > 0) path[at++] = SLASH;
    path.set(name, at);
    at += name.length;
  }
  return path;
}

/** Keys of the root, of its child on the way, and so on down to the directory itself. */
function keysOf(names: readonly Uint8Array[]): string[] {
  const keys = [''];
  for (const name of names) {
    const text = Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString('latin1');
    keys.push(`${keys[keys.length - 1]}/${text}`);
  }
  return keys;
}
