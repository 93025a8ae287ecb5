// Walks a stored tree. One directory after another is in memory, with those above it; there is no
// list of all paths. Names are given as they are stored, whatever they are: what is safe to create
// on a disk is decided by who creates it. Semantics: kopia snapshot/snapshotfs/repofs.go, except
// that directories show their own mtime and not their summary's maxTime.

import { throwIfAborted } from '#engine/base/abort.ts';
import { EngineError, isEngineError } from '#engine/base/errors.ts';
import type { ContentSource } from '#engine/content/content-source.ts';
import type { DirEntry } from '#engine/format/directory.ts';
import {
  decodeDirectoryExtras,
  decodeExtras,
  encodeExtras,
  type DirectoryExtras,
  type EntryExtras,
  type SpecialEntry,
} from '#engine/format/entry-extras.ts';
import { failing } from '#engine/format/json-fields.ts';
import { decodeDirectory } from '#engine/format/directory-decode.ts';
import { joinNanoseconds, unwrapEntryTime } from '#engine/format/entry-time.ts';
import { openObject, type ReadOptions } from '#engine/object/object-reader.ts';
import { printablePath } from './source/source-name.ts';
import { PrefetchedContents } from './prefetched-contents.ts';
import { DIRECTORY_BYTES_MAX, tooDeep, TREE_DEPTH_MAX } from './tree-limits.ts';

/** PATH_MAX of Linux; other systems have shorter ones. */
const LINK_TARGET_BYTES_MAX = 4096;

export type TreeEntryType =
  | 'file'
  | 'directory'
  | 'symlink'
  | 'fifo'
  | 'socket'
  | 'character-device'
  | 'block-device'
  | 'unknown';

/** One entry of a stored tree. */
export interface TreeEntry {
  /** Names from the root of the walk, joined by slashes; the root itself is ''. */
  readonly path: string;
  readonly type: TreeEntryType;
  /** Permission bits with setuid, setgid and sticky, as POSIX numbers them. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a directory the total of its files. */
  readonly size: number;
  /** Nanoseconds since 1970. */
  readonly mtime: bigint;
  readonly objectId: string;
  /** Only of symlinks, and only where it was asked for. */
  readonly linkTarget?: string;
  /** The bytes of a name that is not UTF-8; in `path` it has U+FFFD for what is none. */
  readonly nameBytes?: Uint8Array;
  /** Only of devices. */
  readonly device?: { readonly major: number; readonly minor: number };
}

/** A directory as it is stored, with what kopia's entries cannot say. */
export interface StoredDirectory {
  readonly entries: readonly DirEntry[];
  readonly extras: DirectoryExtras | undefined;
}

export interface WalkOptions extends ReadOptions {
  /** Everything below, or only what the root holds itself. */
  readonly isRecursive?: boolean;
}

const TYPES: Readonly<Record<string, TreeEntryType | undefined>> = Object.freeze({
  f: 'file',
  d: 'directory',
  s: 'symlink',
  p: 'fifo',
  k: 'socket',
  c: 'character-device',
  b: 'block-device',
});

export function typeOf(entry: DirEntry): TreeEntryType {
  return TYPES[entry.type] ?? 'unknown';
}

/** A special entry in the shape of others; it has no object. */
export function specialAsEntry(special: SpecialEntry): DirEntry {
  const { name, type, mode, uid, gid, mtimeSeconds, mtimeNanoseconds, extras } = special;
  const plain = { name, type, mode, uid, gid, mtimeSeconds, mtimeNanoseconds };
  return { ...plain, bytes: 0, objectId: '', extra: extras && encodeExtras(extras) };
}

/** What kopia's fields cannot say of an entry. @throws DIRECTORY_DAMAGED */
export function extrasOf(entry: DirEntry): EntryExtras | undefined {
  if (entry.extra === undefined) return undefined;
  const advice = 'it cannot be used';
  return decodeExtras(entry.extra, failing('DIRECTORY_DAMAGED', `entry ${entry.name}`, advice));
}

/** `entry` as it is shown at `path`. */
export function toTreeEntry(entry: DirEntry, path: string, linkTarget?: string): TreeEntry {
  return {
    path,
    type: typeOf(entry),
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    size: entry.type === 'd' ? (entry.summary?.bytes ?? 0) : entry.bytes,
    mtime: mtimeOf(entry),
    objectId: entry.objectId,
    ...(linkTarget === undefined ? {} : { linkTarget }),
    ...nameBytesOf(entry),
  };
}

