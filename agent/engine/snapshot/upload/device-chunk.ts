// Reads the next chunk of a block device. A device does not say where it has nothing (SEEK_HOLE is
// of files), so all of it is read; but what is zero is only compared with zeros, at the speed of
// memory. The cuts are those of the splitter: what it makes of zeros that go on is always the same
// (zero-chunks.ts), so it has to see bytes only when some are not zero.

import type { Arena } from '#engine/base/arena.ts';
import { isZeros } from '#engine/base/bytes.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { Splitter } from '#engine/chunk/splitter.ts';
import type { BlockDevice } from '#engine/snapshot/source/block-device.ts';
import type { SourceFileSystem } from '#engine/snapshot/source/source-file-system.ts';
import { printablePath } from '#engine/snapshot/source/source-name.ts';
import type { ReadChunk } from './chunk-reader.ts';

/** More than this in one step reads ahead of the cut for nothing, less makes more calls. */
const STEP_BYTES = 1 << 20;
/** What is read past the kernel's memory begins and ends at blocks, in the device and in memory. */
const BLOCK_BYTES = 4096;
/** What an arena must hold besides the longest chunk and what sealing takes. */
export const DEVICE_MARGIN_BYTES = 3 * BLOCK_BYTES;

export interface DeviceChunk extends ReadChunk {
  /** Where the chunk lies in the splitter's arena, unless it is a hole. */
  readonly offset: number;
}

/** @throws SOURCE_UNREADABLE; SOURCE_CHANGED when the device has become shorter */
export function readDeviceChunk(
  fileSystem: SourceFileSystem,
  device: BlockDevice,
  splitter: Splitter,
  { start, zeroCut }: { readonly start: number; readonly zeroCut: () => number },
): DeviceChunk {
  const { arena } = splitter;
  const offset = BLOCK_BYTES + (start - arena.address - floorTo(start - arena.address));
  const restBytes = device.bytes - start;
  const zerosMax = Math.min(zeroCut(), restBytes);
  const bytesMax = Math.min(splitter.maxBytes, restBytes);
  let available = 0;
  let zeroBytes = 0;
  splitter.reset();
  for (;;) {
    const wanted = Math.min(bytesMax, Math.max(available, splitter.minBytes) + STEP_BYTES);
    while (available < wanted) {
      const range = { offset, start, available, wanted };
      const got = Math.min(readBlocks(fileSystem, device, arena, range), bytesMax) - available;
      const looked = Math.min(got, zerosMax - zeroBytes);
      const isContinued = zeroBytes === available;
      if (isContinued && isZeros(arena.bytes, offset + available, looked)) zeroBytes += looked;
      available += got;
    }
    if (zeroBytes === zerosMax) {
      return { offset, length: zerosMax, isLast: zerosMax === restBytes, isHole: true };
    }
    if (zeroBytes === available) continue;
    const cut = splitter.nextCut(offset, available, available === restBytes);
    if (cut > 0) return { offset, length: cut, isLast: cut === restBytes, isHole: false };
  }
}

interface WantedBytes {
  /** Where the chunk begins in the arena, and on the device. */
  readonly offset: number;
  readonly start: number;
  /** How much of it there is, and is to be. */
  readonly available: number;
  readonly wanted: number;
}

/** Reads whole blocks; returns how much of the chunk there is then. */
function readBlocks(
  fileSystem: SourceFileSystem,
  device: BlockDevice,
  arena: Arena,
  { offset, start, available, wanted }: WantedBytes,
): number {
  const position = floorTo(start + available);
  // Of the first block, what is before the chunk; after a short read, what is there already.
  const again = start + available - position;
  const targetOffset = offset + available - again;
  const length = floorTo(wanted - available + again + BLOCK_BYTES - 1);
  const got = fileSystem.read(device, arena, { targetOffset, length, position });
  if (got <= again) throw becameShorter(device, position + got);
  return available + got - again;
}

function floorTo(bytes: number): number {
  return Math.floor(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

function becameShorter({ path, bytes }: BlockDevice, position: number): EngineError {
  const text = `device ${printablePath(path)} ended at ${position} instead of ${bytes} bytes`;
  return new EngineError('SOURCE_CHANGED', `${text}; it was shrunk while it was read`);
}
