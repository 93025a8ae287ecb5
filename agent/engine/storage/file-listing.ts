// Walks a sharded directory for the blobs whose ids begin with a prefix. Only directories that can
// hold such ids are opened: others' directories (`lost+found`, a cache beside the blobs) are not.

import type { Dir } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { throwIfAborted } from '#engine/base/abort.ts';
import { systemCodeOf } from '#engine/base/errors.ts';
import { idOfPlace, isShardName, type ShardLayout } from './shards.ts';
import type { BlobMetadata } from './storage.ts';

/** Entries read and looked at together; bounds memory and keeps the thread pool busy. */
const BATCH_ENTRIES = 256;

/** Batches of blobs. What comes or goes meanwhile may or may not be among them. */
export async function* listFiles(
  root: string,
  layout: ShardLayout,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<BlobMetadata[]> {
  const pending: (readonly string[])[] = [[]];
  for (let names = pending.pop(); names !== undefined; names = pending.pop()) {
    throwIfAborted(signal);
    yield* listDirectory({ root, layout, prefix, names, pending }, signal);
  }
}

interface Walk {
  readonly root: string;
  readonly layout: ShardLayout;
  readonly prefix: string;
  readonly names: readonly string[];
  readonly pending: (readonly string[])[];
}

async function* listDirectory(
  walk: Walk,
  signal: AbortSignal | undefined,
): AsyncGenerator<BlobMetadata[]> {
  const { root, layout, names, pending } = walk;
  const directory = await openIfThere(join(root, ...names), names.length === 0);
  if (!directory) return;
  let batch: { id: string; path: string }[] = [];
  for await (const entry of directory) {
    if (entry.isDirectory()) {
      const isShard = isShardName(layout, names.length, entry.name);
      if (isShard && canHold(names.join('') + entry.name, walk.prefix)) {
        pending.push([...names, entry.name]);
      }
      continue;
    }
    const id = idOfPlace(layout, names, entry.name);
    if (id === undefined || !id.startsWith(walk.prefix)) continue;
    batch.push({ id, path: join(root, ...names, entry.name) });
    if (batch.length < BATCH_ENTRIES) continue;
    throwIfAborted(signal);
    yield await lookAt(batch);
    batch = [];
  }
  throwIfAborted(signal);
  if (batch.length > 0) yield await lookAt(batch);
}

function canHold(idStart: string, prefix: string): boolean {
  return idStart.length < prefix.length ? prefix.startsWith(idStart) : idStart.startsWith(prefix);
}

async function openIfThere(path: string, isRoot: boolean): Promise<Dir | undefined> {
  try {
    return await opendir(path, { bufferSize: BATCH_ENTRIES });
  } catch (error) {
    // A shard directory may go away while we walk; the root may not.
    if (!isRoot && systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function lookAt(batch: readonly { id: string; path: string }[]): Promise<BlobMetadata[]> {
  const found = await Promise.all(
    batch.map(async ({ id, path }) => {
      try {
        const { size, mtimeMs } = await stat(path);
        return { id, bytes: size, modifiedMs: Math.floor(mtimeMs) };
      } catch (error) {
        if (systemCodeOf(error) === 'ENOENT') return undefined;
        throw error;
      }
    }),
  );
  return found.filter(blob => blob !== undefined);
}
