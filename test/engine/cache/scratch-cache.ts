// What tests of the cache need: a cache in a scratch directory, a storage that counts, blobs whose
// bytes follow from their name.

import { hash } from 'node:crypto';
import type { Test } from 'tap';
import { Cache } from '#engine/cache/cache.ts';
import type { CacheOptions } from '#engine/cache/cache-options.ts';
import { CacheRepository, type CacheRepositoryOptions } from '#engine/cache/cache-repository.ts';
import type { CacheEvent, CacheSettings } from '#engine/cache/cache-settings.ts';
import { cached } from '#engine/cache/cached.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';
import type { GetOptions, Storage } from '#engine/storage/storage.ts';
import { wrap } from '#engine/storage/wrap.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';

export const MIB = 2 ** 20;

export interface ScratchCache {
  readonly cache: Cache;
  readonly events: CacheEvent[];
}

/** Looks at the disk only when told to. */
export async function scratchCache(
  t: Test,
  settings: Partial<CacheSettings> = {},
  options: CacheOptions = {},
): Promise<ScratchCache> {
  const directory = settings.directory ?? fastDirectory(t);
  const events: CacheEvent[] = [];
  const cache = await Cache.open(
    { directory, isRootDiskAllowed: true, absoluteBytes: 16 * MIB, ...settings },
    { isWatching: false, onEvent: event => events.push(event), ...options },
  );
  t.teardown(() => cache.close());
  return { cache, events };
}

export interface CountingStorage extends Storage {
  gets: number;
  bytes: number;
}

export function counting(inner: Storage): CountingStorage {
  const counts = { gets: 0, bytes: 0 };
  const storage = wrap(inner, {
    get: async (id: string, options: GetOptions = {}) => {
      counts.gets++;
      const bytes = await inner.get(id, options);
      counts.bytes += bytes.length;
      return bytes;
    },
  });
  return Object.defineProperties(storage, {
    gets: { get: () => counts.gets, set: (value: number) => void (counts.gets = value) },
    bytes: { get: () => counts.bytes, set: (value: number) => void (counts.bytes = value) },
    // The two properties that were just defined.
  }) as CountingStorage;
}

export function through(
  cache: Cache,
  inner: Storage,
  options: Partial<CacheRepositoryOptions> = {},
): Storage {
  return cached(inner, new CacheRepository(cache, { identity: 'one', name: 'one', ...options }));
}

export function packId(number: number, kind: 'p' | 'q' = 'p'): string {
  return `${kind}${number.toString(16).padStart(32, '0')}-s0123456789abcdef`;
}

export function indexId(number: number): string {
  return `xn0_${number.toString(16).padStart(32, '0')}-s0123456789abcdef-c1`;
}

/** The bytes of a blob at `offset`; each place of each blob has others. */
export function expectedBytes(id: string, offset: number, length: number): Uint8Array {
  const seed = hash('sha1', id, 'buffer').readUInt32LE();
  const first = Math.floor(offset / 4);
  const words = new Uint32Array(Math.ceil((offset + length) / 4) - first);
  for (let index = 0; index < words.length; index++) {
    words[index] = Math.imul(seed ^ (first + index), 0x9e37_79b1) ^ (first + index);
  }
  const start = offset - first * 4;
  return new Uint8Array(words.buffer).slice(start, start + length);
}

/** Reads the first `bytes` of packs `from` to before `to`; they have to be right, come what may. */
export async function readPacks(
  t: Test,
  storage: Storage,
  { from = 0, to, bytes = MIB }: { from?: number; to: number; bytes?: number },
): Promise<void> {
  for (let pack = from; pack < to; pack++) {
    const got = await storage.get(packId(pack), { range: { offset: 0, length: bytes } });
    const isRight = Buffer.compare(got, expectedBytes(packId(pack), 0, bytes)) === 0;
    if (!isRight) t.fail(`wrong bytes of pack ${pack}`);
  }
}

/** A storage with packs that no memory is needed for. */
export function generatedStorage(blobBytes: number): CountingStorage {
  const memory = new MemoryStorage();
  return counting(
    wrap(memory, {
      get: async (id: string, { range }: GetOptions = {}) =>
        expectedBytes(id, range?.offset ?? 0, range?.length ?? blobBytes),
    }),
  );
}
