// What the content layer has done in worker threads.

import { allocateArena, arenaOver } from '#engine/base/arena.ts';
import { EngineError } from '#engine/base/errors.ts';
import { NONCE_BYTES, SEAL_BYTES, TAG_BYTES } from '#engine/cipher/content-cipher.ts';
import { contentIdOfKnownKey, contentIv } from '#engine/format/content-id.ts';
import { encodeIndex } from '#engine/index/encode.ts';
import { IndexRows, type TransferredRows } from '#engine/index/rows.ts';
import type { SealedContent } from './content-opener.ts';
import {
  attachKnown,
  type ContentThread,
  type SharedKnownContents,
  type WritingThread,
} from './content-thread.ts';
import { indexHandlers, type IndexTasks } from './index-tasks.ts';
import type { TaskHandlers, TaskReply } from './tasks.ts';

export interface SealedIndexFile {
  /** Full-length hash of the plaintext; the blob is named after it. */
  readonly hash: Uint8Array;
  readonly sealed: Uint8Array;
}

// An alias and not an interface, because only aliases fit the index signature of TaskMap.
export type ContentTasks = {
  /** Opens and checks contents that lie in `bytes`, which moves to the worker and comes back. */
  openContents: {
    input: { readonly bytes: Uint8Array; readonly contents: readonly SealedContent[] };
    output: { readonly plaintexts: readonly Uint8Array[] };
  };
  /** Stores one content as it is; durable only after the next flush. */
  writeContent: {
    input: { readonly prefix: string; readonly bytes: Uint8Array };
    output: { readonly contentId: string };
  };
  /** Ends the packs this worker has open and hands them in. */
  finishPacks: { input: undefined; output: undefined };
  /** Replaces what is known of contents. */
  adoptKnown: { input: SharedKnownContents; output: undefined };
  /** Merges rows into index files of version 2 and seals them. */
  sealIndex: {
    input: { readonly rows: readonly TransferredRows[] };
    output: { readonly files: readonly SealedIndexFile[]; readonly plain: readonly Uint8Array[] };
  };
} & IndexTasks;

export function contentHandlers(thread: ContentThread): TaskHandlers<ContentTasks> {
  return {
    ...indexHandlers(thread),
    openContents: ({ bytes, contents }) => openContents(thread, bytes, contents),
    writeContent: ({ prefix, bytes }) => writeContent(thread, prefix, bytes),
    finishPacks: () => {
      thread.writing?.packs.finishAll();
      return { output: undefined };
    },
    adoptKnown: known => {
      requireWriting(thread).contents.adopt(attachKnown(known));
      return { output: undefined };
    },
    sealIndex: ({ rows }) => sealIndex(thread, rows),
  };
}

/** The writing parts of a thread that was started for writing. */
export function requireWriting(thread: ContentThread): WritingThread {
  if (thread.writing) return thread.writing;
  throw new EngineError('INTERNAL', 'the repository was opened for reading only');
}

function writeContent(
  thread: ContentThread,
  prefix: string,
  bytes: Uint8Array,
): TaskReply<{ contentId: string }> {
  const { contents } = requireWriting(thread);
  const arena = allocateArena(NONCE_BYTES + bytes.length + TAG_BYTES);
  arena.bytes.set(bytes, NONCE_BYTES);
  contents.write(
    prefix === '' ? 0 : prefix.charCodeAt(0),
    { arena, offset: NONCE_BYTES },
    bytes.length,
  );
  return { output: { contentId: contentIdOfKnownKey(contents.key) } };
}

function openContents(
  thread: ContentThread,
  bytes: Uint8Array,
  contents: readonly SealedContent[],
): TaskReply<{ plaintexts: readonly Uint8Array[] }> {
  const arena = arenaOver(bytes);
  const plaintexts = contents.map(content => thread.opener.open(arena, content));
  return { output: { plaintexts }, transfer: ownBuffers(plaintexts, bytes.buffer) };
}

/**
 * Buffers that hold nothing but plaintexts. Others, such as Node's pool, are copied when posted.
 */
function ownBuffers(plaintexts: readonly Uint8Array[], arena: ArrayBufferLike): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { buffer, byteLength } of plaintexts) {
    if (!(buffer instanceof ArrayBuffer)) continue;
    if (buffer === arena || buffer.byteLength === byteLength) buffers.add(buffer);
  }
  return [...buffers];
}

function sealIndex(
  thread: ContentThread,
  lists: readonly TransferredRows[],
): TaskReply<ContentTasks['sealIndex']['output']> {
  const total = lists.reduce((sum, list) => sum + list.count, 0);
  const rows = new IndexRows(1 + thread.hash.digestBytes, total);
  for (const list of lists) {
    const part = IndexRows.from(list);
    rows.merge(part);
    part.release();
  }
  const plain = encodeIndex(rows, { version: 2 });
  rows.release();
  const files = plain.map(file => sealIndexFile(thread, file));
  const buffers = [...plain, ...files.map(({ sealed }) => sealed)].map(({ buffer }) => buffer);
  const transfer = buffers.filter(buffer => buffer instanceof ArrayBuffer);
  return { output: { files, plain }, transfer };
}

/** Hashes and seals in one piece of memory, since an index file may be large. */
function sealIndexFile({ hash, cipher }: ContentThread, file: Uint8Array): SealedIndexFile {
  const arena = allocateArena(file.length + SEAL_BYTES);
  arena.bytes.set(file, NONCE_BYTES);
  const digest = new Uint8Array(hash.digestBytes);
  hash.digest(arena, NONCE_BYTES, file.length, digest, 0);
  const plaintext = { arena, offset: NONCE_BYTES };
  cipher.seal(plaintext, file.length, { arena, offset: 0 }, contentIv(digest));
  return { hash: digest, sealed: arena.bytes };
}
