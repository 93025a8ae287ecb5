// One directory as the snapshot will hold it: listed, in kopia's order, without what the rules
// leave out. The upload walks by calling this for each directory; nothing here recurses.

import { allocateArena } from '#engine/base/arena.ts';
import { equalBytes } from '#engine/base/bytes.ts';
import { isEngineError, type EngineError } from '#engine/base/errors.ts';

import { IGNORE_FILE_BYTES_MAX } from './ignore-file.ts';
import { openLinkedFile } from './linked-file.ts';
import { unusableIgnoreFile } from './unusable-ignore-file.ts';
import type { GitRuleList } from './git-rules.ts';
import { NameRules } from './name-rules.ts';
import {
  exclusionByStat,
  gitIgnoreFileNames,
  isUnrestricted,
  withGitIgnoreFile,
  withIgnoreFile,
  type Exclusion,
  type Selection,
} from './selection.ts';
import type { SourceDirectory, SourceFile, SourceFileSystem } from './source-file-system.ts';
import type { SourceListing } from './source-listing.ts';
import { joinPath } from './source-handle.ts';
import { ENTRY_TYPE, type SourceStat } from './source-stat.ts';

/** What a cache directory is told by (CACHEDIR.TAG). */
export const CACHE_TAG_NAME = new TextEncoder().encode('CACHEDIR.TAG');
/** https://bford.info/cachedir/; kopia internal/cachedir. */
const TAG_SIGNATURE = new TextEncoder().encode('Signature: 8a477f597d28d172789f06886806bc55');
const FIRST_READ_BYTES = 4096;

export interface ScanRequest {
  readonly fileSystem: SourceFileSystem;
  readonly directory: SourceDirectory;
  /** What statOpen says of the directory. */
  readonly directoryStat: SourceStat;
  /** createSelection for the root, enterDirectory for a child. */
  readonly selection: Selection;
  /** What the whole backup leaves out by name. */
  readonly excludes?: readonly GitRuleList[];
  /** Holds the names afterwards; not to be reused while they are needed. */
  readonly listing: SourceListing;
  /** Scratch that visit() is handed. */
  readonly stat: SourceStat;
}

/** What happens to each entry, in kopia's order. An index is a position in the listing. */
export interface EntryVisitor {
  /**
   * Asked for files only: true when the file will be opened anyway, so that statOpen after openFile
   * replaces the look by path. Its visit then gets no stat, and exclusionByStat is the visitor's.
   */
  readonly isOpenedAnyway?: (index: number) => boolean;
  /** An entry to store, or of a type that cannot be stored (isStorableType); stat is scratch. */
  readonly visit: (index: number, stat: SourceStat | undefined) => void;
  readonly exclude?: (index: number, exclusion: Exclusion) => void;
  /**
   * An entry that could not be examined. kopia leaves SOURCE_VANISHED out without a word and counts
   * an entry that may not be seen as an error.
   */
  readonly fail: (index: number, error: EngineError) => void;
}

export interface ScannedDirectory {
  /** The selection with the rules of this directory: what enterDirectory wants for its children. */
  readonly selection: Selection;
  /** A cache by its tag: kopia stores an empty directory, so nothing was visited. */
  readonly isCache: boolean;
}

/**
 * Lists a directory and visits its entries. What a visitor throws ends the scan.
 * @throws SOURCE_UNREADABLE when the directory as a whole cannot be stored as its rules want it
 * @throws LIMIT_EXCEEDED
 */
export function scanDirectory(request: ScanRequest, visitor: EntryVisitor): ScannedDirectory {
  const scanned = listDirectory(request);
  visitListed(request, scanned, visitor);
  return scanned;
}

/** Visits the entries of a directory that has been listed. */
export function visitListed(
  request: ScanRequest,
  { selection, isCache }: ScannedDirectory,
  visitor: EntryVisitor,
): void {
  if (isCache) return;
  const { listing } = request;
  const rules = new NameRules(selection, request.excludes, request.directory.namesBelowRoot());
  const isFree = isUnrestricted(selection);
  for (const index of listing.order) {
    if (!rules.isEmpty) {
      const isDirectory = listing.types[index] === ENTRY_TYPE.directory;
      const exclusion = rules.exclusionOf(listing.nameAt(index), isDirectory);
      if (exclusion !== undefined) {
        visitor.exclude?.(index, exclusion);
        continue;
      }
    }
    visitEntry(request, isFree ? undefined : selection, index, visitor);
  }
}

/** Lists a directory and reads what it says about itself. Throws as scanDirectory does. */
export function listDirectory(request: ScanRequest): ScannedDirectory {
  const { selection } = request;
  request.fileSystem.list(request.directory, request.listing);
  const isCache = selection.skipsCacheDirectories && hasCacheTag(request);
  return { selection: isCache ? selection : readIgnoreFiles(request), isCache };
}

