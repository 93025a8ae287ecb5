// Each wrapper around memory, and around a directory where it may hand the files on, still is a
// storage.
import t from 'tap';
import { systemClock } from '#engine/base/clock.ts';
import { openFilesystem } from '#engine/storage/filesystem.ts';
import { limited } from '#engine/storage/limited.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';
import { metered } from '#engine/storage/metered.ts';
import { PendingOperations } from '#engine/storage/pending-operations.ts';
import { retaining } from '#engine/storage/retaining.ts';
import { retrying } from '#engine/storage/retrying.ts';
import type { Storage } from '#engine/storage/storage.ts';
import { storageCompliance } from './compliance.ts';
import { fastDirectory } from './fast-directory.ts';

const LIMITS = { operationsMax: 4, uploadBytesPerSecond: 1e12, downloadBytesPerSecond: 1e12 };
const wrappers: Readonly<Record<string, (inner: Storage) => Storage>> = {
  retrying: inner => retrying(inner),
  limited: inner => limited(inner, LIMITS),
  metered: inner => metered(inner, { operationEnded: () => undefined }),
  watched: inner => new PendingOperations(systemClock).watch(inner),
  retaining: inner => retaining(inner, () => ({ mode: 'GOVERNANCE', periodMs: 86_400_000 })),
};

for (const [name, wrapper] of Object.entries(wrappers)) {
  storageCompliance(t, `${name} around memory`, async () => wrapper(new MemoryStorage()));
}

let opened = 0;
const directory = fastDirectory(t);
storageCompliance(t, 'all wrappers around a directory', async () => {
  const inner = await openFilesystem(`${directory}/${opened++}`, { create: true });
  const { retrying, watched, metered, retaining } = wrappers;
  return [metered, retrying, watched, retaining].reduce<Storage>(
    (storage, wrapper) => wrapper?.(storage) ?? storage,
    inner,
  );
});
