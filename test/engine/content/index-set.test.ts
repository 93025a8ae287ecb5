import t, { type Test } from 'tap';
import { IndexBlobs } from '#engine/content/index-blobs.ts';
import { IndexSet } from '#engine/content/index-set.ts';
import { encodeIndex } from '#engine/index/encode.ts';
import type { Storage } from '#engine/storage/storage.ts';
import { wrap } from '#engine/storage/wrap.ts';
import { IndexOpener } from '#engine/workers/index-opener.ts';
import {
  commitRows,
  contentScene,
  type ContentScene,
  cryptoOf,
  inventedKey,
  inventedRows,
  TestClock,
} from './content-scene.ts';

interface IndexScene extends ContentScene {
  readonly clock: TestClock;
  readonly index: IndexSet;
  /** Blobs that were fetched, in order. */
  readonly fetched: string[];
}

async function indexScene(
  t: Test,
  {
    isLarge = false,
    storage,
  }: { isLarge?: boolean; storage?: (scene: ContentScene) => Storage } = {},
): Promise<IndexScene> {
  const scene = await contentScene(t);
  const { pool: runner } = await scene.open({ isReadOnly: true });
  const clock = new TestClock();
  const fetched: string[] = [];
  const inner = storage?.(scene) ?? scene.memory;
  const counting = wrap(inner, {
    get: (id, options) => {
      fetched.push(id);
      return inner.get(id, options);
    },
  });
  const { hash, cipher } = cryptoOf(scene.format);
  const opener = new IndexOpener(hash, cipher, { eccOverheadPercent: 0 });
  const blobs = new IndexBlobs({ storage: counting, opener, clock }, { hasEpochs: true });
  const sizes = { hashBytes: 16, contentOverheadBytes: 28 };
  const inlineBytesMax = isLarge ? 0 : undefined;
  const index = new IndexSet({ blobs, clock, runner }, { ...sizes, inlineBytesMax });
  return { ...scene, clock, index, fetched };
}

const has = ({ view }: IndexSet, index: number) => view.find(inventedKey(index), 0, 17) >= 0;

for (const isLarge of [false, true]) {
  const where = isLarge ? 'in a worker thread' : 'on this thread';

  t.test(`${where}: a refresh loads what was added and nothing twice`, async t => {
    const scene = await indexScene(t, { isLarge });
    const { index, fetched } = scene;
    const first = await commitRows(scene, inventedRows(0, 1000));
    await index.refresh();
    t.ok(has(index, 0) && has(index, 999));
    t.notOk(has(index, 1000));
    const second = await commitRows(scene, inventedRows(1000, 10));
    const { revision } = index;
    await index.refresh();
    t.ok(has(index, 999) && has(index, 1009));
    t.not(index.revision, revision);
    t.strictSame(fetched, [first, second]);
    t.strictSame([...index.blobIds].sort(), [first, second].sort());
  });

  t.test(`${where}: a damaged blob is an error, and the index stays as it was`, async t => {
    const scene = await indexScene(t, { isLarge });
    const { index, memory } = scene;
    await commitRows(scene, inventedRows(0, 5));
    await index.refresh();
    const id = await commitRows(scene, inventedRows(5, 5));
    const bytes = await memory.get(id);
    bytes[40] ^= 1;
    await memory.put(id, [bytes]);
    const damaged = { code: 'INDEX_DAMAGED', details: { blobId: id } };
    await t.rejects(index.refresh(), damaged);
    await memory.put(id, [bytes.subarray(0, 10)]);
    await t.rejects(index.refresh(), damaged);
    t.ok(has(index, 4));
    await memory.delete(id);
    await index.refresh();
    t.ok(has(index, 4), 'a later refresh is not disturbed by what was dropped');
  });

  t.test(`${where}: damage that a cache has kept is fetched once more`, async t => {
    const forgotten: string[] = [];
    let damagedGets = 1;
    const scene = await indexScene(t, {
      isLarge,
      storage: ({ memory }) =>
        wrap(memory, {
          cache: { behind: memory, forget: async id => forgotten.push(id) > 0 },
          get: async (id, options) => {
            const bytes = await memory.get(id, options);
            if (damagedGets-- > 0) bytes[40] ^= 1;
            return bytes;
          },
        }),
    });
    const { index, fetched } = scene;
    const first = await commitRows(scene, inventedRows(0, 5));
    await index.refresh();
    t.ok(has(index, 4));
    t.strictSame([forgotten, fetched], [[first], [first, first]]);
    damagedGets = 3;
    const second = await commitRows(scene, inventedRows(5, 5));
    await t.rejects(index.refresh(), { code: 'INDEX_DAMAGED', details: { blobId: second } });
    t.strictSame(fetched.slice(2), [second, second], 'but not a third time');
  });

  t.test(`${where}: merged blobs replace what they were merged from`, async t => {
    const scene = await indexScene(t, { isLarge });
    const { index, memory } = scene;
    const old = await commitRows(scene, inventedRows(0, 10));
    await index.refresh();
    const merged = await commitRows(scene, inventedRows(0, 9), { setId: 'merged' });
    await memory.delete(old);
    await index.refresh();
    t.strictSame([...index.blobIds], [merged]);
    t.ok(has(index, 8));
    t.notOk(has(index, 9), 'what maintenance has dropped is gone');
  });
}

t.test('calls at the same time share one refresh', async t => {
  const scene = await indexScene(t);
  await commitRows(scene, inventedRows(0, 1));
  await Promise.all([scene.index.refresh(), scene.index.refresh(), scene.index.refresh()]);
  t.equal(scene.fetched.length, 1);
});

