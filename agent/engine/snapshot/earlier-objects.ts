// What a backup reads of earlier snapshots: directories to compare with, and the chunks of files
// that an earlier run has read in part. What cannot be read is as good as none: the files are read
// again, which is what heals the repository.

import type { ContentSource } from '#engine/content/content-source.ts';
import { openObject } from '#engine/object/object-reader.ts';
import { isUnreadable } from '#engine/object/unreadable.ts';
import type { TreeReader } from './tree.ts';
import { FileChunksBuilder } from './upload/file-chunks.ts';
import type { FileChunks, PreviousObject, ResumedFile } from './upload/upload-tasks.ts';

/** A directory object to compare with; undefined when it cannot be had. */
export async function readDirectoryObject(
  reader: TreeReader,
  objectId: string,
  signal: AbortSignal,
): Promise<PreviousObject | undefined> {
  return await orNone(async () => {
    return { objectId, bytes: await reader.readDirectoryBytes(objectId, { signal }) };
  });
}

/** Undefined as well when one of the chunks is not there any more, or on its way out. */
export async function readChunks(
  contents: ContentSource,
  { objectId, bytes }: ResumedFile,
  signal: AbortSignal,
): Promise<FileChunks | undefined> {
  return await orNone(async () => {
    const builder = new FileChunksBuilder();
    const object = await openObject(contents, objectId, { signal });
    if (object.bytes !== bytes) return undefined;
    let lastId = '';
    for await (const { contentId, offset, bytes: length, isCompressed } of object.chunks({
      signal,
    })) {
      const stored = contents.find(contentId);
      const isThere = stored?.isDeleted === false && stored.originalBytes === length;
      if (!isThere || isCompressed) return undefined;
      // Chunks of holes follow each other.
      builder.add({ start: offset, length, isHole: contentId === lastId }, contentId);
      lastId = contentId;
    }
    return builder.finish();
  });
}

/** What `read` gives; undefined as well where what it reads is not there or not sound. */
export async function orNone<Result>(
  read: () => Promise<Result | undefined>,
): Promise<Result | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}
