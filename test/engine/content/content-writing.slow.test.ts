import t from 'tap';
import { contentKey } from '#engine/format/content-id.ts';
import { IndexRows } from '#engine/index/rows.ts';
import { wrap } from '#engine/storage/wrap.ts';
import {
  commitRows,
  contentScene,
  type Contents,
  type ContentScene,
  idsOf,
  TestClock,
  write,
} from './content-scene.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const MINUTE_MS = 60_000;

t.test('what was flushed others can read, and no session marker stays', async t => {
  const scene = await contentScene(t);
  const contents = await scene.open({ threads: 2 });
  const ids = [await write(contents, 'data'), await write(contents, 'metadata', 'k')];
  t.strictSame(await idsOf(scene.memory, 'x'), [], 'nothing is visible before');
  await contents.writing.flush();
  t.strictSame(await idsOf(scene.memory, 's'), []);
  t.equal((await idsOf(scene.memory, 'p')).length, 1);
  t.equal((await idsOf(scene.memory, 'q')).length, 1);
  t.equal((await idsOf(scene.memory, 'xn0_')).length, 1);
  const other = await scene.open({ isReadOnly: true });
  t.strictSame(await Promise.all(ids.map(async id => text(await other.reader.read(id)))), [
    'data',
    'metadata',
  ]);
});

t.test('a flush without anything to flush writes nothing', async t => {
  const scene = await contentScene(t);
  const contents = await scene.open();
  const before = await idsOf(scene.memory, '');
  await contents.writing.flush();
  await write(contents, 'a');
  await contents.writing.flush();
  const after = await idsOf(scene.memory, '');
  await contents.writing.flush();
  t.strictSame(await idsOf(scene.memory, ''), after);
  t.equal(after.length, before.length + 2, 'one pack and one index blob');
});

t.test('what is stored is not stored again, by this process or by another', async t => {
  const scene = await contentScene(t);
  const contents = await scene.open({ threads: 2 });
  const first = await write(contents, 'same', '', 0);
  t.equal(await write(contents, 'same', '', 1), first, 'claimed by another thread');
  await contents.writing.flush();
  await write(contents, 'same', '', 1);
  await contents.writing.flush();
  const other = await scene.open();
  await write(other, 'same');
  await other.writing.flush();
  t.equal((await idsOf(scene.memory, 'p')).length, 1);
  t.equal(contents.control.total('contentsNew'), 1);
  t.equal(contents.control.total('contentsReused'), 2);
});

t.test('flushes at the same time run one after the other and lose nothing', async t => {
  const scene = await contentScene(t);
  const contents = await scene.open({ threads: 2 });
  const ids: string[] = [];
  const flushes: Promise<void>[] = [];
  for (let round = 0; round < 5; round++) {
    ids.push(await write(contents, `a${round}`, '', 0), await write(contents, `b${round}`, 'k', 1));
    flushes.push(contents.writing.flush());
  }
  await Promise.all(flushes);
  const other = await scene.open({ isReadOnly: true });
  for (const id of ids) t.ok(other.reader.find(id), id);
  t.strictSame(await idsOf(scene.memory, 's'), []);
});

t.test('a content is stored again when others have removed it since', async t => {
  const clock = new TestClock();
  const scene = await contentScene(t, clock);
  const contents = await scene.open({ clock });
  const id = await write(contents, 'comes and goes');
  await contents.writing.flush();
  const entry = contents.reader.find(id);
  const deletedAt = (entry?.timestampSeconds ?? 0) + 1000;
  await commitDeletion(scene, id, deletedAt);
  await contents.writing.keepUp();
  await write(contents, 'comes and goes');
  t.equal(contents.control.total('contentsNew'), 1, 'the index is not old enough to be read again');
  clock.advance(16 * MINUTE_MS);
  await contents.writing.keepUp();
  await write(contents, 'comes and goes');
  t.equal(contents.control.total('contentsNew'), 2);
  await contents.writing.flush();
  const other = await scene.open({ isReadOnly: true });
  t.match(other.reader.find(id), { isDeleted: false, timestampSeconds: deletedAt + 1 });
});