function visitEntry(
  { fileSystem, directory, directoryStat, listing, stat }: ScanRequest,
  selection: Selection | undefined,
  index: number,
  visitor: EntryVisitor,
): void {
  if (listing.types[index] === ENTRY_TYPE.file && visitor.isOpenedAnyway?.(index) === true) {
    visitor.visit(index, undefined);
    return;
  }
  try {
    fileSystem.statAt(directory, listing, index, stat);
  } catch (error) {
    if (!isEngineError(error) || error.code === 'LIMIT_EXCEEDED') throw error;
    visitor.fail(index, error);
    return;
  }
  const exclusion =
    selection === undefined ? undefined : exclusionByStat(selection, stat, directoryStat);
  if (exclusion === undefined) visitor.visit(index, stat);
  else visitor.exclude?.(index, exclusion);
}

/** A tag that cannot be read is no tag; it is then stored like any file, and fails as such. */
function hasCacheTag({ fileSystem, directory, listing, stat }: ScanRequest): boolean {
  const index = listing.findFile(CACHE_TAG_NAME);
  if (index === -1 || listing.types[index] !== ENTRY_TYPE.file) return false;
  try {
    using file = fileSystem.openFile(directory, listing, index);
    fileSystem.statOpen(file, stat);
    if (stat.type !== ENTRY_TYPE.file) return false;
    const start = readStart(fileSystem, file, TAG_SIGNATURE.length);
    return equalBytes(start, TAG_SIGNATURE);
  } catch (error) {
    if (isEngineError(error, 'SOURCE_UNREADABLE', 'SOURCE_VANISHED', 'SOURCE_CHANGED'))
      return false;
    throw error;
  }
}

interface IgnoreLanguage {
  readonly add: (selection: Selection, text: Uint8Array, name: string) => Selection;
  readonly followsLinks: boolean;
}

const KOPIA: IgnoreLanguage = { add: withIgnoreFile, followsLinks: true };
/** git opens ignore files of a tree with O_NOFOLLOW (dir.c, PATTERN_NOFOLLOW). */
const GIT: IgnoreLanguage = { add: withGitIgnoreFile, followsLinks: false };

function readIgnoreFiles(request: ScanRequest): Selection {
  let { selection } = request;
  for (const name of selection.ignoreFileNames) {
    selection = addIgnoreFile(request, selection, name, KOPIA);
  }
  for (const name of gitIgnoreFileNames(selection)) {
    selection = addIgnoreFile(request, selection, name, GIT);
  }
  return selection;
}

function addIgnoreFile(
  request: ScanRequest,
  selection: Selection,
  name: string,
  { add, followsLinks }: IgnoreLanguage,
): Selection {
  const text = readIgnoreFile(request, name, followsLinks);
  if (text === undefined) return selection;
  try {
    return add(selection, text, name);
  } catch (error) {
    if (!isEngineError(error, 'POLICY_INVALID', 'LIMIT_EXCEEDED')) throw error;
    throw unusableIgnoreFile(joinPath(request.directory.path, Buffer.from(name)), error);
  }
}

/** undefined when nothing has the name, or what has it is neither file nor link to follow. */
function readIgnoreFile(
  request: ScanRequest,
  name: string,
  followsLinks: boolean,
): Uint8Array | undefined {
  const { fileSystem, directory, listing, stat } = request;
  const index = listing.findFile(Buffer.from(name));
  if (index === -1) return undefined;
  const type = listing.types[index];
  const isFollowed = followsLinks && type === ENTRY_TYPE.symlink;
  if (type !== ENTRY_TYPE.file && !isFollowed) return undefined;
  using file = isFollowed
    ? openLinkedFile(fileSystem, directory, listing.nameAt(index).slice())
    : openUnlessGone(request, index);
  if (file === undefined) return undefined;
  fileSystem.statOpen(file, stat);
  if (stat.type !== ENTRY_TYPE.file) return undefined;
  // One byte more than the limit, so that a file which is too long is seen to be.
  return readStart(fileSystem, file, IGNORE_FILE_BYTES_MAX + 1);
}

function openUnlessGone(request: ScanRequest, index: number): SourceFile | undefined {
  try {
    return request.fileSystem.openFile(request.directory, request.listing, index);
  } catch (error) {
    if (isEngineError(error, 'SOURCE_VANISHED')) return undefined;
    throw error;
  }
}

/** The first `bytesMax` bytes of a file, fewer when it is shorter. */
function readStart(fileSystem: SourceFileSystem, file: SourceFile, bytesMax: number): Uint8Array {
  let arena = allocateArena(Math.min(bytesMax, FIRST_READ_BYTES));
  let length = 0;
  while (length < bytesMax) {
    if (length === arena.bytes.length) {
      const grown = allocateArena(Math.min(bytesMax, length * 4));
      grown.bytes.set(arena.bytes);
      arena = grown;
    }
    const range = { targetOffset: length, length: arena.bytes.length - length, position: length };
    const got = fileSystem.read(file, arena, range);
    if (got === 0) break;
    length += got;
  }
  return arena.bytes.subarray(0, length);
}
