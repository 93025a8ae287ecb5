// A block device, as tasks of worker threads: several may read one device at the same time, and
// chunk-token.ts says how they share it.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { isZeros } from '#engine/base/bytes.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { Region } from '#engine/cipher/content-cipher.ts';
import type { Compressor } from '#engine/compress/compressors.ts';
import { COUNTER } from '#engine/workers/run-control.ts';
import type { TaskReply } from '#engine/workers/tasks.ts';
import type { BlockDevice } from '#engine/snapshot/source/block-device.ts';
import { nameText } from '#engine/snapshot/source/source-name.ts';
import { ChunkToken } from './chunk-token.ts';
import { type DeviceChunk, readDeviceChunk } from './device-chunk.ts';
import { stopped } from './entry-faults.ts';
import { FileChunksBuilder, mergeChunks } from './file-chunks.ts';
import { fileText } from './file-text.ts';
import type { FileIdentity } from './partial-file.ts';
import type {
  FinishDeviceInput,
  LargeFile,
  ReadFileInput,
  ReadFileOutput,
  UploadTasks,
} from './upload-tasks.ts';
import { UntouchedChunks, type UntouchedRun } from './untouched-chunks.ts';
import type { UploadThread } from './upload-thread.ts';

/** As much as CompressionChoice looks at. */
const EDGE_BYTES = 64 << 10;

/** Nothing tells a device from what it was before, so nobody goes on with a part of it. */
const NO_IDENTITY: FileIdentity = Object.freeze({
  inode: '',
  device: '',
  ctime: '',
  isSettled: false,
});

interface TakenChunk extends DeviceChunk {
  readonly start: number;
}

export async function readDeviceTask(
  upload: UploadThread,
  { run, device, untouched, token: shared, file }: ReadFileInput,
): Promise<TaskReply<ReadFileOutput>> {
  if (device === undefined) throw new EngineError('INTERNAL', 'no device was given to be read');
  const endMs = performance.now() + run.taskMsMax;
  const token = ChunkToken.attach(shared);
  const known = untouched && UntouchedChunks.attach(untouched);
  const builder = new FileChunksBuilder();
  const passed: UntouchedRun[] = [];
  try {
    do {
      if (upload.isStopped) throw stopped();
      const chunk = takeChunk(upload, device, token, known);
      if (chunk && 'end' in chunk) {
        passed.push(chunk);
        continue;
      }
      if (chunk === undefined) break;
      builder.add(chunk, storeChunk(upload, file, chunk));
      upload.thread.counters[COUNTER.bytesRead] += chunk.length;
      await nextTurn();
    } while (performance.now() < endMs);
  } catch (error) {
    token.finish();
    throw error;
  }
  const chunks = builder.finish();
  const transfer = [chunks.starts.buffer, chunks.lengths.buffer, chunks.ids.buffer];
  return { output: { chunks, identity: NO_IDENTITY, passed }, transfer };
}

/**
 * Reads the next chunk into this thread's memory, or passes over some; undefined when none is left.
 */
function takeChunk(
  upload: UploadThread,
  device: BlockDevice,
  token: ChunkToken,
  known: UntouchedChunks | undefined,
): TakenChunk | UntouchedRun | undefined {
  token.take();
  try {
    if (token.isDone) return undefined;
    const start = token.nextOffset;
    const run = known?.runAt(start);
    if (run) {
      token.nextOffset = run.end;
      if (run.end === device.bytes) token.finish();
      return run;
    }
    const { fileSystem, splitter, zeroCut } = upload;
    const chunk = readDeviceChunk(fileSystem, device, splitter, { start, zeroCut });
    token.nextOffset = start + chunk.length;
    if (chunk.isLast) token.finish();
    return { ...chunk, start };
  } finally {
    token.passOn();
  }
}

/** Returns the id of its content. */
function storeChunk(upload: UploadThread, file: LargeFile, chunk: TakenChunk): string {
  const { offset, length, isHole } = chunk;
  if (isHole) return upload.storeZeros(length);
  const region = { arena: upload.splitter.arena, offset };
  upload.contents.write(0, region, length, compressorFor(upload, file, region, length));
  return upload.objects.contentId();
}

/**
 * Decided for each chunk, since a device has files of all kinds. One that begins or ends with zeros
 * lies at the edge of what was never written, and shrinks whatever its middle is like.
 */
function compressorFor(
  { run, compression }: UploadThread,
  file: LargeFile,
  { arena, offset }: Region,
  length: number,
): Compressor | undefined {
  const edge = Math.min(EDGE_BYTES, length);
  const edges = [offset, offset + length - edge];
  const isAtEdge = edges.some(at => isZeros(arena.bytes, at, edge));
  if (isAtEdge && run.compression.kind === 'auto') return compression.compressor;
  const named = { name: nameText(file.name), bytes: file.bytes };
  return compression.choose(named, { arena, offset }, length);
}

/** Writes the list of chunks and gives the text of the entry. */
export function finishDeviceTask(
  upload: UploadThread,
  { file, chunks }: FinishDeviceInput,
): TaskReply<UploadTasks['finishDevice']['output']> {
  const entries = mergeChunks(chunks);
  let bytes = 0;
  for (const { start, length } of entries) if (start === bytes) bytes += length;
  const { start, length } = entries[entries.length - 1];
  if (bytes !== file.bytes || start + length !== bytes) {
    const text = `a device of ${file.bytes} bytes was read as ${bytes}`;
    throw new EngineError('INTERNAL', `${text}; report this`);
  }
  const objectId = upload.objects.writeList(entries, 0);
  const piece = fileText(file, { objectId, bytes });
  upload.thread.counters[COUNTER.files] += 1;
  return { output: { piece, bytes, objectId }, transfer: [piece.buffer] };
}