t.test('a content that a clock ahead of ours has dropped is there once it is written', async t => {
  const scene = await contentScene(t);
  const contents = await scene.open();
  const id = await write(contents, 'comes and goes');
  await contents.writing.flush();
  const aheadSeconds = Math.floor(Date.now() / 1000) + 120;
  await commitDeletion(scene, id, aheadSeconds);
  await scene.memory.put(`xw${aheadSeconds}`, [new Uint8Array([1])]);
  const later = await scene.open();
  t.equal(later.reader.find(id), undefined);
  t.equal(await write(later, 'comes and goes'), id);
  await later.writing.flush();
  const other = await scene.open({ isReadOnly: true });
  t.equal(text(await other.reader.read(id)), 'comes and goes');
});

/** What maintenance of another client does to a content that nothing refers to. */
async function commitDeletion(scene: ContentScene, id: string, seconds: number): Promise<void> {
  const other = await scene.open({ isReadOnly: true });
  const entry = other.reader.find(id);
  if (!entry) throw new Error(`${id} is not there`);
  const key = contentKey(id);
  const rows = new IndexRows(key.length);
  const packIndex = rows.addPack(entry.packId);
  rows.add(key, 0, { ...entry, packIndex, timestampSeconds: seconds, isDeleted: true });
  await commitRows(scene, rows);
}

t.test('a flush is due when the session is old, and keepUp flushes then', async t => {
  const scene = await contentScene(t);
  const clock = new TestClock();
  const contents = await scene.open({ clock });
  const id = await write(contents, 'x');
  clock.advance(9 * MINUTE_MS);
  t.notOk(contents.writing.isFlushDue);
  await contents.writing.keepUp();
  t.strictSame(await idsOf(scene.memory, 'xn'), []);
  clock.advance(2 * MINUTE_MS);
  t.ok(contents.writing.isFlushDue);
  await Promise.all([contents.writing.keepUp(), contents.writing.keepUp()]);
  t.notOk(contents.writing.isFlushDue);
  t.equal((await idsOf(scene.memory, 'xn')).length, 1);
  t.ok((await scene.open({ isReadOnly: true })).reader.find(id));
});

t.test(
  'an abort before a flush leaves it for later; one that comes later comes too late',
  async t => {
    const scene = await contentScene(t);
    const abort = new AbortController();
    const storage = wrap(scene.memory, {
      put: async (id, pieces, options) => {
        if (id.startsWith('xn')) abort.abort();
        await scene.memory.put(id, pieces, options);
      },
    });
    const contents = await scene.open({ storage });
    await write(contents, 'a');
    const signal = AbortSignal.abort();
    await t.rejects(contents.writing.flush(signal), { code: 'ABORTED' });
    await contents.writing.flush(abort.signal);
    t.ok(abort.signal.aborted);
    await write(contents, 'b');
    await contents.writing.flush();
    t.equal((await idsOf(scene.memory, 'xn')).length, 2);
  },
);

t.test('a pack that cannot be stored fails the flush and all that follow', async t => {
  const scene = await contentScene(t);
  const storage = wrap(scene.memory, {
    put: async (id, pieces, options) => {
      if (id.startsWith('p')) throw new Error('the cable was cut');
      await scene.memory.put(id, pieces, options);
    },
  });
  const contents = await scene.open({ storage });
  await write(contents, 'a');
  await t.rejects(contents.writing.flush(), { code: 'INTERNAL', message: /the cable was cut/ });
  await t.rejects(contents.writing.flush(), { message: /the cable was cut/ });
  t.strictSame(await idsOf(scene.memory, 'xn'), [], 'nothing was published');
});

t.test('closing gives up what was not flushed', async t => {
  const scene = await contentScene(t);
  const contents: Contents = await scene.open();
  await write(contents, 'a');
  await contents.close();
  t.strictSame(await idsOf(scene.memory, 'x'), []);
  await t.rejects(contents.writing.flush(), { code: 'ABORTED' });
});

t.test('a repository that is open for reading has no writing side', async t => {
  const scene = await contentScene(t);
  const contents = await scene.open({ isReadOnly: true });
  t.throws(() => contents.writing, { code: 'REPOSITORY_WRITE_UNSUPPORTED' });
  await t.rejects(write(contents, 'a'), { code: 'INTERNAL' });
});
