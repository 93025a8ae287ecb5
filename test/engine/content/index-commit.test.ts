import t, { type Test } from 'tap';
import { IndexBlobs } from '#engine/content/index-blobs.ts';
import { commitIndex } from '#engine/content/index-commit.ts';
import { Tidying } from '#engine/content/tidying.ts';
import { epochMarkerBlobId } from '#engine/format/blob-names.ts';
import type { Storage } from '#engine/storage/storage.ts';
import { wrap } from '#engine/storage/wrap.ts';
import { IndexOpener } from '#engine/workers/index-opener.ts';
import { contentScene, cryptoOf, idsOf, TestClock } from './content-scene.ts';

const REFRESH_MS = 20 * 60_000;
const files = [1, 2].map(byte => ({
  hash: new Uint8Array(16).fill(byte),
  sealed: new Uint8Array(100).fill(byte),
}));

async function commitScene(
  t: Test,
  onPut: (storage: Storage, clock: TestClock, puts: number) => Promise<void>,
) {
  const { memory, format } = await contentScene(t);
  const clock = new TestClock();
  let puts = 0;
  const storage = wrap(memory, {
    put: async (id, pieces, options) => {
      await memory.put(id, pieces, options);
      await onPut(memory, clock, ++puts);
    },
  });
  const { hash, cipher } = cryptoOf(format);
  const opener = new IndexOpener(hash, cipher, { eccOverheadPercent: 0 });
  const blobs = new IndexBlobs({ storage, opener, clock }, { hasEpochs: true });
  const refreshFrequencyNs = BigInt(REFRESH_MS) * 1_000_000n;
  const tidying = new Tidying(storage, () => undefined);
  const parts = { storage, blobs, clock, refreshFrequencyNs, tidying };
  const commit = (signal?: AbortSignal) => commitIndex(parts, files, 's1', signal);
  return { memory, commit };
}

const beginEpoch = (storage: Storage, epoch: number) =>
  storage.put(epochMarkerBlobId(epoch), [new Uint8Array([1])]);

t.test('all files of a set go into the current epoch', async t => {
  const { memory, commit } = await commitScene(t, async () => undefined);
  await beginEpoch(memory, 3);
  const ids = await commit();
  t.strictSame(
    ids,
    files.map(({ hash }) => `xn3_${Buffer.from(hash).toString('hex')}-s1-c2`),
  );
  t.strictSame(await idsOf(memory, 'xn'), ids.toSorted());
});

t.test('an epoch that begins meanwhile does no harm', async t => {
  const { memory, commit } = await commitScene(t, async (storage, _clock, puts) => {
    if (puts === 2) await beginEpoch(storage, 1);
  });
  t.ok((await commit()).every(id => id.startsWith('xn0_')));
  t.equal((await idsOf(memory, 'xn')).length, 2);
});

t.test('overtaken by two epochs, the files are written again', async t => {
  const { memory, commit } = await commitScene(t, async (storage, _clock, puts) => {
    if (puts === 2) await beginEpoch(storage, 2);
  });
  const ids = await commit();
  t.ok(ids.every(id => id.startsWith('xn2_')));
  t.strictSame(await idsOf(memory, 'xn'), ids.toSorted(), 'the first ones are gone');
});

t.test('a listing that became too old is repeated before more is written', async t => {
  const { memory, commit } = await commitScene(t, async (storage, clock, puts) => {
    if (puts !== 1) return;
    clock.advance(REFRESH_MS / 4 + 1);
    await beginEpoch(storage, 5);
  });
  const ids = await commit();
  t.ok(ids.every(id => id.startsWith('xn5_')));
  t.equal((await idsOf(memory, 'xn5_')).length, 2);
});

t.test('being overtaken again and again is an error', async t => {
  const { commit } = await commitScene(t, async (storage, _clock, puts) => {
    await beginEpoch(storage, 2 * puts);
  });
  await t.rejects(commit(), { code: 'INDEX_COMMIT_TOO_SLOW', retryable: true });
});

t.test('an abort before the first put writes nothing', async t => {
  const { memory, commit } = await commitScene(t, async () => undefined);
  await t.rejects(commit(AbortSignal.abort()), { code: 'ABORTED' });
  t.strictSame(await idsOf(memory, 'xn'), []);
});