function nameBytesOf(entry: DirEntry): Pick<TreeEntry, 'nameBytes'> {
  const nameBytes = extrasOf(entry)?.nameBytes;
  return nameBytes === undefined ? {} : { nameBytes };
}

/** Nanoseconds since 1970. */
export function mtimeOf(entry: DirEntry): bigint {
  const { mtimeSeconds: seconds, mtimeNanoseconds: nanoseconds } = entry;
  const time = unwrapEntryTime({ seconds, nanoseconds }, extrasOf(entry)?.mtimeEras ?? 0);
  return joinNanoseconds(time);
}

/** Reads directories, links and small things of one tree; keep one for a whole walk. */
export class TreeReader {
  readonly #contents: PrefetchedContents;

  constructor(contents: ContentSource) {
    this.#contents = new PrefetchedContents(contents);
  }

  /**
   * The entries of a directory, in the order in which they are stored.
   * @throws DIRECTORY_DAMAGED, LIMIT_EXCEEDED, and what reading the object throws
   */
  async readDirectory(objectId: string, options: ReadOptions = {}): Promise<readonly DirEntry[]> {
    const bytes = await this.readDirectoryBytes(objectId, options);
    return decodeDirectory(bytes, `directory ${objectId}`).entries;
  }

  /** The same as it is stored. */
  async readDirectoryBytes(objectId: string, options: ReadOptions = {}): Promise<Uint8Array> {
    return await this.#readSmall(objectId, DIRECTORY_BYTES_MAX, options);
  }

  /** The same with what has no entry. */
  async readWhole(objectId: string, options: ReadOptions = {}): Promise<StoredDirectory> {
    const bytes = await this.readDirectoryBytes(objectId, options);
    const name = `directory ${objectId}`;
    const { entries, extra } = decodeDirectory(bytes, name);
    const fail = failing('DIRECTORY_DAMAGED', name, 'the directory cannot be used');
    return { entries, extras: decodeDirectoryExtras(extra, fail) };
  }

  /**
   * The bytes of a symlink's target.
   * @throws OBJECT_DAMAGED, LIMIT_EXCEEDED, and what reading the object throws
   */
  async readLink(entry: DirEntry, options: ReadOptions = {}): Promise<Uint8Array> {
    return await this.#readSmall(entry.objectId, LINK_TARGET_BYTES_MAX, options);
  }

  /** Says which objects will be read next, so that they can be fetched together. */
  async announce(objectIds: Iterable<string>, options: ReadOptions = {}): Promise<void> {
    await this.#contents.prefetch(objectIds, options);
  }

  async #readSmall(objectId: string, bytesMax: number, options: ReadOptions): Promise<Uint8Array> {
    const reader = await openObject(this.#contents, objectId, options);
    if (reader.bytes > bytesMax) {
      const text = `reading object ${objectId} was refused: it has ${reader.bytes} bytes`;
      throw new EngineError('LIMIT_EXCEEDED', `${text}, more than ${bytesMax} for its kind`);
    }
    return await reader.read(0, reader.bytes, options);
  }
}

/** The ids of `entries` from `index` on that are of type `letter`; for TreeReader.announce. */
export function* idsFrom(
  entries: readonly DirEntry[],
  index: number,
  letter: string,
): Iterable<string> {
  for (let i = index; i < entries.length; i++) {
    if (entries[i].type === letter) yield entries[i].objectId;
  }
}

interface OpenDirectory extends StoredDirectory {
  readonly path: string;
  next: number;
}

/**
 * The entries beneath `root`, each directory before what it holds, and pipes, sockets and devices
 * behind all else of their directory. A root that is no directory is
 * the only entry.
 * @throws DIRECTORY_DAMAGED, LIMIT_EXCEEDED, and what reading objects throws
 */
