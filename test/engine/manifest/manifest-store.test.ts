import t from 'tap';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Clock } from '#engine/base/clock.ts';
import { ManifestStore } from '#engine/manifest/manifest-store.ts';
import { MemoryContents } from '#test/support/memory-contents.ts';

interface Scene {
  readonly contents: MemoryContents;
  revision: number;
  isFailing: boolean;
  /** A store as another process would open it. */
  open(clock?: Clock): ManifestStore;
}

function scene(): Scene {
  const contents = new MemoryContents();
  const result: Scene = {
    contents,
    revision: 0,
    isFailing: false,
    open: clock =>
      new ManifestStore({
        contents,
        revision: () => result.revision,
        writeManifestContent: async bytes => {
          if (result.isFailing) throw new Error('the disk is full');
          return contents.add(bytes, 'm');
        },
        clock,
      }),
  };
  return result;
}

function addBatch(contents: MemoryContents, entries: unknown[]): string {
  return contents.add(gzipSync(JSON.stringify({ entries })), 'm');
}

function contentsOf(contents: MemoryContents): string[] {
  return [...contents.entries('m')].map(({ contentId }) => contentId);
}

t.test('what was put is found at once and by others after a flush', async t => {
  const world = scene();
  const store = world.open();
  const id = store.put({ type: 'snapshot', path: '/a' }, '{"x":12345678901234567890.10}');
  t.match(id, /^[0-9a-f]{32}$/);
  t.match(await store.find({ type: 'snapshot' }), [{ id, labels: { path: '/a' } }]);
  t.same(contentsOf(world.contents), [], 'nothing is written before the flush');
  await store.flush();
  await store.flush();
  t.equal(contentsOf(world.contents).length, 1, 'one content for a flush, none for nothing');
  const other = world.open();
  t.equal((await other.get(id))?.data, '{"x":12345678901234567890.10}', 'every digit is kept');
  t.same(await other.find({ type: 'snapshot', path: '/b' }), []);
  t.equal(await other.get('none'), undefined);
});

t.test('read from elsewhere the same manifests are found, and none stay behind', async t => {
  const world = scene();
  const { contents } = world;
  const store = world.open();
  const flushed = store.put({ type: 'snapshot' }, '{"a":1}');
  await store.flush();
  const waiting = store.put({ type: 'snapshot' }, '{"b":2}');
  const elsewhere = new MemoryContents();
  t.match(await store.readFrom(elsewhere).find({ type: 'snapshot' }), [
    { id: flushed },
    { id: waiting },
  ]);
  const [contentId] = contentsOf(contents);
  contents.spoil(contentId, 'CONTENT_DAMAGED');
  await t.rejects(store.readFrom(contents).get(flushed), { code: 'CONTENT_DAMAGED' });
});

t.test('several manifests of one flush share one content', async t => {
  const world = scene();
  const store = world.open();
  for (let i = 0; i < 5; i++) store.put({ type: 'policy' }, `{"n":${i}}`);
  await store.flush();
  t.equal(contentsOf(world.contents).length, 1);
  const found = await world.open().find({ type: 'policy' });
  t.same(
    found.map(({ data }) => data),
    [0, 1, 2, 3, 4].map(n => `{"n":${n}}`),
    'and are found in the order of their times',
  );
});

t.test('a deletion wins over what it deletes even when the clock stands still', async t => {
  const world = scene();
  const clock = { nowNanoseconds: () => 5n, now: () => 0, monotonic: () => 0 } as unknown as Clock;
  const store = world.open(clock);
  const id = store.put({ type: 'snapshot' }, '{}');
  const kept = store.put({ type: 'snapshot' }, '{}');
  await store.flush();
  const other = world.open(clock);
  t.equal(await other.delete(id), true);
  t.equal(await other.delete('unknown'), false);
  t.equal(await other.get(id), undefined, 'at once');
  await other.flush();
  t.match(await world.open().find({}), [{ id: kept }]);
});

t.test('a deletion by a client whose clock is behind wins, too', async t => {
  const world = scene();
  const id = 'a'.repeat(32);
  const labels = { type: 'snapshot' };
  addBatch(world.contents, [{ id, labels, modified: '2250-01-01T00:00:00Z', data: {} }]);
  const store = world.open();
  await store.delete(id);
  await store.flush();
  t.equal(await world.open().get(id), undefined);
});

t.test('the manifests are loaded again when the index has changed, and not otherwise', async t => {
  const world = scene();
  const reader = world.open();
  t.same(await reader.find({}), []);
  const writer = world.open();
  writer.put({ type: 'snapshot' }, '{}');
  await writer.flush();
  t.same(await reader.find({}), []);
  world.revision++;
  t.equal((await reader.find({})).length, 1);
  const reads = world.contents.reads.length;
  await Promise.all([reader.find({}), reader.find({})]);
  t.equal(world.contents.reads.length, reads);
});

