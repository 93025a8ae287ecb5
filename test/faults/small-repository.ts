// A repository of a few thousand bytes that has one of everything that can break: a nested
// directory, an empty file, a link, and a file of three chunks with its list. Opened without the
// cost of the password, since the tests here open repositories by the thousand.

import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { EngineError } from '#engine/base/errors.ts';
import { OpenContents } from '#engine/content/open-contents.ts';
import { loadRepositoryFormat, type RepositoryFormat } from '#engine/content/repository-format.ts';
import {
  backup,
  type BackupOptions,
  type BackupOutcome,
  checkRepository,
  createRepository,
  listSnapshots,
  listTree,
  readFile,
  Repository,
  verify,
} from '#engine/index.ts';
import { THREAD_ENTRY } from '#engine/snapshot/thread-entry.ts';
import type { EngineTasks } from '#engine/snapshot/worker.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';
import type { Storage } from '#engine/storage/storage.ts';

export const PASSWORD = 'secret';
export const OWNER = Object.freeze({ user: 'me', host: 'here' });
export const SOURCE = Object.freeze({ ...OWNER, path: '/data' });

const KIB = 1024;
/** The smallest splitter that there is; long runs of one byte compress to almost nothing. */
const SPLITTER = 'FIXED-128K';

/** Names and bytes of the files of a tree. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** Makes the source tree; `text` is what one of its files holds. */
export function makeTree(directory: string, text = 'hello\n'): void {
  mkdirSync(`${directory}/d/deep`, { recursive: true });
  writeFileSync(`${directory}/a`, text);
  writeFileSync(`${directory}/empty`, '');
  writeFileSync(`${directory}/d/deep/b`, 'below\n');
  const chunks = ['x', 'y', 'z'].map(letter => Buffer.alloc(128 * KIB, letter));
  writeFileSync(`${directory}/d/large`, Buffer.concat(chunks));
  symlinkSync('a', `${directory}/link`);
}

const FILE_PATHS = ['a', 'empty', 'd/deep/b', 'd/large'] as const;

export function filesOf(directory: string): Files {
  return new Map(FILE_PATHS.map(path => [path, readFileSync(`${directory}/${path}`)]));
}

export interface SmallRepository {
  readonly storage: Storage;
  readonly format: RepositoryFormat;
  /** Directory that was backed up. */
  readonly source: string;
  /** The same with another file in it. */
  readonly changed: string;
  readonly files: Files;
  readonly snapshotId: string;
}

/** A repository in `storage` with one snapshot of a tree that is made in `directory`. */
export async function makeSmallRepository(
  directory: string,
  storage: Storage = new MemoryStorage(),
): Promise<SmallRepository> {
  const source = `${directory}/source`;
  const changed = `${directory}/changed`;
  makeTree(source);
  makeTree(changed, 'changed\n');
  await createRepository({ storage, password: PASSWORD, owner: OWNER, splitter: SPLITTER });
  const format = await loadRepositoryFormat(storage, { password: PASSWORD });
  await using repository = await openSmall(storage, format);
  const { snapshotId } = await backupTree(repository, source);
  return { storage, format, source, changed, files: filesOf(source), snapshotId };
}

export interface OpenSmallOptions {
  readonly threads?: number;
  readonly isReadOnly?: boolean;
  readonly signal?: AbortSignal;
}

export async function openSmall(
  storage: Storage,
  format: RepositoryFormat,
  { threads = 1, isReadOnly = false, signal }: OpenSmallOptions = {},
): Promise<Repository> {
  const options = { threadEntry: THREAD_ENTRY, threads, isReadOnly, owner: OWNER, signal };
  const parts = await OpenContents.openWith<EngineTasks>(storage, format, options);
  return new Repository(parts, undefined);
}

export function backupTree(
  repository: Repository,
  path: string,
  options?: BackupOptions,
): Promise<BackupOutcome> {
  return backup(repository, { path, source: SOURCE }, options);
}

/** A memory storage with the same blobs. */
export async function copyOf(storage: Storage): Promise<MemoryStorage> {
  const copy = new MemoryStorage();
  for (const id of await blobIds(storage)) await copy.put(id, [await storage.get(id)]);
  return copy;
}

/** Sorted. */
export async function blobIds(storage: Storage, prefix = ''): Promise<string[]> {
  const blobs = await Array.fromAsync(storage.list(prefix));
  return blobs.map(({ id }) => id).sort();
}

export async function snapshotIds(repository: Repository): Promise<string[]> {
  return (await listSnapshots(repository)).map(({ id }) => id);
}

/** What can be wrong with a repository, a line for each thing; nothing when all is well. */
export async function faultsOf(repository: Repository): Promise<string[]> {
  const verified = await verify(repository, { readPercent: 100 });
  const checked = await checkRepository(repository, { readData: true });
  return [...verified.problems, ...checked.problems].map(({ code, message }) => {
    return `${code}: ${message}`;
  });
}

/**
 * Reads every file of a snapshot. Each comes out exactly as it should or with a named error, whose
 * code is in the result; anything else is thrown.
 */
export async function readFilesOrCodes(
  repository: Repository,
  snapshotId: string,
  files: Files,
): Promise<Set<string>> {
  const codes = new Set<string>();
  const noteCode = (error: unknown): void => {
    if (!(error instanceof EngineError) || error.code === 'INTERNAL') throw error;
    codes.add(error.code);
  };
  for (const [path, expected] of files) {
    try {
      const read = Buffer.concat(
        await Array.fromAsync(readFile(repository, `${snapshotId}:/${path}`)),
      );
      if (!read.equals(expected)) throw new Error(`${path} was read with wrong bytes`);
    } catch (error) {
      noteCode(error);
    }
  }
  try {
    const entries = await Array.fromAsync(listTree(repository, snapshotId, { isRecursive: true }));
    if (entries.length !== files.size + 3) throw new Error(`${entries.length} entries are listed`);
  } catch (error) {
    noteCode(error);
  }
  return codes;
}