export async function* walkTree(
  contents: ContentSource,
  root: DirEntry,
  options: WalkOptions = {},
): AsyncIterable<TreeEntry> {
  const { signal, isRecursive = true } = options;
  const reader = new TreeReader(contents);
  if (root.type !== 'd') {
    yield await describe(reader, root, '', { signal });
    return;
  }
  const open: OpenDirectory[] = [
    { path: '', ...(await reader.readWhole(root.objectId, { signal })), next: 0 },
  ];
  while (open.length > 0) {
    const { path, entries, extras, next } = open[open.length - 1];
    if (next === entries.length) {
      yield* (extras?.special ?? []).map(special => describeSpecial(special, path));
      open.pop();
      continue;
    }
    throwIfAborted(signal);
    open[open.length - 1].next++;
    const entry = entries[next];
    const entryPath = joinPath(path, entry.name);
    if (entry.type === 's' || (entry.type === 'd' && isRecursive)) {
      await reader.announce(idsFrom(entries, next, entry.type), { signal });
    }
    yield await describe(reader, entry, entryPath, { signal });
    if (entry.type !== 'd' || !isRecursive) continue;
    if (open.length >= TREE_DEPTH_MAX) throw tooDeep();
    const children = await reader.readWhole(entry.objectId, { signal });
    open.push({ path: entryPath, ...children, next: 0 });
  }
}

async function describe(
  reader: TreeReader,
  entry: DirEntry,
  path: string,
  options: ReadOptions,
): Promise<TreeEntry> {
  if (entry.type !== 's') return toTreeEntry(entry, path);
  const target = Buffer.from(await reader.readLink(entry, options)).toString();
  return toTreeEntry(entry, path, target);
}

function describeSpecial(special: SpecialEntry, directory: string): TreeEntry {
  const { type, name, major, minor } = special;
  const entry = toTreeEntry(specialAsEntry(special), joinPath(directory, name));
  return type === 'c' || type === 'b' ? { ...entry, device: { major, minor } } : entry;
}

export function joinPath(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}

/**
 * The entry at `path` beneath `root`; slashes separate names, and none, one or several of them may
 * stand at the ends. Nothing else is special: `..` is a name like any other. What is left of the
 * path may also be one name as it stands: Velero names a block device by its path (kopia-format.md
 * 10.7).
 * @throws SNAPSHOT_PATH_NOT_FOUND, DIRECTORY_DAMAGED, and what reading objects throws
 */
export async function lookUpPath(
  contents: ContentSource,
  root: DirEntry,
  path: string,
  options: ReadOptions = {},
): Promise<DirEntry> {
  const reader = new TreeReader(contents);
  const names = path.split('/').filter(part => part !== '');
  let entry = root;
  for (const [index, name] of names.entries()) {
    const entries =
      entry.type === 'd' ? await reader.readDirectory(entry.objectId, options) : undefined;
    const found = entries?.find(candidate => isCalled(candidate, name));
    const rest = names.slice(index).join('/');
    const whole = found
      ? undefined
      : entries?.find(candidate => candidate.name === rest || candidate.name === `/${rest}`);
    if (whole) return whole;
    if (!found) throw pathNotFound(path, name, entries !== undefined);
    entry = found;
  }
  return entry;
}

/** By its text, or by its bytes as `ls` shows them: `\\xff` for what is no UTF-8. */
function isCalled(entry: DirEntry, name: string): boolean {
  const nameBytes = nameBytesOrNone(entry);
  return nameBytes === undefined ? entry.name === name : printablePath(nameBytes) === name;
}

/** The bytes of its name. */
export function nameOf(entry: DirEntry): Uint8Array {
  return nameBytesOrNone(entry) ?? new Uint8Array(Buffer.from(entry.name));
}

/** None where the extras are damaged: whoever looks for a neighbour need not know. */
function nameBytesOrNone(entry: DirEntry): Uint8Array | undefined {
  try {
    return extrasOf(entry)?.nameBytes;
  } catch (error) {
    if (isEngineError(error, 'DIRECTORY_DAMAGED')) return undefined;
    throw error;
  }
}

function pathNotFound(path: string, name: string, isDirectory: boolean): EngineError {
  const reason = isDirectory
    ? `there is no ${JSON.stringify(name)}`
    : `${JSON.stringify(name)} is not in a directory`;
  const text = `looking for ${JSON.stringify(path)} in the snapshot failed: ${reason}`;
  return new EngineError('SNAPSHOT_PATH_NOT_FOUND', `${text}; list the tree to see what it holds`);
}
