// Packs and index blobs that are gone, cut short or empty: what can still be read is read rightly,
// the rest is named, by reading, by verify and by check; and a new backup works.

import t from 'tap';
import { checkRepository, EngineError, type Repository, restore, verify } from '#engine/index.ts';
import type { MemoryStorage } from '#engine/storage/memory.ts';
import {
  backupTree,
  blobIds,
  copyOf,
  makeSmallRepository,
  openSmall,
  readFilesOrCodes,
} from './small-repository.ts';

const small = await makeSmallRepository(t.testdir());
const packs = [...(await blobIds(small.storage, 'p')), ...(await blobIds(small.storage, 'q'))];
const indexes = await blobIds(small.storage, 'x');

/** Cuts a blob to some lengths; undefined removes it. */
async function* cuts(blobId: string): AsyncIterable<{ storage: MemoryStorage; length?: number }> {
  const whole = await small.storage.get(blobId);
  const gone = await copyOf(small.storage);
  await gone.delete(blobId);
  yield { storage: gone };
  for (const length of lengthsOf(whole)) {
    const storage = await copyOf(small.storage);
    await storage.put(blobId, [whole.subarray(0, length)]);
    yield { storage, length };
  }
}

/** All of them cut off something that is needed: what lies behind the contents of a pack is not. */
function lengthsOf(whole: Uint8Array): number[] {
  return [0, 1, 31, 33, 60, Math.min(whole.length - 1, 150)];
}

async function codesOf(repository: Repository): Promise<Set<string>> {
  const verified = await verify(repository, { readPercent: 100 });
  const checked = await checkRepository(repository, { readData: true });
  return new Set([...verified.problems, ...checked.problems].map(({ code }) => code));
}

async function codeOfOpening(storage: MemoryStorage): Promise<string> {
  try {
    await using repository = await openSmall(storage, small.format);
    // Manifests are read with the first question for snapshots.
    const codes = await readFilesOrCodes(repository, small.snapshotId, small.files);
    return [...codes].join();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return error.code;
  }
}

for (const pack of packs) {
  t.test(`${pack.slice(0, 2)}…: a missing, short or empty pack is named`, async t => {
    for await (const { storage, length } of cuts(pack)) {
      const how = length === undefined ? 'missing' : `${length} bytes long`;
      const expected = length === undefined ? 'PACK_MISSING' : 'PACK_DAMAGED';
      await using repository = await openSmall(storage, small.format);
      const { problems } = await checkRepository(repository, { readData: false });
      t.match(problems, [{ packId: pack, code: expected }], `${how}: check lists it`);
      const checked = await checkRepository(repository, { readData: true });
      const unread = checked.problems.filter(({ contentId }) => contentId !== undefined);
      t.ok(unread.length > 0, `${how}: check --read-data lists what lies in it`);
      t.ok(unread.every(({ code }) => code === expected));
      const read = await endCodes(() =>
        readFilesOrCodes(repository, small.snapshotId, small.files),
      );
      t.ok(
        [...read].every(code => code === expected || code === 'SNAPSHOT_NOT_FOUND'),
        `${how}: reading ends with ${[...read].join() || 'the right bytes'}`,
      );
    }
  });
}

async function endCodes(work: () => Promise<Set<string>>): Promise<Set<string>> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return new Set([error.code]);
  }
}

t.test('a lost pack of files is found by verify and named by restore', async t => {
  const storage = await copyOf(small.storage);
  const [dataPack] = await blobIds(storage, 'p');
  await storage.delete(dataPack);
  await using repository = await openSmall(storage, small.format);
  t.ok((await codesOf(repository)).has('PACK_MISSING'));
  const target = `${t.testdir()}/restored`;
  await t.rejects(restore(repository, { snapshot: 'latest', target }), { code: 'PACK_MISSING' });
});

for (const index of indexes) {
  t.test(`${index.slice(0, 4)}…: a short or empty index blob is named`, async t => {
    for await (const { storage, length } of cuts(index)) {
      const code = await codeOfOpening(storage);
      if (length !== undefined) t.equal(code, 'INDEX_DAMAGED', `${length} bytes`);
      else t.match(code, /^(SNAPSHOT_NOT_FOUND|CONTENT_NOT_FOUND|)$/, 'missing');
    }
  });
}

t.test(
  'a lost index blob is found by verify when another snapshot needs what it named',
  async t => {
    const storage = await copyOf(small.storage);
    {
      await using repository = await openSmall(storage, small.format);
      await backupTree(repository, small.changed);
    }
    for (const index of indexes) await storage.delete(index);
    await using repository = await openSmall(storage, small.format, { isReadOnly: true });
    const { problems } = await verify(repository, { readPercent: 100 });
    t.ok(problems.some(({ code }) => code === 'CONTENT_NOT_FOUND'));
    t.ok(problems.every(({ message }) => message.length > 0));
  },
);

t.test('an index blob that vanishes between listing and reading is named', async t => {
  const storage = await copyOf(small.storage);
  const get = storage.get.bind(storage);
  storage.get = async (id, options) => {
    if (id.startsWith('x')) await storage.delete(id);
    return get(id, options);
  };
  // What was listed and is gone is listed anew; then it is simply not there.
  await using repository = await openSmall(storage, small.format);
  t.equal(repository.parts.index.blobIds.size, 0);
  const { snapshotId } = await backupTree(repository, small.source);
  t.strictSame(
    [...(await readFilesOrCodes(repository, snapshotId, small.files))],
    [],
    'a new backup is whole',
  );
});
