// A cache directory seen from outside, by whoever does not run the cache: what is in it, and making
// it empty. Looking changes nothing and goes on while an agent works there; clearing needs the
// lock.

import { closeSync, constants, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { readdir, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '#engine/base/errors.ts';
import { type RepositoryKey, repositoryKey } from './blob-key.ts';
import { BlockMap } from './block-map.ts';
import {
  CacheDirectory,
  cacheDirectoryOf,
  type DirectoryRequest,
  LOCK_NAME,
} from './cache-directory.ts';
import { createChecksum } from './checksum.ts';
import { allocatedFor } from './foreign-files.ts';
import { textOfKey } from './key-text.ts';
import type { Amount } from './ledger.ts';
import { lockFile } from './native-files.ts';
import { NOTES_NAME, readNotes } from './notes-file.ts';
import type { CacheNotes } from './notes-format.ts';
import { readTables } from './recovery.ts';
import { openSegment, type Segment } from './segment.ts';
import { blockCount, isHeader, isSegmentBytes, REMOVED_ROW, ROW_BYTES } from './segment-format.ts';
import { BASE_NAMES, SEGMENT_NAME } from './segment-pool.ts';
import { type SiblingCache, siblingCaches } from './sibling-caches.ts';

export interface StoredSegment {
  readonly bytes: number;
  readonly readAt: (position: number, target: Uint8Array) => Promise<number>;
}

export interface StoredCache {
  readonly directory: string;
  /** Whether a process has it open now. */
  readonly isHeld: boolean;
  readonly segmentBytes: readonly number[];
  /** What is in the directory and none of ours. */
  readonly foreign: Amount;
  /** Other caches in the location. */
  readonly siblings: readonly SiblingCache[];
  /** What the process that has it open, or had it last, has noted. */
  readonly notes: CacheNotes | undefined;
  /** What there is of each repository and kind, by `repository` and `kind`. */
  readonly shares: readonly StoredShare[];
}

export interface StoredShare {
  readonly repository: RepositoryKey;
  /** Index into ENTRY_KINDS. */
  readonly kind: number;
  entries: number;
  bytes: number;
}

/** What was removed. */
export interface ClearedCache {
  /** False where there was no cache. */
  readonly isFound: boolean;
  readonly entries: number;
  readonly bytes: number;
}

const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW;

/** Undefined where there is no cache in the location. */
export async function readStoredCache(request: DirectoryRequest): Promise<StoredCache | undefined> {
  const directory = cacheDirectoryOf(request);
  const lock = join(directory, LOCK_NAME);
  if (!existsSync(lock)) return undefined;
  using opened = new OpenFiles();
  const isHeld = lockFile(opened.open(lock)) === 'taken';
  const segments = (await segmentNames(directory)).flatMap(name => {
    const segment = storedSegment(opened, join(directory, name));
    return segment ? [segment] : [];
  });
  const shares = await sharesOf(segments);
  const segmentBytes = segments.map(({ bytes }) => bytes);
  const isForeign = (name: string): boolean => !SEGMENT_NAME.test(name) && !BASE_NAMES.has(name);
  const foreign = await allocatedFor(directory, (await readdir(directory)).filter(isForeign));
  const siblings = await siblingCaches(request);
  return {
    directory,
    isHeld,
    segmentBytes,
    foreign,
    siblings,
    shares,
    notes: readNotes(directory),
  };
}

/** Of rows that claim the same blocks the newest counts. */
async function sharesOf(segments: readonly StoredSegment[]): Promise<readonly StoredShare[]> {
  const shares = new Map<string, StoredShare>();
  for await (const { segment, rows } of readTables(segments)) {
    const map = new BlockMap(blockCount(segment.bytes));
    for (const { row, blocks } of rows) {
      const run = { start: row.block, length: blocks };
      if (!map.isFree(run)) continue;
      map.mark(run);
      const { kind } = row;
      const repository = { a: row.repositoryA, b: row.repositoryB };
      const name = `${textOfKey(repository)} ${kind}`;
      const share = shares.get(name) ?? { repository, kind, entries: 0, bytes: 0 };
      share.entries++;
      share.bytes += row.length;
      shares.set(name, share);
    }
  }
  return [...shares.values()];
}

/**
 * Removes everything, or what is of the repository at the address `name`.
 * @throws CACHE_IN_USE while a process has it open
 * @throws CACHE_NOT_FOUND where the location does not exist
 */
export async function clearStoredCache(
  request: DirectoryRequest,
  name: string | undefined,
): Promise<ClearedCache> {
  const stored = await readStoredCache(request);
  if (!existsSync(request.location)) throw notFound(request.location);
  if (stored === undefined) return { isFound: false, entries: 0, bytes: 0 };
  const directory = CacheDirectory.open(request);
  if (typeof directory === 'string') {
    const why = directory === 'locked' ? 'a process uses it' : `its lock was refused: ${directory}`;
    throw new EngineError(
      'CACHE_IN_USE',
      `cannot clear the cache in ${stored.directory}: ${why}; end that process and try again ` +
        "(an agent's emptyDir or ephemeral volume goes when its pod is deleted, and what it has " +
        'of a repository when that BackupRepository is)',
    );
  }
  try {
    if (name !== undefined) return await removeRepository(directory.path, name);
    for (const each of await segmentNames(directory.path)) await unlink(join(directory.path, each));
    await rm(join(directory.path, NOTES_NAME), { force: true });
    const bytes = stored.shares.reduce((sum, share) => sum + share.bytes, 0);
    const entries = stored.shares.reduce((sum, share) => sum + share.entries, 0);
    return { isFound: true, entries, bytes };
  } finally {
    directory.close();
  }
}

function notFound(location: string): EngineError {
  return new EngineError(
    'CACHE_NOT_FOUND',
    `cannot clear the cache in ${location}: there is no such directory; name the one that ` +
      'the cache was given',
  );
}

async function removeRepository(directory: string, name: string): Promise<ClearedCache> {
  const key = repositoryKey(name);
  const { kind } = createChecksum();
  const segments: Segment[] = [];
  try {
    for (const [index, each] of (await segmentNames(directory)).entries()) {
      const segment = await openSegment({ path: join(directory, each), index }, kind);
      if (segment) segments.push(segment);
    }
    let entries = 0;
    let bytes = 0;
    for await (const { segment, rows } of readTables(segments)) {
      for (const { slot, row } of rows) {
        if (row.repositoryA !== key.a || row.repositoryB !== key.b) continue;
        await segment.writeRow(slot, REMOVED_ROW);
        entries++;
        bytes += row.length;
      }
    }
    return { isFound: true, entries, bytes };
  } finally {
    for (const segment of segments) segment.close();
  }
}

async function segmentNames(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter(name => SEGMENT_NAME.test(name)).sort();
}

/** Undefined for what is none, or is being made or given back just now. */
function storedSegment(opened: OpenFiles, path: string): StoredSegment | undefined {
  try {
    const fd = opened.open(path);
    const { size } = fstatSync(fd);
    const header = Buffer.alloc(ROW_BYTES);
    if (!isSegmentBytes(size) || readSync(fd, header, 0, ROW_BYTES, 0) !== ROW_BYTES) {
      return undefined;
    }
    const isOurs = isHeader(header, size, 'poly1305') || isHeader(header, size, 'crc32');
    const readAt = async (position: number, target: Uint8Array): Promise<number> =>
      readSync(fd, target, 0, target.length, position);
    return isOurs ? { bytes: size, readAt } : undefined;
  } catch {
    return undefined;
  }
}

class OpenFiles implements Disposable {
  readonly #fds: number[] = [];

  open(path: string): number {
    const fd = openSync(path, READ_FLAGS);
    this.#fds.push(fd);
    return fd;
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds) closeSync(fd);
  }
}