t.test('what others deleted and compacted away does not come back', async t => {
  const world = scene();
  const store = world.open();
  const id = store.put({ type: 'snapshot' }, '{}');
  await store.flush();
  const [contentId] = contentsOf(world.contents);
  // Compaction marks the old content deleted; the tombstone itself is dropped.
  world.contents.markDeleted(contentId);
  world.revision++;
  t.equal(await store.get(id), undefined);
});

t.test('deleted m contents do not count', async t => {
  const world = scene();
  const labels = { type: 'snapshot' };
  const entry = { id: 'b', labels, modified: '2026-01-01T00:00:00Z', data: {} };
  world.contents.markDeleted(addBatch(world.contents, [entry]));
  t.same(await world.open().find({}), []);
});

t.test('a flush that fails keeps what it could not write', async t => {
  const world = scene();
  const store = world.open();
  const first = store.put({ type: 'snapshot' }, '1');
  world.isFailing = true;
  await t.rejects(store.flush(), /the disk is full/);
  world.isFailing = false;
  const second = store.put({ type: 'snapshot' }, '2');
  await Promise.all([store.flush(), store.flush()]);
  const found = await world.open().find({});
  t.same(
    found.map(({ id }) => id),
    [first, second],
  );
});

t.test('a content that cannot be understood is an error that names it', async t => {
  for (const bytes of ['no gzip', gzipSync('{"entries":null}'), gzipSync('{"entries":[{}]}')]) {
    const world = scene();
    const contentId = world.contents.add(bytes, 'm');
    await t.rejects(world.open().find({}), {
      code: 'MANIFEST_DAMAGED',
      message: new RegExp(contentId),
    });
  }
});

t.test('a failed load is tried again', async t => {
  const world = scene();
  const contentId = addBatch(world.contents, []);
  const store = world.open();
  world.contents.onRead = () => {
    throw new Error('no connection');
  };
  await t.rejects(store.find({}), /no connection/);
  world.contents.onRead = () => undefined;
  t.same(await store.find({}), []);
  t.same(world.contents.reads, [contentId]);
});

t.test('a content that a compaction takes away while it is read is not missed', async t => {
  const world = scene();
  const labels = { type: 'snapshot' };
  const entry = { id: 'c', labels, modified: '2026-01-01T00:00:00Z', data: {} };
  const old = addBatch(world.contents, [entry]);
  world.contents.onRead = contentId => {
    if (contentId !== old || world.revision > 0) return;
    world.contents.spoil(old, 'CONTENT_NOT_FOUND');
    addBatch(world.contents, [entry, { ...entry, id: 'd' }]);
    world.revision++;
  };
  t.match(await world.open().find({}), [{ id: 'c' }, { id: 'd' }]);
});

t.test('what is flushed while others are being read is not missed', async t => {
  const world = scene();
  addBatch(world.contents, []);
  const store = world.open();
  const id = store.put({ type: 'snapshot' }, '{}');
  world.contents.onRead = async () => {
    await store.flush();
    world.revision++;
  };
  t.match(await store.find({}), [{ id }], 'by who reads what was there before');
  t.match(await store.find({}), [{ id }]);
});

t.test('nor by who has been overtaken by one that reads it', async t => {
  const world = scene();
  addBatch(world.contents, []);
  const store = world.open();
  const id = store.put({ type: 'snapshot' }, '{}');
  const reading = Promise.withResolvers<void>();
  world.contents.onRead = () => reading.promise;
  const overtaken = store.find({});
  world.contents.onRead = () => undefined;
  await store.flush();
  world.revision++;
  t.match(await store.find({}), [{ id }]);
  reading.resolve();
  t.match(await overtaken, [{ id }]);
});

t.test('a lost content is an error and not an absence', async t => {
  const world = scene();
  world.contents.spoil(addBatch(world.contents, []), 'PACK_MISSING');
  await t.rejects(world.open().find({}), { code: 'PACK_MISSING' });
});

t.test('an abort is seen', async t => {
  const store = scene().open();
  await t.rejects(store.find({}, { signal: AbortSignal.abort() }), { code: 'ABORTED' });
});

t.test('what is written is what kopia reads', async t => {
  const world = scene();
  const store = world.open();
  const id = store.put({ type: 'snapshot', path: '/a' }, '{"a":1}');
  await store.flush();
  const [contentId] = contentsOf(world.contents);
  const text = gunzipSync(await world.contents.read(contentId)).toString();
  t.match(JSON.parse(text), {
    entries: [{ id, labels: { type: 'snapshot', path: '/a' }, data: { a: 1 } }],
  });
});
