// Where the sealed bytes of a section come from: files of the storage, which worker threads read by
// themselves, or ranges that are fetched for them.

import type { ChunkRange } from './pack-order.ts';
import type { RangeSource } from './restore-tasks.ts';

/** Contents are read one by one where there is none. */
export interface PackSource {
  /**
   * Told of what will be got, in this order, until it is disposed of; for who keeps some of it.
   * What is planned is got with the `get` that it gives.
   */
  readonly plan?: (
    ranges: readonly {
      readonly packId: string;
      readonly offset: number;
      readonly length: number;
    }[],
  ) => Pick<PackSource, 'get'> & Disposable;
  /** Whether bytes may come from a cache, so that what is damaged is read by itself once more. */
  readonly isCached?: boolean;
  /** A file that a worker thread can read the pack from by itself. */
  readonly localPath?: (packId: string) => string;
  readonly get: (
    packId: string,
    range: { readonly offset: number; readonly length: number },
    signal: AbortSignal,
  ) => Promise<Uint8Array>;
}

/** A range of a pack for a worker thread, which owns the bytes that come with it. */
export async function rangeSource(
  { localPath, get }: Pick<PackSource, 'localPath' | 'get'>,
  packId: string,
  { offset, length }: Pick<ChunkRange, 'offset' | 'length'>,
  signal: AbortSignal,
): Promise<RangeSource> {
  if (localPath) return { path: localPath(packId), offset, length };
  const bytes = await get(packId, { offset, length }, signal);
  // A copy, so that what the storage may have pooled is not given away.
  const isOwn = bytes.buffer.byteLength === bytes.length;
  return { bytes: isOwn ? bytes : new Uint8Array(bytes) };
}
