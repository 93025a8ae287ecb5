// Blobs as files in kopia's directory layout (kopia v0.23 repo/blob/filesystem, kopia-format.md
// 1.4). Durable on return: file synced, renamed into place, directory synced, and the names of new
// shard directories synced too. Leftovers of killed writers (`….tmp.…`) are ignored and left alone:
// they may belong to a writer that lives. A root that vanishes is an error, never an empty storage.

import { lstat, mkdir, open, readFile, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { throwIfAborted } from '#engine/base/abort.ts';
import { systemCodeOf } from '#engine/base/errors.ts';
import {
  createTemporary,
  isLinkUnsupported,
  publish,
  syncFile,
  writePieces,
  type TemporaryFile,
} from './atomic-file.ts';
import {
  closedError,
  existsError,
  notFoundError,
  requireBlobId,
  requireBlobPrefix,
  requireRange,
  requireRangeWithin,
} from './blob-id.ts';
import { DIRECTORY_MODE, DurableDirectories, syncDirectory } from './durable-directories.ts';
import { fileError, rootMissingError } from './file-errors.ts';
import { listFiles } from './file-listing.ts';
import { readExactly } from './read-exactly.ts';
import {
  BLOB_SUFFIX,
  formatShards,
  parseShards,
  placeOf,
  shardLayout,
  SHARDS_FILE,
  SHARDS_LEGACY,
  SHARDS_NEW,
  type ShardLayout,
} from './shards.ts';
import { Slots } from './slots.ts';
import type {
  BlobMetadata,
  CallOptions,
  GetOptions,
  PutOptions,
  StagedBlob,
  Storage,
} from './storage.ts';

export interface FilesystemOptions {
  /** Makes the directory, and gives it a layout when it has none. */
  readonly create?: boolean;
  /** Layout of a new storage: characters per directory level; none for a flat one. */
  readonly shards?: readonly number[];
  /** Operations with open files at once. */
  readonly parallelism?: number;
}

const PARALLELISM = 64;

/**
 * Opens the storage in `directory`.
 * @throws STORAGE_NOT_FOUND the directory is not there (and `create` was not asked for)
 * @throws STORAGE_ACCESS_DENIED, STORAGE_READ_ONLY, STORAGE_FULL
 */
export async function openFilesystem(
  directory: string,
  options: FilesystemOptions = {},
): Promise<FilesystemStorage> {
  const root = resolve(directory);
  const displayName = pathToFileURL(root).href;
  try {
    if (options.create) await createRoot(root, options.shards ?? SHARDS_NEW);
    const isDirectory = (await stat(root)).isDirectory();
    if (!isDirectory) throw rootMissingError(displayName);
    const text = await readIfThere(join(root, SHARDS_FILE));
    const layout =
      text === undefined ? shardLayout(SHARDS_LEGACY) : parseShards(text, join(root, SHARDS_FILE));
    const parallelism = options.parallelism ?? PARALLELISM;
    return new FilesystemStorage({ root, layout, hasShardsFile: text !== undefined, parallelism });
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT' || systemCodeOf(error) === 'ENOTDIR') {
      throw rootMissingError(displayName, error);
    }
    throw fileError(error, `open the storage ${displayName}`);
  }
}

interface FilesystemParts {
  readonly root: string;
  readonly layout: ShardLayout;
  readonly hasShardsFile: boolean;
  readonly parallelism: number;
}

export class FilesystemStorage implements Storage {
  readonly displayName: string;
  readonly #root: string;
  readonly #layout: ShardLayout;
  /** Is there as long as the storage is: an unmounted directory has it no more. */
  readonly #landmark: string;
  readonly #directories: DurableDirectories;
  readonly #slots: Slots;
  readonly #staged = new Set<StagedBlob>();
  #hasLinks = true;
  #isClosed = false;

  constructor(parts: FilesystemParts) {
    this.#root = parts.root;
    this.#layout = parts.layout;
    this.#landmark = parts.hasShardsFile ? join(parts.root, SHARDS_FILE) : parts.root;
    this.#directories = new DurableDirectories(parts.root);
    this.#slots = new Slots(parts.parallelism);
    this.displayName = pathToFileURL(parts.root).href;
  }

  /** Turns false when the file system proves to have no hard links. */
  get canPutIfAbsent(): boolean {
    return this.#hasLinks;
  }

