// Contents of a repository in memory, opened as often as a test likes without deriving its key
// again, and storages that count, fail or make wait.

import type { Test } from 'tap';
import type { Clock } from '#engine/base/clock.ts';
import { createCipher } from '#engine/cipher/ciphers.ts';
import { sealBytes } from '#engine/cipher/seal-bytes.ts';
import { createFormat } from '#engine/content/create-format.ts';
import { OpenContents, type OpenContentsOptions } from '#engine/content/open-contents.ts';
import { loadRepositoryFormat, type RepositoryFormat } from '#engine/content/repository-format.ts';
import { indexBlobId, ivOfBlobId } from '#engine/format/blob-names.ts';
import { createHash } from '#engine/hash/hashes.ts';
import { encodeIndex } from '#engine/index/encode.ts';
import { IndexRows } from '#engine/index/rows.ts';
import { THREAD_ENTRY } from '#engine/snapshot/thread-entry.ts';
import type { EngineTasks } from '#engine/snapshot/worker.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';
import type { Storage } from '#engine/storage/storage.ts';
import { digestBytes } from '#engine/workers/digest-bytes.ts';

export type Contents = OpenContents<EngineTasks>;

export interface ContentScene {
  readonly memory: MemoryStorage;
  readonly format: RepositoryFormat;
  /** The repository as another process would open it; closed with the test. */
  open(options?: Partial<OpenContentsOptions> & { readonly storage?: Storage }): Promise<Contents>;
}

/** The format blobs of a repository and what they say; deriving its key takes a while. */
const created = (async () => {
  const storage = new MemoryStorage();
  const password = 'secret';
  await createFormat(storage, { password });
  return { storage, format: await loadRepositoryFormat(storage, { password }) };
})();

/** An empty repository. `clock` is the storage's. */
export async function contentScene(t: Test, clock?: Pick<Clock, 'now'>): Promise<ContentScene> {
  const memory = new MemoryStorage(clock);
  const { storage: original, format } = await created;
  for (const id of await idsOf(original, '')) await memory.put(id, [await original.get(id)]);
  const open: ContentScene['open'] = async ({ storage = memory, ...options } = {}) => {
    const settings = { threadEntry: THREAD_ENTRY, threads: 1, ...options };
    const contents = await OpenContents.openWith<EngineTasks>(storage, format, settings);
    t.teardown(() => contents.close());
    return contents;
  };
  return { memory, format, open };
}

/** Stores a content in some worker thread and returns its id; not flushed. */
export async function write(
  { pool }: Contents,
  bytes: Uint8Array | string,
  prefix = '',
  workerIndex?: number,
): Promise<string> {
  const input = { prefix, bytes: new Uint8Array(Buffer.from(bytes)) };
  return (await pool.run('writeContent', input, { workerIndex })).contentId;
}

export async function idsOf(storage: Storage, prefix: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of storage.list(prefix)) ids.push(id);
  return ids.sort();
}

/** A clock that stands still, save when a sleep or the test moves it. */
export class TestClock implements Clock {
  readonly sleeps: number[] = [];
  #ms: number;
  #steppedMs = 0;

  constructor(ms: number = Date.now()) {
    this.#ms = ms;
  }

  advance(ms: number): void {
    this.#ms += ms;
  }

  /** Moves the time of day alone, as whoever sets the clock does, and a machine that sleeps. */
  step(ms: number): void {
    this.#steppedMs += ms;
  }

  now(): number {
    return this.#ms + this.#steppedMs;
  }

  nowNanoseconds(): bigint {
    return BigInt(this.now()) * 1_000_000n;
  }

  monotonic(): number {
    return this.#ms;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.sleeps.push(ms);
    this.#ms += ms;
  }
}

/** A sealed index blob as another client might commit it, put under its name in `epoch`. */
export async function commitRows(
  { memory, format }: Pick<ContentScene, 'memory' | 'format'>,
  rows: IndexRows,
  { epoch = 0, setId = 'other' } = {},
): Promise<string> {
  const { hash, cipher } = cryptoOf(format);
  const [plain] = encodeIndex(rows, { version: 2 });
  const blobId = indexBlobId(epoch, digestBytes(hash, plain), { setId, count: 1 });
  await memory.put(blobId, [sealBytes(cipher, plain, ivOfBlobId(blobId))]);
  return blobId;
}

export function cryptoOf({ config, cipherSecret }: RepositoryFormat) {
  return {
    hash: createHash(config.hash, config.secret),
    cipher: createCipher(config.encryption, cipherSecret),
  };
}

/** Rows of contents that exist nowhere, with keys counted from `first`. */
export function inventedRows(first: number, count: number, timestampSeconds = 1000): IndexRows {
  const rows = new IndexRows(KEY_BYTES);
  const packIndex = rows.addPack(`p${'0'.repeat(32)}-s1`);
  for (let index = first; index < first + count; index++) {
    rows.add(inventedKey(index), 0, {
      timestampSeconds,
      packIndex,
      packOffset: 32,
      packedBytes: 100,
      originalBytes: 72,
      compressionId: 0,
      formatVersion: 3,
      isDeleted: false,
    });
  }
  return rows;
}

const KEY_BYTES = 17;

export function inventedKey(index: number): Uint8Array {
  const key = new Uint8Array(KEY_BYTES);
  new DataView(key.buffer).setUint32(1, Math.imul(index, 0x9e3779b1));
  new DataView(key.buffer).setUint32(KEY_BYTES - 4, index);
  return key;
}
