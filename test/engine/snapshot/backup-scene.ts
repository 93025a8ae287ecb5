// A source tree and repositories in memory, for the tests of backups.

import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import type { Test } from 'tap';
import type { BackupRequest } from '#engine/snapshot/backup.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';
import type { Storage } from '#engine/storage/storage.ts';
import { OpenContents } from '#engine/content/open-contents.ts';
import { loadRepositoryFormat } from '#engine/content/repository-format.ts';
import { createRepository, Repository } from '#engine/repository.ts';
import { THREAD_ENTRY } from '#engine/snapshot/thread-entry.ts';
import type { EngineTasks } from '#engine/snapshot/worker.ts';
import { SeededRandom } from '#test/support/random.ts';

export const MiB = 1024 * 1024;
const SPLITTER = 'DYNAMIC-128K-BUZHASH';
export const source = { user: 'user', host: 'host', path: '/data' };
const owner = { user: 'user', host: 'host' };
export const random = new SeededRandom(7);
export const large = random.bytes(3 * MiB + 12_345);

/** An empty repository; copies of its blobs are repositories, too. */
const created = (async () => {
  const storage = new MemoryStorage();
  await createRepository({ storage, password: 'p', splitter: SPLITTER, owner });
  return storage;
})();

/** Of all copies. Opening one of them by its password would take 0.3 s of a core. */
export const loadedFormat = created.then(storage =>
  loadRepositoryFormat(storage, { password: 'p' }),
);

export async function emptyStorage(): Promise<MemoryStorage> {
  const original = await created;
  const storage = new MemoryStorage();
  for await (const { id } of original.list('')) await storage.put(id, [await original.get(id)]);
  return storage;
}

export interface RepositoryOptions {
  /** A copy of the one that emptyStorage() gives, or one without anything. */
  readonly storage?: Storage;
  readonly threads?: number;
  readonly isNativeAllowed?: boolean;
}

export async function repositoryFor(t: Test, options: RepositoryOptions = {}): Promise<Repository> {
  const { storage = await emptyStorage(), threads = 2, isNativeAllowed } = options;
  const settings = { threadEntry: THREAD_ENTRY, threads, isNativeAllowed, owner };
  const parts = await OpenContents.openWith<EngineTasks>(storage, await loadedFormat, settings);
  const repository = new Repository(parts, undefined);
  t.teardown(() => repository.close());
  return repository;
}

/** A bit of everything; the same each time, owners and times included. */
export function makeTree(t: Test): string {
  const root = `${t.testdir({})}/tree`;
  mkdirSync(`${root}/sub/deep/er`, { recursive: true });
  mkdirSync(`${root}/empty`);
  writeFileSync(`${root}/large`, large);
  writeFileSync(`${root}/text`, 'text that comes again and again\n'.repeat(5000));
  writeFileSync(`${root}/zero`, '');
  writeFileSync(`${root}/sub/é\n`, 'odd name');
  writeFileSync(`${root}/sub/twin`, large.subarray(0, 300_000));
  writeFileSync(`${root}/sub/deep/er/leaf`, 'leaf');
  symlinkSync('../text', `${root}/sub/link`);
  chmodSync(`${root}/text`, 0o4751);
  const paths = ['large', 'text', 'zero', 'sub/é\n', 'sub/twin', 'sub/deep/er/leaf', 'empty', ''];
  for (const path of paths) utimesSync(`${root}/${path}`, 1_600_000_000.25, 1_600_000_000.25);
  return root;
}

export const request = (path: string, more: Partial<BackupRequest> = {}): BackupRequest => ({
  path,
  source,
  ...more,
});
