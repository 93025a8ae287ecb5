// What a restore to a block device has done in worker threads.

import { allocateArena, type Arena } from '#engine/base/arena.ts';
import { EngineError } from '#engine/base/errors.ts';
import { releaseBuffer } from '#engine/base/release-buffer.ts';
import { contentIdOfKnownKey } from '#engine/format/content-id.ts';
import type { BlockDevice } from '#engine/snapshot/source/block-device.ts';
import { DeviceContent } from '#engine/snapshot/target/device-content.ts';
import { openTargetFileSystem } from '#engine/snapshot/target/open-target-file-system.ts';
import type { SealedContent } from '#engine/workers/content-opener.ts';
import type { TaskHandlers } from '#engine/workers/tasks.ts';
import { plainChunk, type ScratchMemory, sealedBytes } from './range-writing.ts';
import type { RangeSource } from './restore-tasks.ts';
import type { ContentParts } from './restore-thread.ts';

/** Settings of one restore, the same for all its tasks. Threads know a run by its number. */
export interface DeviceRun {
  readonly runId: number;
  readonly device: BlockDevice;
  readonly isNativeAllowed: boolean;
  /** Set to 1 to end the run at the next write. */
  readonly stop: SharedArrayBuffer;
}

export interface DeviceChunkInput {
  readonly run: DeviceRun;
  /** A content as it lies in its pack, and how to open it. */
  readonly source: RangeSource;
  readonly content: Omit<SealedContent, 'offset' | 'length'>;
  /** Whether it holds a compressed stream (kopia-format.md 8.4). */
  readonly isCompressed: boolean;
  /** How long the chunk is, and where on the device it belongs. */
  readonly bytes: number;
  readonly positions: Float64Array;
}

export interface DeviceZerosInput {
  readonly run: DeviceRun;
  readonly position: number;
  readonly length: number;
}

// An alias and not an interface, because only aliases fit the index signature of TaskMap.
export type DeviceTasks = {
  /** Ids of contents that are nothing but zeros, by their length. */
  deviceZeroIds: { input: { readonly lengths: readonly number[] }; output: readonly string[] };
  deviceChunk: { input: DeviceChunkInput; output: undefined };
  deviceZeros: { input: DeviceZerosInput; output: undefined };
  /** Gives back what a thread holds for a run. */
  endDevice: { input: { readonly runId: number }; output: undefined };
};

export function deviceHandlers(parts: ContentParts): TaskHandlers<DeviceTasks> {
  const devices = new Map<number, DeviceContent>();
  const deviceOf = ({ runId, device, isNativeAllowed }: DeviceRun): DeviceContent => {
    const known = devices.get(runId);
    if (known) return known;
    const made = new DeviceContent(openTargetFileSystem({ native: isNativeAllowed }), device);
    devices.set(runId, made);
    return made;
  };
  let scratch: Arena | undefined;
  const memory: ScratchMemory = {
    scratch: bytes => {
      if (scratch === undefined || scratch.bytes.length < bytes) scratch = allocateArena(bytes);
      return scratch;
    },
  };
  return {
    deviceZeroIds: ({ lengths }) => ({ output: zeroIds(parts, lengths) }),
    deviceChunk: input => {
      try {
        writeChunk(parts, deviceOf(input.run), input, memory);
        return { output: undefined };
      } finally {
        // The next one comes sooner than a collection.
        if ('bytes' in input.source) releaseBuffer(input.source.bytes.buffer);
      }
    },
    deviceZeros: ({ run, position, length }) => {
      throwIfStopped(run);
      deviceOf(run).zero(position, length);
      return { output: undefined };
    },
    endDevice: ({ runId }) => {
      devices.get(runId)?.[Symbol.dispose]();
      devices.delete(runId);
      if (devices.size === 0) scratch = undefined;
      return { output: undefined };
    },
  };
}

function writeChunk(
  { opener }: ContentParts,
  device: DeviceContent,
  { run, source, content, isCompressed, bytes, positions }: DeviceChunkInput,
  memory: ScratchMemory,
): void {
  const length = 'bytes' in source ? source.bytes.length : source.length;
  const sealed = sealedBytes(memory, source);
  const opened = opener.openRegion(sealed, { ...content, offset: 0, length });
  const plain = plainChunk(opened, { isCompressed, bytes });
  for (const position of positions) {
    throwIfStopped(run);
    device.write(plain.arena, { offset: plain.offset, length: plain.length, position });
  }
}

function throwIfStopped({ stop }: DeviceRun): void {
  if (Atomics.load(new Int32Array(stop), 0) === 0) return;
  throw new EngineError('ABORTED', 'the restore was cancelled');
}

function zeroIds({ hash }: ContentParts, lengths: readonly number[]): string[] {
  const zeros = allocateArena(Math.max(1, ...lengths));
  const key = new Uint8Array(1 + hash.digestBytes);
  return lengths.map(length => {
    hash.digest(zeros, 0, length, key, 1);
    return contentIdOfKnownKey(key.slice());
  });
}