t.test('deletions at or before the watermark do not exist', async t => {
  const scene = await indexScene(t);
  const { index, memory } = scene;
  const rows = inventedRows(0, 2, 1000);
  for (const [key, timestampSeconds] of [
    [0, 2000],
    [1, 3000],
  ]) {
    rows.add(inventedKey(key), 0, {
      ...rows.entryAt(0),
      packIndex: 0,
      timestampSeconds,
      isDeleted: true,
    });
  }
  await commitRows(scene, rows);
  await index.refresh();
  t.ok(has(index, 0) && has(index, 1), 'deleted contents can still be read');
  await memory.put('xw2500', [new Uint8Array([1])]);
  await index.refresh();
  t.notOk(has(index, 0));
  t.ok(has(index, 1));
});

t.test('a listed blob that is gone makes everything be listed again, after a pause', async t => {
  let lost = 3;
  const scene = await indexScene(t, {
    storage: ({ memory }) =>
      wrap(memory, {
        get: async (id, options) => {
          if (id.startsWith('xn') && lost-- > 0) await memory.delete(id);
          return memory.get(id, options);
        },
        list: async function* (prefix, options) {
          await commitRows(scene, inventedRows(0, 1), { setId: `try${lost}` });
          yield* memory.list(prefix, options);
        },
      }),
  });
  await scene.index.refresh();
  t.ok(has(scene.index, 0));
  t.strictSame(scene.clock.sleeps, [100, 200, 400]);
});

t.test('after ten attempts the missing blob is the error', async t => {
  const scene = await indexScene(t, {
    storage: ({ memory }) =>
      wrap(memory, {
        get: async (id, options) => {
          const gone = id.startsWith('xn') ? `${id}0` : id;
          return memory.get(gone, options);
        },
      }),
  });
  await commitRows(scene, inventedRows(0, 1));
  await t.rejects(scene.index.refresh(), { code: 'INDEX_BLOB_MISSING', retryable: true });
  t.equal(scene.clock.sleeps.length, 9);
});

t.test('many small blobs are merged by and by, and none is lost', async t => {
  const scene = await indexScene(t);
  const { index } = scene;
  for (let round = 0; round < 25; round++) {
    await commitRows(scene, inventedRows(round * 10, 10), { setId: `s${round}` });
    await index.refresh();
  }
  t.ok(index.view.tables.length <= 9);
  for (let key = 0; key < 250; key++) if (!has(index, key)) t.fail(`${key} is lost`);
});

for (const [tableCount, flushCount] of [
  [0, 1],
  [0, 40],
  [6, 9],
  [6, 10],
  [8, 7],
  [8, 8],
  [8, 40],
]) {
  const title = `${flushCount} flushes while an index of ${tableCount} tables is refreshed`;
  t.test(`${title} harm neither the refresh nor later flushes`, async t => {
    const held = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    let isHeld = false;
    const scene = await indexScene(t, {
      storage: ({ memory }) =>
        wrap(memory, {
          get: async (id, options) => {
            if (isHeld) {
              reached.resolve();
              await held.promise;
            }
            return memory.get(id, options);
          },
        }),
    });
    const { index } = scene;
    let keys = 0;
    const commit = () => commitRows(scene, inventedRows(keys++, 1), { setId: `s${keys}` });
    const flush = async () => {
      const files = encodeIndex(inventedRows(keys, 1), { version: 2 });
      index.adopt([await commit()], files);
    };
    for (let table = 0; table < tableCount; table++) {
      await commit();
      await index.refresh();
    }
    await commit();
    isHeld = true;
    const refreshing = index.refresh();
    await reached.promise;
    for (let count = 0; count < flushCount; count++) await flush();
    held.resolve();
    await refreshing;
    for (let count = 0; count < 20; count++) await flush();
    const lost = Array.from({ length: keys }, (_, key) => key).filter(key => !has(index, key));
    t.strictSame(lost, []);
    t.equal(index.blobIds.size, keys);
  });
}

t.test('the index is fresh for fifteen minutes after the listing it was loaded by', async t => {
  const { index, clock } = await indexScene(t);
  t.notOk(index.isFresh);
  await index.refresh();
  t.ok(index.isFresh);
  clock.advance(15 * 60_000 - 1);
  t.ok(index.isFresh);
  clock.advance(1);
  t.notOk(index.isFresh);
});

t.test('a clock that steps back makes no index fresh for longer', async t => {
  const { index, clock } = await indexScene(t);
  await index.refresh();
  clock.step(-60 * 60_000);
  t.ok(index.isFresh);
  clock.advance(15 * 60_000);
  t.notOk(index.isFresh);
  await index.refresh();
  t.ok(index.isFresh);
});

t.test('an index is not fresh after a sleep of the machine', async t => {
  const { index, clock } = await indexScene(t);
  await index.refresh();
  clock.step(15 * 60_000);
  t.notOk(index.isFresh);
});

t.test('no more than 64 MiB of sealed blobs wait to be loaded', async t => {
  const MiB = 1024 * 1024;
  let underWay = 0;
  let most = 0;
  const ids = Array.from({ length: 8 }, (_, index) => index);
  const scene = await indexScene(t, {
    storage: ({ memory }) =>
      wrap(memory, {
        list: async function* (prefix, options) {
          // What listings say is what counts; blobs of such lengths would only take time.
          for await (const blob of memory.list(prefix, options)) yield { ...blob, bytes: 20 * MiB };
        },
        get: async (id, options) => {
          underWay += 1;
          most = Math.max(most, underWay);
          await new Promise(resolve => setImmediate(resolve));
          const bytes = await memory.get(id, options);
          underWay -= 1;
          return bytes;
        },
      }),
  });
  for (const index of ids) await commitRows(scene, inventedRows(index, 1), { setId: `s${index}` });
  await scene.index.refresh();
  t.ok(ids.every(index => has(scene.index, index)));
  t.equal(most, 3);
});
