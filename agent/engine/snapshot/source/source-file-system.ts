// What a worker thread asks of the tree that is backed up. All calls are synchronous: workers have
// nothing else to do meanwhile, and the detour through the event loop costs more than the call.
//
// Everything below the root is opened relative to the handle of its directory and never through a
// link, so neither long paths nor a tree that is changed under us lead elsewhere. Implementations:
// native-file-system.ts and portable-file-system.ts, with equal results. An instance belongs to one
// thread; descriptors belong to the process.

import type { Arena } from '#engine/base/arena.ts';

import { joinPath, type OpenSource, type SourceHandle } from './source-handle.ts';
import type { Holes } from './holes.ts';
import type { SourceAttributes } from './source-attributes.ts';
import type { SourceListing } from './source-listing.ts';
import type { SourceStat } from './source-stat.ts';

/** An open directory. Whoever opened it closes it: `using directory = …`. */
export type SourceDirectory = SourceHandle;
export type SourceFile = SourceHandle;

export interface OpenRootOptions {
  /** Whether the path may go through links. A path that a person typed may; below it none is. */
  readonly followsLinks: boolean;
}

export interface ReadRange {
  readonly targetOffset: number;
  readonly length: number;
  /** Offset in the file; the descriptor's own position when absent. */
  readonly position?: number;
}

export interface SourceFileSystem {
  readonly kind: 'native' | 'portable';

  /** @throws SOURCE_NOT_FOUND when there is no directory, SOURCE_UNREADABLE */
  openRoot(path: string | Uint8Array, options: OpenRootOptions): SourceDirectory;

  /**
   * The child that stands at `index` of `names`.
   * @throws SOURCE_VANISHED, SOURCE_CHANGED, SOURCE_UNREADABLE, LIMIT_EXCEEDED
   */
  openDirectory(parent: SourceDirectory, names: SourceListing, index: number): SourceDirectory;

  /**
   * Replaces what `listing` holds by the names in the directory without `.` and `..`, sorted
   * (SourceListing.sort). A type that the file system does not report is asked for one by one;
   * ENTRY_TYPE.unknown is left only where the entry may not be seen.
   * @throws SOURCE_UNREADABLE, LIMIT_EXCEEDED
   */
  list(directory: SourceDirectory, listing: SourceListing): void;

  /**
   * Fills `stat` with the entry itself, not what a link points to.
   * @throws SOURCE_VANISHED, SOURCE_UNREADABLE
   */
  statAt(directory: SourceDirectory, names: SourceListing, index: number, stat: SourceStat): void;

  /**
   * Opens for reading. Never blocks, never follows a link (SOURCE_CHANGED), leaves the access time
   * alone where permitted. What was opened may be of any type: look at statOpen before reading.
   * @throws SOURCE_VANISHED, SOURCE_CHANGED, SOURCE_UNREADABLE, LIMIT_EXCEEDED
   */
  openFile(directory: SourceDirectory, names: SourceListing, index: number): SourceFile;

  /** Fills `stat` with what is open. @throws SOURCE_UNREADABLE */
  statOpen(source: OpenSource, stat: SourceStat): void;

  /**
   * Reads up to `length` bytes to target.bytes[targetOffset]. Returns how many there were: 0 at the
   * end, fewer than asked at any time.
   * @throws SOURCE_UNREADABLE
   */
  read(source: OpenSource, target: Arena, range: ReadRange): number;

  /**
   * Where a file that is open has holes; undefined for none, and where nobody can tell.
   * @throws SOURCE_UNREADABLE
   */
  holesOf(source: OpenSource, stat: SourceStat): Holes | undefined;

  /** The target of a link, a copy. @throws SOURCE_VANISHED, SOURCE_CHANGED, SOURCE_UNREADABLE */
  readLink(directory: SourceDirectory, names: SourceListing, index: number): Uint8Array;

  /**
   * What a file or directory that is open has beyond `stat`, which describes it; undefined when
   * that is nothing. What cannot be read is named in the result. node:fs can see none of it.
   */
  attributesOf(source: OpenSource, stat: SourceStat): SourceAttributes | undefined;

  /** The same for what must not be opened or cannot: links, pipes, sockets, devices. */
  attributesAt(
    directory: SourceDirectory,
    names: SourceListing,
    index: number,
    stat: SourceStat,
  ): SourceAttributes | undefined;
}

/** Path of an entry for messages. */
export function entryPath(
  directory: SourceDirectory,
  names: SourceListing,
  index: number,
): Uint8Array {
  return joinPath(directory.path, names.nameAt(index));
}
