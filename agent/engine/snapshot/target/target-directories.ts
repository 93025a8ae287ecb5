// Open directories of the target, the last few that one thread has used. A directory is addressed
// by the names that lead to it from the root and opened from the nearest ancestor that is open, in
// one call where the kernel has openat2(2): beneath that ancestor, through no link. Elsewhere one
// name at a time, never following: neither a path that is too long nor a link that was put in the
// way leads elsewhere.

import { constants as osConstants } from 'node:os';

import { KeyMaker } from './key-maker.ts';
import { isSameMount } from './mount-identity.ts';
import { OPEN_DIRECTORY, RESOLVE_INSIDE, RESOLVE_NO_XDEV } from './target-calls.ts';
import { targetError } from './target-error.ts';
import type { TargetFileSystem } from './target-file-system.ts';
import { TargetDirectory } from './target-handle.ts';
import { joinNames } from './target-path.ts';
import { TEXT_BYTES_MAX } from './scratch-text.ts';

/** Open directories of one thread. */
const OPEN_MAX = 32;
const { ENOSYS, EPERM, EXDEV } = osConstants.errno;

export interface TargetDirectoriesOptions {
  /** Whether what is mounted below the root is refused (EXDEV). */
  readonly staysOnMount?: boolean;
}

export class TargetDirectories implements Disposable {
  readonly #fileSystem: TargetFileSystem;
  readonly #root: TargetDirectory;
  /** By key; a Map keeps the order of use. */
  readonly #open = new Map<string, TargetDirectory>();
  readonly #staysOnMount: boolean;
  #hasOpenBeneath = true;
  #lastKey = '';
  #last: TargetDirectory | undefined;
  readonly #keys = new KeyMaker();

  /** The root stays the caller's to close. */
  constructor(
    fileSystem: TargetFileSystem,
    root: TargetDirectory,
    { staysOnMount = false }: TargetDirectoriesOptions = {},
  ) {
    this.#staysOnMount = staysOnMount;
    this.#fileSystem = fileSystem;
    this.#root = root;
  }

  /**
   * The directory at `names` below the root; it stays open until others push it out, at least until
   * the next call. Asking for what begins as the last did is cheap where these names are the same
   * arrays, which nobody may write over.
   * @throws TARGET_NAME_UNSAFE, TARGET_ENTRY_FAILED and what ends a restore
   */
  at(names: readonly Uint8Array[]): TargetDirectory {
    const key = this.#keys.keyOf(names, this.#root);
    if (this.#last !== undefined && key === this.#lastKey) return this.#last;
    let directory = this.#touch(this.#nearest(key));
    const depth = directory === this.#root ? 0 : directory.depth;
    if (depth < names.length) {
      directory = this.#openBelow(directory, names, depth);
      this.#keep(key, directory);
    }
    this.#lastKey = key;
    this.#last = directory;
    return directory;
  }

  /** Whether the directory is open; asking does not open it. */
  has(names: readonly Uint8Array[]): boolean {
    return names.length === 0 || this.#open.has(this.#keys.keyOf(names, this.#root));
  }

  /** Closes what is open at `names` and below it: to be called before that is removed or moved. */
  forget(names: readonly Uint8Array[]): void {
    const key = this.#keys.keyOf(names, this.#root);
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

  /** Opens names[depth], names[depth + 1], … from `start`, as many at once as the kernel takes. */
  #openBelow(start: TargetDirectory, names: readonly Uint8Array[], depth: number): TargetDirectory {
    let directory = start;
    for (let at = depth; at < names.length;) {
      const end = this.#hasOpenBeneath ? endOfPath(names, at) : at + 1;
      const above = directory;
      try {
        const descriptor = this.#openSeveral(above, names.slice(at, end));
        const way = names.slice(0, end);
        if (descriptor < 0) {
          const path = joinNames(this.#root.path, way);
          throw targetError({ attempt: 'open', path, errno: -descriptor });
        }
        directory = new TargetDirectory(this.#fileSystem.calls, descriptor, this.#root, way);
      } finally {
        if (above !== start) above[Symbol.dispose]();
      }
      at = end;
    }
    return directory;
  }

  /** A descriptor or an errno below zero. */
  #openSeveral(above: TargetDirectory, names: readonly Uint8Array[]): number {
    if (this.#hasOpenBeneath) {
      const { calls } = this.#fileSystem;
      const resolve = RESOLVE_INSIDE | (this.#staysOnMount ? RESOLVE_NO_XDEV : 0);
      const path = joinNames(undefined, names);
      const descriptor = calls.openBeneath(above.descriptor, path, OPEN_DIRECTORY, resolve);
      if (descriptor !== -ENOSYS && descriptor !== -EPERM) return descriptor;
    }
    const descriptor = this.#openOneByOne(above.descriptor, names);
    // Older kernels do not have it, and some filters of system calls say EPERM.
    if (descriptor >= 0) this.#hasOpenBeneath = false;
    return descriptor;
  }

  #openOneByOne(above: number, names: readonly Uint8Array[]): number {
    let descriptor = above;
    for (const name of names) {
      const next = this.#openStep(descriptor, name);
      if (descriptor !== above) this.#fileSystem.calls.close(descriptor);
      if (next < 0) return next;
      descriptor = next;
    }
    return descriptor;
  }

  #openStep(above: number, name: Uint8Array): number {
    const { calls } = this.#fileSystem;
    const descriptor = calls.openAt(above, name, OPEN_DIRECTORY, 0);
    if (descriptor < 0 || !this.#staysOnMount) return descriptor;
    if (isSameMount(calls, above, descriptor)) return descriptor;
    calls.close(descriptor);
    return -EXDEV;
  }

  /**
   * The longest key that is open and is `key` or leads there. V8 hashes long texts fast and
   * compares them slowly, so it is asked for the beginnings that are as long as an open one.
   */
  #nearest(key: string): string {
    if (this.#open.has(key)) return key;
    const lengths = Array.from(this.#open.keys(), ({ length }) => length);
    for (const length of lengths.sort((a, b) => b - a)) {
      const isPrefix = length < key.length && this.#open.has(key.slice(0, length));
      if (isPrefix && key[length] === '/') return key.slice(0, length);
    }
    return '';
  }

  #touch(key: string): TargetDirectory {
    const directory = this.#open.get(key);
    if (directory === undefined) return this.#root;
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

/** Where the names that fit one path of the kernel's end. */
function endOfPath(names: readonly Uint8Array[], start: number): number {
  let end = start + 1;
  let bytes = names[start].length;
  while (end < names.length && bytes + names[end].length + 2 < TEXT_BYTES_MAX) {
    bytes += names[end++].length + 1;
  }
  return end;
}
