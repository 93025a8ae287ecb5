// Removes a directory with everything in it: what stands where a snapshot has something else, and
// what a snapshot does not have. No link is followed, nothing that is mounted is entered, and
// neither the stack nor the open descriptors grow with the depth of the tree.

import { EngineError, isEngineError } from '#engine/base/errors.ts';
import { joinPath } from '#engine/snapshot/source/source-handle.ts';
import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { printablePath } from '#engine/snapshot/source/source-name.ts';
import { ENTRY_TYPE } from '#engine/snapshot/source/source-stat.ts';

import { TargetDirectories } from './target-directories.ts';
import type { TargetFileSystem } from './target-file-system.ts';
import type { TargetDirectory } from './target-handle.ts';
import { TargetStat } from './target-stat.ts';

/** How often a directory is emptied that others go on filling. */
const EMPTYINGS_MAX = 3;
/** Fewer than stay open at a time. */
const REOPENED_TOGETHER = 16;
const CHECKPOINT_ENTRIES = 1024;

export interface RemoveTreeOptions {
  /** Called now and then; what it throws ends the removal. */
  readonly checkpoint?: () => void;
  /** A directory that stays with all that is in it, by whichever name it is met. */
  readonly spared?: TargetStat;
}

/**
 * Removes whatever has the name, a directory or not; how many entries that were.
 * @throws TARGET_ENTRY_FAILED with EXDEV where something is mounted, TARGET_ENTRY_REFUSED where the
 *   spared directory is, the first other failure
 */
export function removeTree(
  fileSystem: TargetFileSystem,
  parent: TargetDirectory,
  name: Uint8Array,
  options: RemoveTreeOptions = {},
): number {
  const stat = new TargetStat();
  if (!fileSystem.statAt(parent, name, stat)) return 0;
  if (!stat.isDirectory) return fileSystem.remove(parent, name) ? 1 : 0;
  using removal = new Removal(fileSystem, parent, options);
  removal.run(name);
  return removal.count;
}

/** Says what removeTree() would of the directory at `name` itself. @throws TARGET_ENTRY_REFUSED */
export function assertRemovable(
  fileSystem: TargetFileSystem,
  parent: TargetDirectory,
  name: Uint8Array,
  { spared }: Pick<RemoveTreeOptions, 'spared'>,
): void {
  const stat = new TargetStat();
  if (!spared || !fileSystem.statAt(parent, name, stat) || !stat.isSameInode(spared)) return;
  throw isSpared(joinPath(parent.path, name));
}

function isSpared(path: Uint8Array): EngineError {
  const shown = printablePath(path);
  return new EngineError(
    'TARGET_ENTRY_REFUSED',
    `removing ${shown} was refused: it is the repository's directory by another path`,
    { details: { path: shown } },
  );
}

class Removal implements Disposable {
  count = 0;
  readonly #fileSystem: TargetFileSystem;
  readonly #directories: TargetDirectories;
  readonly #checkpoint: () => void;
  readonly #spared: TargetStat | undefined;
  readonly #stat = new TargetStat();
  readonly #listing = new SourceListing();

  constructor(
    fileSystem: TargetFileSystem,
    parent: TargetDirectory,
    { checkpoint = () => undefined, spared }: RemoveTreeOptions,
  ) {
    this.#fileSystem = fileSystem;
    this.#directories = new TargetDirectories(fileSystem, parent, { staysOnMount: true });
    this.#checkpoint = checkpoint;
    this.#spared = spared;
  }

  [Symbol.dispose](): void {
    this.#directories[Symbol.dispose]();
  }

  run(name: Uint8Array): void {
    const names = [name];
    /** Directories yet to be removed, of each directory on the way down. */
    const pending = [this.#empty(names)];
    /** How often the last of them has been emptied. */
    const emptyings = [1];
    while (names.length > 0) {
      const next = pending[names.length - 1].pop();
      if (next !== undefined) {
        names.push(next);
        pending.push(this.#empty(names));
        emptyings.push(1);
      } else if (this.#removeEmptied(names, emptyings[names.length - 1] < EMPTYINGS_MAX)) {
        names.pop();
        pending.pop();
        emptyings.pop();
      } else {
        emptyings[names.length - 1]++;
        pending[names.length - 1] = this.#empty(names);
      }
    }
  }

  /** Removes what is no directory; the names of the directories. */
  #empty(names: readonly Uint8Array[]): Uint8Array[] {
    const directory = this.#directories.at(names);
    this.#assertNotSpared(directory);
    this.#fileSystem.makeWritable(directory);
    const listing = this.#listing;
    this.#fileSystem.list(directory, listing);
    const directories: Uint8Array[] = [];
    for (const index of listing.order) {
      const name = listing.nameAt(index);
      const isDirectory = listing.typeAt(index) === ENTRY_TYPE.directory;
      if (isDirectory || !this.#remove(directory, name)) directories.push(name.slice());
    }
    return directories;
  }

  /** Asked of what is open: what has its name meanwhile does not matter. */
  #assertNotSpared(directory: TargetDirectory): void {
    if (this.#spared === undefined) return;
    this.#fileSystem.statOpen(directory, this.#stat);
    if (this.#stat.isSameInode(this.#spared)) throw isSpared(directory.path);
  }

  /** False when a directory has taken the name. */
  #remove(directory: TargetDirectory, name: Uint8Array): boolean {
    try {
      if (this.#fileSystem.remove(directory, name)) this.#countOne();
      return true;
    } catch (error) {
      if (isEngineError(error, 'TARGET_NOT_EMPTY')) return false;
      throw error;
    }
  }

  /** False when it is not empty any more and `mayTryAgain`. */
  #removeEmptied(names: readonly Uint8Array[], mayTryAgain: boolean): boolean {
    this.#directories.forget(names);
    const parent = this.#above(names);
    try {
      this.#fileSystem.removeDirectory(parent, names[names.length - 1]);
    } catch (error) {
      if (mayTryAgain && isEngineError(error, 'TARGET_NOT_EMPTY')) return false;
      throw error;
    }
    this.#countOne();
    return true;
  }

  /**
   * The directory that the last of `names` is in. When it has been closed on the way down, those
   * above it have been, too, and will be asked for next.
   */
  #above(names: readonly Uint8Array[]): TargetDirectory {
    const depth = names.length - 1;
    const isOpen = this.#directories.has(names.slice(0, depth));
    const first = isOpen ? depth : Math.max(0, depth - REOPENED_TOGETHER);
    for (let at = first; at < depth; at++) this.#directories.at(names.slice(0, at));
    return this.#directories.at(names.slice(0, depth));
  }

  #countOne(): void {
    if (++this.count % CHECKPOINT_ENTRIES === 0) this.#checkpoint();
  }
}
