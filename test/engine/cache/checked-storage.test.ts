// What says whether a repository is sound looks at the storage, and not at what a cache has of it.

import t, { type Test } from 'tap';
import { type Repository, verify } from '#engine/index.ts';
import { backup, checkRepository, listSnapshots, restore } from '#engine/operations.ts';
import type { MemoryStorage } from '#engine/storage/memory.ts';
import {
  emptyStorage,
  makeTree,
  repositoryFor,
  request,
} from '#test/engine/snapshot/backup-scene.ts';
import { scratchCache, through } from './scratch-cache.ts';

const tree = makeTree(t);

/** All of it is in the cache, and then packs of a kind are damaged in the storage. */
async function damagedBehindCache(t: Test, kind: 'p' | 'q') {
  const memory = await emptyStorage();
  await backup(await repositoryFor(t, { storage: memory }), request(tree));
  const { cache } = await scratchCache(t);
  const storage = through(cache, memory);
  const directory = t.testdir({});
  const snapshot = 'latest';
  const repository = await repositoryFor(t, { storage });
  await restore(repository, { snapshot, target: `${directory}/before` });
  await damage(memory, kind);
  // Each loads manifests for itself.
  const other = await repositoryFor(t, { storage });
  await restore(other, { snapshot, target: `${directory}/after` });
  return { repository: await repositoryFor(t, { storage }), cache };
}

async function damage(memory: MemoryStorage, kind: string): Promise<void> {
  for (const { id } of await Array.fromAsync(memory.list(kind))) {
    const bytes = await memory.get(id);
    for (let at = 0; at < bytes.length; at += 1000) bytes[at] ^= 1;
    await memory.put(id, [bytes]);
  }
}

for (const kind of ['p', 'q'] as const) {
  t.test(`damage of ${kind} packs is found, whatever the cache has`, async t => {
    const { repository, cache } = await damagedBehindCache(t, kind);
    const { storedBytes, evictedBytes } = cache.statistics;
    const before = [storedBytes, evictedBytes.damage];
    const codes = await codesOf(repository);
    t.same(codes, { verify: 'CONTENT_DAMAGED', check: 'CONTENT_DAMAGED' });
    t.match(await checkRepository(repository, { readData: false }), { problemCount: 0 });
    t.equal((await listSnapshots(repository)).length, 1);
    const after = [cache.statistics.storedBytes, evictedBytes.damage];
    t.same(after, before, 'and the cache stays as it is');
  });
}

async function codesOf(repository: Repository) {
  const codeOf = (error: { code: string }) => error.code;
  const verified = verify(repository, { readPercent: 100 });
  const checked = checkRepository(repository, { readData: true });
  return {
    verify: await verified.then(({ problems }) => problems[0]?.code, codeOf),
    check: await checked.then(({ problems }) => problems[0]?.code, codeOf),
  };
}
