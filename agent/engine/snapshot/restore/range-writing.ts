// From a range of a pack to the files that its contents belong to, in a worker thread: read where
// the storage is a directory, open in place, check, write. No byte passes through another thread.

import { closeSync, openSync, readSync } from 'node:fs';
import { type Arena, arenaOver } from '#engine/base/arena.ts';
import { EngineError, isEngineError, systemCodeOf } from '#engine/base/errors.ts';
import { inflateStored } from '#engine/object/chunk-reading.ts';
import type { PlainRegion } from '#engine/workers/content-opener.ts';
import type { FileMaking } from './file-making.ts';
import { isSameContent } from './pack-order.ts';
import { CHUNK_FLAG } from './plan-tables.ts';
import type { RangeInput, RangeSource } from './restore-tasks.ts';
import type { ContentParts, RestoreThread } from './restore-thread.ts';

/** Gives memory of at least `bytes`, for one use at a time. */
export interface ScratchMemory {
  readonly scratch: (bytes: number) => Arena;
}

/**
 * Writes what is in one range of a pack.
 * @returns chunks of damaged contents that are to be read elsewhere
 * @throws PACK_MISSING, PACK_DAMAGED when the range cannot be read; nothing was written then
 */
export function writeRange(thread: RestoreThread, making: FileMaking, input: RangeInput): number[] {
  const { view, content } = thread;
  if (content === undefined) throw new EngineError('INTERNAL', 'this thread opens no contents');
  const { chunks } = view;
  const order = input.chunks;
  const sealed = sealedBytes(thread, input.source);
  const damaged: number[] = [];
  for (let at = 0; at < order.length;) {
    thread.throwIfStopped();
    let end = at + 1;
    while (end < order.length && isSameContent(chunks, order[at], order[end])) end++;
    const opened = openContent(thread, content, sealed, order[at], input.packOffset);
    for (; at < end; at++) {
      if (!(opened instanceof EngineError)) writeOpened(thread, making, order[at], opened);
      else if (input.isCached) damaged.push(order[at]);
      else making.giveUpChunk(order[at], opened);
    }
  }
  return damaged;
}

/** Writes one chunk of a content that has been opened and checked. */
export function writeOpened(
  thread: RestoreThread,
  making: FileMaking,
  chunk: number,
  content: PlainRegion,
): void {
  const { flags, bytes } = thread.view.chunks;
  const isCompressed = (flags[chunk] & CHUNK_FLAG.compressed) !== 0;
  let plain: PlainRegion;
  try {
    plain = plainChunk(content, { isCompressed, bytes: bytes[chunk] });
  } catch (error) {
    if (!isEngineError(error, 'OBJECT_DAMAGED')) throw error;
    making.giveUpChunk(chunk, error);
    return;
  }
  making.writeChunk(chunk, plain);
}

/** The bytes of a chunk out of its content. @throws OBJECT_DAMAGED */
export function plainChunk(
  content: PlainRegion,
  { isCompressed, bytes }: { readonly isCompressed: boolean; readonly bytes: number },
): PlainRegion {
  const plain = isCompressed ? inflated(content, bytes) : content;
  if (plain.length === bytes) return plain;
  const problem = `a chunk has ${plain.length} bytes instead of ${bytes}`;
  throw new EngineError('OBJECT_DAMAGED', `${problem}; verify the repository`);
}

function openContent(
  thread: RestoreThread,
  { opener }: ContentParts,
  arena: Arena,
  chunk: number,
  packOffset: number,
): PlainRegion | EngineError {
  const { chunks } = thread.view;
  try {
    return opener.openRegion(arena, {
      offset: chunks.packOffset[chunk] - packOffset,
      length: chunks.packedBytes[chunk],
      key: thread.keyOf(chunk),
      originalBytes: chunks.originalBytes[chunk],
      compressionId: chunks.compressionId[chunk],
    });
  } catch (error) {
    if (isEngineError(error, 'CONTENT_DAMAGED')) return error;
    throw error;
  }
}

function inflated({ arena, offset, length }: PlainRegion, bytes: number): PlainRegion {
  try {
    const stored = arena.bytes.subarray(offset, offset + length);
    const plain = inflateStored(stored, bytes);
    return { arena: arenaOver(new Uint8Array(plain)), offset: 0, length: plain.length };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EngineError('OBJECT_DAMAGED', `a compressed object is damaged: ${reason}`);
  }
}

/** Sealed bytes at the start of memory. @throws PACK_MISSING, PACK_DAMAGED */
export function sealedBytes(thread: ScratchMemory, source: RangeSource): Arena {
  if ('bytes' in source) return arenaOver(source.bytes);
  const { path, offset, length } = source;
  const arena = thread.scratch(length);
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    throw packError(path, error);
  }
  try {
    readWhole(fd, arena, { path, offset, length });
  } finally {
    closeSync(fd);
  }
  return arena;
}

function readWhole(
  fd: number,
  arena: Arena,
  { path, offset, length }: { path: string; offset: number; length: number },
): void {
  let filled = 0;
  while (filled < length) {
    let got: number;
    try {
      got = readSync(fd, arena.bytes, filled, length - filled, offset + filled);
    } catch (error) {
      throw packError(path, error);
    }
    if (got === 0) {
      throw new EngineError('PACK_DAMAGED', `pack ${path} is shorter than the index says`);
    }
    filled += got;
  }
}

function packError(path: string, cause: unknown): EngineError {
  const code = systemCodeOf(cause) === 'ENOENT' ? 'PACK_MISSING' : 'STORAGE_FAILED';
  const text = `cannot read pack ${path}: ${systemCodeOf(cause) ?? 'unknown error'}`;
  return new EngineError(code, text, { cause });
}
