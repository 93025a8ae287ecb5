// Large files, as tasks of worker threads. Several threads may run readFileTask for one file at the
// same time; chunk-token.ts says how they share it. Between chunks the thread looks at its
// messages, so that a flush does not have to wait for a terabyte.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { EngineError } from '#engine/base/errors.ts';
import { CHUNK_OFFSET } from '#engine/object/object-writer.ts';
import { COUNTER } from '#engine/workers/run-control.ts';
import type { TaskReply } from '#engine/workers/tasks.ts';
import { wrapModificationTime } from '#engine/snapshot/source/change-detection.ts';
import {
  entryPath,
  type SourceDirectory,
  type SourceFile,
} from '#engine/snapshot/source/source-file-system.ts';
import { joinPath } from '#engine/snapshot/source/source-handle.ts';
import { SourceListing } from '#engine/snapshot/source/source-listing.ts';
import { nameText, printablePath } from '#engine/snapshot/source/source-name.ts';
import { ENTRY_TYPE, SourceStat } from '#engine/snapshot/source/source-stat.ts';
import { type ReadChunk, readChunk } from './chunk-reader.ts';
import { ChunkToken, COMPRESSION_STATE } from './chunk-token.ts';
import { changedWhileRead, isSourceError, isSteady, stopped } from './entry-faults.ts';
import { largeFileOf } from './entry-metadata.ts';
import { joinExtras, timeExtras, lookAtFile } from './entry-attributes.ts';
import { FileChunksBuilder, mergeChunks } from './file-chunks.ts';
import { fileText } from './file-text.ts';
import { type FileIdentity, identityOf, isListed } from './partial-file.ts';
import type {
  FinishFileInput,
  FinishFileOutput,
  LargeFile,
  ReadFileInput,
  ReadFileOutput,
  SkippedEntry,
} from './upload-tasks.ts';
import type { UploadThread } from './upload-thread.ts';

/** Chunks of holes between two looks at the messages. */
const HOLES_A_TURN = 256;
const NO_TEXT = new Uint8Array(0);

interface TakenChunk extends ReadChunk {
  readonly start: number;
}

export async function readFileTask(
  upload: UploadThread,
  input: ReadFileInput,
): Promise<TaskReply<ReadFileOutput>> {
  const endMs = performance.now() + input.run.taskMsMax;
  const token = ChunkToken.attach(input.token);
  const builder = new FileChunksBuilder();
  let identity: FileIdentity;
  try {
    const opened = openForReading(upload, input);
    using file = opened.file;
    ({ identity } = opened);
    do {
      if (upload.isStopped) throw stopped();
      const chunk = takeChunk(upload, file, token, input);
      if (chunk === undefined) break;
      builder.add(chunk, storeChunk(upload, token, chunk));
      // Holes pass quickly, many at a time.
      if (chunk.isHole && builder.count % HOLES_A_TURN !== 0) continue;
      await nextTurn();
    } while (performance.now() < endMs);
  } catch (error) {
    token.finish();
    throw error;
  }
  const chunks = builder.finish();
  const transfer = [chunks.starts.buffer, chunks.lengths.buffer, chunks.ids.buffer];
  return { output: { chunks, identity }, transfer };
}

function openForReading(
  upload: UploadThread,
  { names, file, isAfresh }: ReadFileInput,
): { file: SourceFile; identity: FileIdentity } {
  if (isAfresh) upload.handles.forget(names);
  const directory = upload.handles.at(names);
  const { listing, index } = listingOf(file.name);
  const opened = upload.fileSystem.openFile(directory, listing, index);
  const stat = new SourceStat();
  upload.fileSystem.statOpen(opened, stat);
  if (stat.type === ENTRY_TYPE.file) {
    return { file: opened, identity: identityOf(stat, Date.now()) };
  }
  opened[Symbol.dispose]();
  const path = pathOf(directory, file);
  throw new EngineError('SOURCE_CHANGED', `${path} was replaced by something that is no file`);
}

/** Reads the next chunk into this thread's memory; undefined when there is none. */
function takeChunk(
  upload: UploadThread,
  file: SourceFile,
  token: ChunkToken,
  input: ReadFileInput,
): TakenChunk | undefined {
  token.take();
  try {
    if (token.isDone) return undefined;
    const start = token.nextOffset;
    const limit = partEnd(start, input.file.bytes, input.run.partBytes);
    const { bytes: fileBytes, extras } = input.file;
    const place = { start, limit, fileBytes, holes: extras?.holes, zeroCut: upload.zeroCut };
    const chunk = readChunk(upload.fileSystem, file, upload.splitter, place);
    if (!chunk.isHole) decideCompression(upload, token, input.file, chunk);
    token.nextOffset = start + chunk.length;
    // kopia ends a file whose length is a multiple of the part length in an empty part.
    const isEmptyPart = chunk.length === 0 && start === emptyPartStart(input);
    if (chunk.length === 0 || (chunk.isLast && start + chunk.length !== emptyPartStart(input))) {
      token.finish();
    }
    return chunk.length > 0 || start === 0 || isEmptyPart ? { ...chunk, start } : undefined;
  } finally {
    token.passOn();
  }
}

/** Returns the id of its content. */
function storeChunk(
  upload: UploadThread,
  token: ChunkToken,
  { length, isHole }: TakenChunk,
): string {
  if (isHole) return upload.storeZeros(length);
  const { arena } = upload.splitter;
  const isCompressed = token.compressionState === COMPRESSION_STATE.yes;
  const compressor = isCompressed ? upload.compression.compressor : undefined;
  upload.contents.write(0, { arena, offset: CHUNK_OFFSET }, length, compressor);
  upload.thread.counters[COUNTER.bytesRead] += length;
  return upload.objects.contentId();
}

