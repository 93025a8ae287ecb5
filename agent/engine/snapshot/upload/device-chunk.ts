// Reads the next chunk of a block device. A device does not say where it has nothing (SEEK_HOLE is
// of files), so all of it is read; but what is zero is only compared with zeros, at the speed of
// memory. The cuts are those of the splitter: what it makes of zeros that go on is always the same
// (zero-chunks.ts), so it has to see bytes only when some are not zero.

import { isZeros } from '#engine/base/bytes.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { Splitter } from '#engine/chunk/splitter.ts';
import { CHUNK_OFFSET } from '#engine/object/object-writer.ts';
import type { BlockDevice } from '#engine/snapshot/source/block-device.ts';
import type { SourceFileSystem } from '#engine/snapshot/source/source-file-system.ts';
import { printablePath } from '#engine/snapshot/source/source-name.ts';
import type { ReadChunk } from './chunk-reader.ts';

/** More than this in one step reads ahead of the cut for nothing, less makes more calls. */
const STEP_BYTES = 1 << 20;

/** @throws SOURCE_UNREADABLE; SOURCE_CHANGED when the device has become shorter */
export function readDeviceChunk(
  fileSystem: SourceFileSystem,
  device: BlockDevice,
  splitter: Splitter,
  { start, zeroCut }: { readonly start: number; readonly zeroCut: () => number },
): ReadChunk {
  const restBytes = device.bytes - start;
  const zerosMax = Math.min(zeroCut(), restBytes);
  const bytesMax = Math.min(splitter.maxBytes, restBytes);
  const { bytes } = splitter.arena;
  let available = 0;
  let zeroBytes = 0;
  splitter.reset();
  for (;;) {
    const wanted = Math.min(bytesMax, Math.max(available, splitter.minBytes) + STEP_BYTES);
    while (available < wanted) {
      const targetOffset = CHUNK_OFFSET + available;
      const length = Math.min(STEP_BYTES, wanted - available);
      const position = start + available;
      const got = fileSystem.read(device, splitter.arena, { targetOffset, length, position });
      if (got === 0) throw becameShorter(device, position);
      const looked = Math.min(got, zerosMax - zeroBytes);
      if (zeroBytes === available && isZeros(bytes, targetOffset, looked)) zeroBytes += looked;
      available += got;
    }
    if (zeroBytes === zerosMax) {
      return { length: zerosMax, isLast: zerosMax === restBytes, isHole: true };
    }
    if (zeroBytes === available) continue;
    const cut = splitter.nextCut(CHUNK_OFFSET, available, available === restBytes);
    if (cut > 0) return { length: cut, isLast: cut === restBytes, isHole: false };
  }
}

function becameShorter({ path, bytes }: BlockDevice, position: number): EngineError {
  const text = `device ${printablePath(path)} ended at ${position} instead of ${bytes} bytes`;
  return new EngineError('SOURCE_CHANGED', `${text}; it was shrunk while it was read`);
}