  async get(id: string, options: GetOptions = {}): Promise<Uint8Array> {
    const { range, signal } = options;
    if (range) requireRange(id, range);
    return this.#run(`read blob ${id}`, id, signal, async path => {
      const handle = await this.#openBlob(id, path);
      try {
        const { size } = await handle.stat();
        if (range) requireRangeWithin(id, range, size);
        return await readExactly(handle, id, range ?? { offset: 0, length: size }, signal);
      } finally {
        await handle.close();
      }
    });
  }

  async put(id: string, pieces: readonly Uint8Array[], options: PutOptions = {}): Promise<void> {
    const { signal, ifAbsent = false } = options;
    await this.#run(`write blob ${id}`, id, signal, async path => {
      const temporary = await this.#createTemporary(id, path, ifAbsent);
      try {
        await writeAndClose(temporary, pieces, signal);
        throwIfAborted(signal);
        await this.#publish(id, temporary.path, ifAbsent);
      } catch (error) {
        await rm(temporary.path, { force: true });
        throw error;
      }
    });
  }

  async head(id: string, options: CallOptions = {}): Promise<BlobMetadata> {
    return this.#run(`look at blob ${id}`, id, options.signal, async path => {
      try {
        const { size, mtimeMs } = await stat(path);
        return { id, bytes: size, modifiedMs: Math.floor(mtimeMs) };
      } catch (error) {
        throw await this.#absence(id, error);
      }
    });
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncIterable<BlobMetadata> {
    requireBlobPrefix(prefix);
    try {
      await this.#requireRoot();
      for await (const blobs of listFiles(this.#root, this.#layout, prefix, options.signal)) {
        if (this.#isClosed) throw closedError(this.displayName);
        yield* blobs;
      }
      // Unmounted half way, the rest would look like nothing.
      await this.#requireRoot();
    } catch (error) {
      throw fileError(error, `list blobs ${prefix}* of ${this.displayName}`);
    }
  }

  async delete(id: string, options: CallOptions = {}): Promise<void> {
    await this.#run(`delete blob ${id}`, id, options.signal, async path => {
      await this.#requireRoot();
      try {
        await rm(path);
      } catch (error) {
        if (systemCodeOf(error) !== 'ENOENT') throw error;
        return;
      }
      await syncDirectory(dirname(path));
    });
  }

  async stage(id: string, options: PutOptions = {}): Promise<StagedBlob> {
    const { signal, ifAbsent = false } = options;
    return this.#run(`stage blob ${id}`, id, signal, async finalPath => {
      const { path, handle } = await this.#createTemporary(id, finalPath, ifAbsent);
      await handle.close();
      const staged: StagedBlob = {
        path,
        commit: async (commitOptions = {}) => {
          await this.#run(`write blob ${id}`, id, commitOptions.signal, async () => {
            await syncFile(path);
            throwIfAborted(commitOptions.signal);
            await this.#publish(id, path, ifAbsent);
            this.#staged.delete(staged);
          });
        },
        discard: async () => {
          if (this.#staged.delete(staged)) await rm(path, { force: true });
        },
      };
      this.#staged.add(staged);
      return staged;
    });
  }

  localPath(id: string): string {
    requireBlobId(id);
    const { directories, file } = placeOf(this.#layout, id);
    return join(this.#root, ...directories, file);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const staged of [...this.#staged]) await staged.discard();
  }

  async #run<Result>(
    attempt: string,
    id: string,
    signal: AbortSignal | undefined,
    work: (path: string) => Promise<Result>,
  ): Promise<Result> {
    const path = this.localPath(id);
    throwIfAborted(signal);
    if (this.#isClosed) throw closedError(this.displayName);
    return this.#slots.run(signal, async () => {
      try {
        return await work(path);
      } catch (error) {
        throw fileError(error, `${attempt} in ${this.displayName}`);
      }
    });
  }

  async #openBlob(id: string, path: string): Promise<FileHandle> {
    try {
      return await open(path, 'r');
    } catch (error) {
      throw await this.#absence(id, error);
    }
  }

  /** What ENOENT means: the blob is not there, or the whole storage is not. */
  async #absence(id: string, error: unknown): Promise<unknown> {
    if (systemCodeOf(error) !== 'ENOENT') return error;
    await this.#requireRoot();
    return notFoundError(id, this.displayName);
  }

  async #requireRoot(): Promise<void> {
    if (this.#isClosed) throw closedError(this.displayName);
    try {
      await stat(this.#landmark);
    } catch (error) {
      throw systemCodeOf(error) === 'ENOENT' ? rootMissingError(this.displayName, error) : error;
    }
  }

  async #createTemporary(id: string, path: string, ifAbsent: boolean): Promise<TemporaryFile> {
    await this.#requireRoot();
    // Saves writing what the link below would refuse.
    if (ifAbsent && (await isThere(path))) throw existsError(id, this.displayName);
    const { directories } = placeOf(this.#layout, id);
    await this.#directories.ensure(directories);
    try {
      return await createTemporary(path);
    } catch (error) {
      if (systemCodeOf(error) !== 'ENOENT') throw error;
      this.#directories.forget();
      await this.#directories.ensure(directories);
      return createTemporary(path);
    }
  }

  async #publish(id: string, temporaryPath: string, ifAbsent: boolean): Promise<void> {
    const path = this.localPath(id);
    try {
      await publish(temporaryPath, path, ifAbsent && this.#hasLinks);
    } catch (error) {
      if (ifAbsent && systemCodeOf(error) === 'EEXIST') throw existsError(id, this.displayName);
      if (!ifAbsent || !this.#hasLinks || !isLinkUnsupported(error)) throw error;
      this.#hasLinks = false;
      if (await isThere(path)) throw existsError(id, this.displayName);
      await publish(temporaryPath, path, false);
    }
  }
}

async function writeAndClose(
  { handle }: TemporaryFile,
  pieces: readonly Uint8Array[],
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await writePieces(handle, pieces, signal);
    throwIfAborted(signal);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function createRoot(root: string, shards: readonly number[]): Promise<void> {
  const firstMade = await mkdir(root, { recursive: true, mode: DIRECTORY_MODE });
  const path = join(root, SHARDS_FILE);
  if (!(await isThere(path))) {
    const isLegacy = await isThere(join(root, `kopia.repository${BLOB_SUFFIX}`));
    const text = formatShards(shardLayout(isLegacy ? SHARDS_LEGACY : shards));
    const temporary = await createTemporary(path);
    try {
      await writeAndClose(temporary, [Buffer.from(text)], undefined);
      await publish(temporary.path, path, false);
    } catch (error) {
      await rm(temporary.path, { force: true });
      throw error;
    }
  }
  if (firstMade === undefined) return;
  for (let made = root; made.length >= firstMade.length; made = dirname(made)) {
    await syncDirectory(dirname(made));
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