/**
 * One decision for all chunks of a file, by the first of them that is no hole and before others can
 * be taken.
 */
function decideCompression(
  upload: UploadThread,
  token: ChunkToken,
  file: LargeFile,
  { length }: ReadChunk,
): void {
  const isDecided = token.compressionState !== COMPRESSION_STATE.undecided;
  if (isDecided || upload.run.compression.kind === 'none') return;
  const named = { name: nameText(file.name), bytes: file.bytes };
  const start = { arena: upload.splitter.arena, offset: CHUNK_OFFSET };
  const chosen = upload.compression.choose(named, start, length);
  token.compressionState = chosen ? COMPRESSION_STATE.yes : COMPRESSION_STATE.no;
}

/**
 * Offset at which a cut is forced. kopia reads files longer than partBytes in parts of that length,
 * the last of which is open-ended (snapshot/upload/upload.go uploadFileInternal).
 */
function partEnd(start: number, fileBytes: number, partBytes: number): number {
  if (partBytes === 0 || fileBytes <= partBytes) return Number.MAX_SAFE_INTEGER;
  const end = (Math.floor(start / partBytes) + 1) * partBytes;
  return end <= Math.floor(fileBytes / partBytes) * partBytes ? end : Number.MAX_SAFE_INTEGER;
}

function emptyPartStart({ file, run }: ReadFileInput): number {
  const hasParts = run.partBytes > 0 && file.bytes > run.partBytes;
  return hasParts && file.bytes % run.partBytes === 0 ? file.bytes : -1;
}

/** Writes the list of chunks and gives the entry's text. */
export function finishFileTask(
  upload: UploadThread,
  input: FinishFileInput,
): TaskReply<FinishFileOutput> {
  const { file, chunks, attempt } = input;
  const entries = mergeChunks(chunks);
  const last = entries[entries.length - 1];
  const bytes = last.start + last.length;
  const { skipped, now } = changeSince(upload, input, bytes);
  if (now && attempt === 1) {
    const output = { piece: NO_TEXT, bytes, objectId: '', skipped: undefined, changed: now };
    return { output };
  }
  const objectId = upload.objects.writeList(entries, 0);
  const piece = fileText(file, { objectId, bytes });
  upload.thread.counters[COUNTER.files] += 1;
  const output = { piece, bytes, objectId, skipped, changed: undefined };
  return { output, transfer: [piece.buffer] };
}

/** What has become of the file since it was listed. */
interface Change {
  /** What to report; undefined when nothing has. */
  readonly skipped: SkippedEntry | undefined;
  /** How it is now, unless it is gone. */
  readonly now: LargeFile | undefined;
}

function changeSince(
  upload: UploadThread,
  { names, file, isAfresh, isOneFile }: FinishFileInput,
  bytes: number,
): Change {
  const path = printablePath([...names, file.name].reduce(joinPath, upload.run.root));
  const stat = new SourceStat();
  let directory: SourceDirectory;
  try {
    // A directory can be replaced without a change to the file that was in it, so a thread that has
    // it open sees none.
    if (isAfresh || !isOneFile) upload.handles.forget(names);
    directory = upload.handles.at(names);
    const { listing, index } = listingOf(file.name);
    upload.fileSystem.statAt(directory, listing, index, stat);
  } catch (error) {
    if (!isSourceError(error)) throw error;
    const { code, message } = error;
    const skipped = { path, code, message: `${message}; what had been read is stored` };
    return { skipped, now: undefined };
  }
  wrapModificationTime(stat);
  const isSame =
    isOneFile &&
    isListed(identityOf(stat, Date.now()), file, upload.run.changes) &&
    isSteady({ ...file, size: file.bytes }, stat);
  if (isSame && bytes === file.bytes) {
    return { skipped: undefined, now: undefined };
  }
  const skipped = changedWhileRead(path, file.bytes, bytes);
  return { skipped, now: lookAgain(upload, directory, file) };
}

/** The file as it is now, holes and attributes included; undefined when it cannot be had. */
function lookAgain(
  upload: UploadThread,
  directory: SourceDirectory,
  file: LargeFile,
): LargeFile | undefined {
  const { listing, index } = listingOf(file.name);
  const stat = new SourceStat();
  try {
    using opened = upload.fileSystem.openFile(directory, listing, index);
    upload.fileSystem.statOpen(opened, stat);
    wrapModificationTime(stat);
    if (stat.type !== ENTRY_TYPE.file) return undefined;
    const { nameBytes, linkGroup } = file.extras ?? {};
    const { extras } = lookAtFile(upload, opened, stat);
    const named = nameBytes && { nameBytes };
    const linked = linkGroup === undefined ? undefined : { linkGroup };
    const { stampIndex } = file;
    return largeFileOf(file.name, stat, {
      extras: joinExtras(named, linked, timeExtras(stat), extras),
      stampIndex,
    });
  } catch (error) {
    if (isSourceError(error)) return undefined;
    throw error;
  }
}

function listingOf(name: Uint8Array): { listing: SourceListing; index: number } {
  const listing = new SourceListing();
  return { listing, index: listing.add(name, ENTRY_TYPE.file) };
}

function pathOf(directory: SourceDirectory, { name }: LargeFile): string {
  const { listing, index } = listingOf(name);
  return printablePath(entryPath(directory, listing, index));
}
