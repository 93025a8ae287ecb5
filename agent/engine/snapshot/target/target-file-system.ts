// What a worker thread does to the target of a restore. All calls are synchronous, and everything
// below the root is reached through the handle of its directory, never through a link: neither a
// tree that is changed under us nor names that somebody made up lead elsewhere. What is made is
// made by O_EXCL and its like, so nothing that exists is ever written to by accident.
//
// An instance belongs to one thread; descriptors belong to the process. Names are kept by handles
// for their messages: do not write over them. Attributes: settle-open.ts, settle-node.ts.
// target-error.ts says which failures end a restore.

import { constants } from 'node:fs';
import { constants as osConstants } from 'node:os';

import type { Arena } from '#engine/base/arena.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { SpecialEntry } from '#engine/format/entry-extras.ts';
import { joinPath } from '#engine/snapshot/source/source-handle.ts';
import type { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { ENTRY_TYPE } from '#engine/snapshot/source/source-stat.ts';

import { creationMode } from './creation-mode.ts';
import { DirectContent } from './direct-content.ts';
import { FileContent } from './file-content.ts';
import { SETTABLE_FLAGS, clearProtection, setEarlyFlags } from './inode-flags.ts';
import { clearProtectionAt, unlinkProtected } from './protected-entry.ts';
import { findRestorer, type Restorer } from './restorer.ts';
import {
  OPEN_DIRECTORY,
  OPEN_NODE,
  type CopyRange,
  type FileRange,
  type TargetCalls,
} from './target-calls.ts';
import { targetError } from './target-error.ts';
import { TargetDirectory, TargetFile, TargetNode, type OpenTarget } from './target-handle.ts';
import { TargetLister } from './target-lister.ts';
import { assertSafeName } from './target-name.ts';
import { TargetStat } from './target-stat.ts';
import type { WantedAttributes } from './wanted-attributes.ts';
import { DEFAULT_ACL } from './xattr-names.ts';

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants;
const { EACCES, EEXIST, EINVAL, ENOENT, EPERM, ETXTBSY, ELOOP, ENXIO, EISDIR } = osConstants.errno;
const CREATE_FILE = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW;
/** Never blocks on a pipe that has just taken the file's place. */
const OPEN_FILE = O_RDWR | O_NOFOLLOW | O_NONBLOCK;
const READ_FILE = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
/** What says that the file can only be replaced, not written in place. */
const REPLACE = new Set([EACCES, EPERM, ETXTBSY, ELOOP, ENOENT, ENXIO, EISDIR]);
const OWNER_BITS = 0o700;
const PRIVATE_BITS = 0o600;

const NODE_TYPES = Object.freeze({
  p: ENTRY_TYPE.fifo,
  k: ENTRY_TYPE.socket,
  c: ENTRY_TYPE.characterDevice,
  b: ENTRY_TYPE.blockDevice,
});

/** mounted is a kept one that another file system is mounted on, as far as the kernel says so. */
export type MadeDirectory = 'made' | 'kept' | 'mounted';

export interface OpenFileOptions {
  /** Whether a file that has other names, too, may be written to: they all see it. */
  readonly allowsSeveralNames?: boolean;
  /**
   * `write` by default; `settle` for attributes alone, which their owner may set whatever the mode;
   * `read` leaves what protects it as it is.
   */
  readonly access?: 'read' | 'settle' | 'write';
}

export class TargetFileSystem {
  readonly calls: TargetCalls;
  readonly restorer: Restorer = findRestorer();
  readonly #stat = new TargetStat();
  readonly #otherStat = new TargetStat();
  readonly #content: FileContent;
  readonly #direct: DirectContent;
  readonly #lister: TargetLister;

  constructor(calls: TargetCalls) {
    this.calls = calls;
    this.#content = new FileContent(calls);
    this.#direct = new DirectContent(calls, this.#content);
    this.#lister = new TargetLister(calls.kind);
  }

  get kind(): 'native' | 'portable' {
    return this.calls.kind;
  }

  /** Attributes that cannot be seen here at all; a restore names them once, for the root. */
  get unseen(): readonly string[] {
    return this.calls.unseen;
  }

  /** Opens the target itself; its path may go through links. @throws TARGET_NOT_WRITABLE */
  openRoot(path: Uint8Array): TargetDirectory {
    const isPath = path.length > 0 && !path.includes(0);
    const descriptor = isPath ? this.calls.openPath(path, O_RDONLY | O_DIRECTORY) : -EINVAL;
    if (descriptor >= 0) return new TargetDirectory(this.calls, descriptor, undefined, [path]);
    const { code, message, details } = targetError({ attempt: 'open', path, errno: -descriptor });
    const isOurs = code === 'LIMIT_EXCEEDED' || code === 'INTERNAL';
    throw new EngineError(isOurs ? code : 'TARGET_NOT_WRITABLE', message, { details });
  }

  openDirectory(parent: TargetDirectory, name: Uint8Array): TargetDirectory {
    assertSafeName(parent, name);
    const descriptor = this.calls.openAt(parent.descriptor, name, OPEN_DIRECTORY, 0);
    if (descriptor < 0) throw this.#error('open', parent, name, descriptor);
    return new TargetDirectory(this.calls, descriptor, parent, [name]);
  }

  /**
   * Makes a directory for the restorer alone, or keeps one that is there and makes it writable,
   * unless it `isLeft` as it is.
   * @throws TARGET_NOT_EMPTY when something else has the name
   */
  makeDirectory(
    parent: TargetDirectory,
    name: Uint8Array,
    { isLeft = false }: { readonly isLeft?: boolean } = {},
  ): MadeDirectory {
    assertSafeName(parent, name);
    const result = this.calls.makeDirectoryAt(parent.descriptor, name, OWNER_BITS);
    if (result === 0) return 'made';
    const isKept = result === -EEXIST && this.statAt(parent, name, this.#stat);
    if (!isKept || !this.#stat.isDirectory) throw this.#error('make', parent, name, result);
    const { isMountRoot } = this.#stat;
    if (!isLeft && this.#isHindered(this.#stat)) {
      using directory = this.openDirectory(parent, name);
      this.makeWritable(directory);
    }
    return isMountRoot ? 'mounted' : 'kept';
  }

  /** Takes away what keeps entries from being made in a directory, as far as may be. */
  makeWritable(directory: TargetDirectory): void {
    this.#statOpen(directory);
    const { permissions, isProtected } = this.#stat;
    if (isProtected) clearProtection(this.calls, directory);
    if (this.#isHindered(this.#stat)) this.calls.changeMode(directory, permissions | OWNER_BITS);
  }

  #isHindered({ isProtected, uid, permissions }: TargetStat): boolean {
    const isOwnOf = uid === this.restorer.uid && this.restorer.uid !== 0;
    return isProtected || (isOwnOf && (permissions & OWNER_BITS) !== OWNER_BITS);
  }

  /**
   * Makes a file that was not there, open for reading and writing. Its permission bits are those
   * wanted where that is safe; settleFile does the rest.
   * @throws TARGET_NOT_EMPTY when something has the name, be it a link that leads nowhere
   */
  createFile(
    directory: TargetDirectory,
    name: Uint8Array,
    wanted: Pick<WantedAttributes, 'mode' | 'extras'>,
  ): TargetFile {
    assertSafeName(directory, name);
    const mode = creationMode(wanted);
    const descriptor = this.calls.openAt(directory.descriptor, name, CREATE_FILE, mode);
    if (descriptor < 0) throw this.#error('create', directory, name, descriptor);
    const file = new TargetFile(this.calls, descriptor, directory, [name]);
    file.createdMode = mode & ~this.restorer.umask;
    file.mayInherit = directory.inherits ??= this.#hasHeirs(directory);
    const flags = wanted.extras?.flags;
    if (flags !== undefined) setEarlyFlags(this.calls, file, flags);
    return file;
  }

  /**
   * Whether files get flags, a project or an ACL from their directory; asked once for each handle.
   * Bits of the group would widen an ACL before it is taken away.
   */
  #hasHeirs(directory: TargetDirectory): boolean {
    if (this.calls.getXattr(directory, DEFAULT_ACL) > 0) return true;
    const flags = this.calls.getFlags(directory);
    if (flags > 0 && (flags & SETTABLE_FLAGS) !== 0) return true;
    return this.calls.getProjectId(directory) > 0;
  }

  /**
   * Opens a regular file that is there for reading and writing in place. Undefined when there is
   * none, when something else has the name, when it has other names as well, and when it may only
   * be replaced.
   */
  openFile(
    directory: TargetDirectory,
    name: Uint8Array,
    { allowsSeveralNames = false, access = 'write' }: OpenFileOptions = {},
  ): TargetFile | undefined {
    const isFit = (): boolean =>
      this.#stat.isFile && (allowsSeveralNames || this.#stat.linkCount === 1);
    if (!this.statAt(directory, name, this.#stat) || !isFit()) return undefined;
    const isInTheWay = this.#stat.isProtected && access !== 'read';
    if (isInTheWay) clearProtectionAt(this.calls, directory, name);
    const flags = access === 'write' ? OPEN_FILE : READ_FILE;
    const descriptor = this.calls.openAt(directory.descriptor, name, flags, 0);
    if (REPLACE.has(-descriptor)) return undefined;
    if (descriptor < 0) throw this.#error('open', directory, name, descriptor);
    const file = new TargetFile(this.calls, descriptor, directory, [name]);
    this.statOpen(file, this.#otherStat);
    // What is mounted here is a file of some other place.
    if (access === 'write' && this.#otherStat.isMountRoot) return closed(file);
    // Nothing is written to it, so it need not be nobody's elsewhere.
    if (access === 'settle' && allowsSeveralNames && this.#otherStat.isFile) return file;
    // Asked by name and after opening: one name alone, and that this one, means that the file is
    // nobody's elsewhere. The count of an open file falls when a name is taken away again.
    const isThere = this.statAt(directory, name, this.#stat) && isFit();
    if (isThere && this.#stat.isSameInode(this.#otherStat)) return file;
    return closed(file);
  }

  /**
   * Takes a file that was there before from everybody but the restorer, until settleFile: what is
   * written to it is nobody's who could read or run what was in it. Whoever has it open keeps it.
   * Where it is somebody else's and we are not root nothing can be done, and settleFile says so.
   */
  makePrivate(file: TargetFile): void {
    const { uid, gid } = this.restorer;
    // Takes capabilities with it, and set-id bits.
    this.calls.changeOwner(file, uid, gid);
    this.calls.changeMode(file, PRIVATE_BITS);
  }

  /** Opens a link, pipe, socket or device for its attributes alone. */
  openNode(directory: TargetDirectory, name: Uint8Array): TargetNode {
    assertSafeName(directory, name);
    const descriptor = this.calls.openAt(directory.descriptor, name, OPEN_NODE, 0);
    if (descriptor < 0) throw this.#error('open', directory, name, descriptor);
    return new TargetNode(this.calls, descriptor, directory, [name]);
  }

  /** Writes all of the range. @throws TARGET_FULL, TARGET_NOT_WRITABLE, TARGET_ENTRY_FAILED */
  write(file: OpenTarget, arena: Arena, range: FileRange): void {
    this.#content.write(file, arena, range);
  }

  /** The same to a file that is new, so that nobody has any of it in memory. */
  writeNew(file: TargetFile, arena: Arena, range: FileRange): void {
    this.#direct.write(file, arena, range);
  }

  /** Reads as much of the range as there is; how much that was. */
  read(file: OpenTarget, arena: Arena, range: FileRange): number {
    return this.#content.read(file, arena, range);
  }

  /** Cuts a file off or lengthens it by a hole. */
  setSize(file: OpenTarget, bytes: number): void {
    this.#content.setSize(file, bytes);
  }

  /**
   * Makes ranges (offset, length, offset, length, …) read as zeros, as holes where the file system
   * has them. The size stays, and what lies behind the end is left alone.
   */
  punchHoles(file: OpenTarget, holes: readonly number[]): void {
    this.#content.punchHoles(file, holes);
  }

  /** Copies between files, in the kernel where it can; fewer bytes only at the end of `from`. */
  copyRange(from: OpenTarget, to: OpenTarget, range: CopyRange): number {
    return this.#content.copyRange(from, to, range);
  }

  /** Undefined when there is no link of that name. */
  readLink(directory: TargetDirectory, name: Uint8Array): Uint8Array | undefined {
    assertSafeName(directory, name);
    const found = this.calls.readLinkAt(directory.descriptor, name);
    if (typeof found !== 'number') return found;
    if (found === -ENOENT || found === -EINVAL) return undefined;
    throw this.#error('read link', directory, name, found);
  }

  makeSymlink(directory: TargetDirectory, name: Uint8Array, linkTarget: Uint8Array): void {
    assertSafeName(directory, name);
    // What lies behind a NUL would be lost without a word.
    const result = linkTarget.includes(0)
      ? -EINVAL
      : this.calls.makeLinkAt(linkTarget, directory.descriptor, name);
    if (result < 0) throw this.#error('make symbolic link', directory, name, result);
  }

  makeSpecial(
    directory: TargetDirectory,
    name: Uint8Array,
    entry: Pick<SpecialEntry, 'type' | 'mode' | 'major' | 'minor' | 'extras'>,
  ): void {
    assertSafeName(directory, name);
    const mode = NODE_TYPES[entry.type] * 0x1000 + creationMode(entry);
    const result = this.calls.makeNodeAt(directory.descriptor, name, mode, entry);
    if (result < 0) throw this.#error('make', directory, name, result);
  }

  /**
   * Gives a file another name. A link gets a second name itself; what it points to does not.
   * @throws TARGET_NAME_UNSAFE when another file has taken one of the names meanwhile
   */
  makeHardLink(
    fromDirectory: TargetDirectory,
    fromName: Uint8Array,
    toDirectory: TargetDirectory,
    toName: Uint8Array,
  ): void {
    assertSafeName(fromDirectory, fromName);
    assertSafeName(toDirectory, toName);
    const from = fromDirectory.descriptor;
    const result = this.calls.linkAt(from, fromName, toDirectory.descriptor, toName);
    if (result < 0) throw this.#error('link', toDirectory, toName, result);
    const isThere =
      this.statAt(fromDirectory, fromName, this.#stat) &&
      this.statAt(toDirectory, toName, this.#otherStat);
    if (isThere && this.#stat.isSameInode(this.#otherStat)) return;
    throw this.#error('link', toDirectory, toName, -ELOOP);
  }

  /**
   * Removes anything but a directory; false when nothing is there. What protects a file gives way,
   * and stays on what has other names.
   * @throws TARGET_NOT_EMPTY when it is a directory
   */
  remove(directory: TargetDirectory, name: Uint8Array): boolean {
    assertSafeName(directory, name);
    let result = this.calls.unlinkAt(directory.descriptor, name, false);
    if (result === -EPERM) result = unlinkProtected(this.calls, directory, name);
    if (result === -ENOENT) return false;
    if (result < 0) throw this.#error('remove', directory, name, result);
    return true;
  }

  /** Removes an empty directory. @throws TARGET_NOT_EMPTY */
  removeDirectory(parent: TargetDirectory, name: Uint8Array): void {
    assertSafeName(parent, name);
    const result = this.calls.unlinkAt(parent.descriptor, name, true);
    if (result < 0) throw this.#error('remove', parent, name, result);
  }

  /** Fills `stat` with the entry itself; false when nothing is there. */
  statAt(directory: TargetDirectory, name: Uint8Array, stat: TargetStat): boolean {
    assertSafeName(directory, name);
    const result = this.calls.statAt(directory.descriptor, name, stat);
    if (result === -ENOENT) return false;
    if (result < 0) throw this.#error('examine', directory, name, result);
    return true;
  }

  statOpen(target: OpenTarget, stat: TargetStat): void {
    const result = this.calls.statOpen(target.descriptor, stat);
    if (result < 0) throw targetError({ attempt: 'examine', path: target.path, errno: -result });
  }

  #statOpen(target: OpenTarget): void {
    this.statOpen(target, this.#stat);
  }

  /** Replaces what `listing` holds by the names in the directory, as a source's list does. */
  list(directory: TargetDirectory, listing: SourceListing): void {
    this.#lister.list(directory, listing);
  }

  /**
   * Waits until the file system that a directory lies on has written back everything; errors of
   * network file systems show up here. The portable one can only wait for the directory itself.
   */
  syncFileSystem(directory: TargetDirectory): void {
    const result = this.calls.syncAll(directory.descriptor);
    if (result === 0) return;
    throw targetError({ attempt: 'write back', path: directory.path, errno: -result });
  }

  #error(
    attempt: string,
    directory: TargetDirectory,
    name: Uint8Array,
    result: number,
  ): EngineError {
    return targetError({ attempt, path: joinPath(directory.path, name), errno: -result });
  }
}

function closed(file: TargetFile): undefined {
  file[Symbol.dispose]();
  return undefined;
}
