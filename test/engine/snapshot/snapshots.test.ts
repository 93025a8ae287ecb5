import t from 'tap';
import {
  forgetSnapshots,
  listSnapshots,
  resolveSnapshot,
  splitSnapshotPath,
} from '#engine/snapshot/snapshots.ts';
import { MemoryContents } from '#test/support/memory-contents.ts';
import { manifestsOver, putSnapshot, storeTree } from '#test/support/stored-tree.ts';

function scene() {
  const contents = new MemoryContents();
  const manifests = manifestsOver(contents);
  const root = storeTree(contents, { directory: [['a', { file: 'abc' }]] });
  return { contents, manifests, root };
}

const second = (n: number) => BigInt(n) * 1_000_000_000n;

t.test('snapshots are listed by the time they began', async t => {
  const { manifests, root } = scene();
  const late = putSnapshot(manifests, root, { startTimeNs: second(20) + 5n, tags: { k: 'v' } });
  const early = putSnapshot(manifests, root, { startTimeNs: second(10) });
  const middle = putSnapshot(manifests, root, { startTimeNs: second(20) });
  const list = await listSnapshots(manifests);
  t.same(
    list.map(({ id }) => id),
    [early, middle, late],
  );
  t.same(list[2], {
    id: late,
    source: { user: 'user', host: 'host', path: '/data' },
    startTime: '1970-01-01T00:00:20.000000005Z',
    endTime: '1970-01-01T00:00:20.000000006Z',
    files: 1,
    bytes: 3,
    tags: { k: 'v' },
    description: '',
    incomplete: '',
    pins: [],
    rootName: '',
  });
});

t.test('a list can be narrowed by source, tags and completeness', async t => {
  const { manifests, root } = scene();
  const a = putSnapshot(manifests, root, { path: '/a', tags: { 'tag:day': 'mon' } });
  const b = putSnapshot(manifests, root, { path: '/b', tags: { day: 'mon' } });
  const c = putSnapshot(manifests, root, { path: '/b', incomplete: 'checkpoint' });
  const ids = async (filter: Parameters<typeof listSnapshots>[1]) => {
    return (await listSnapshots(manifests, filter)).map(({ id }) => id).sort();
  };
  t.same(await ids({}), [a, b].sort());
  t.same(await ids({ source: { path: '/b' }, includeIncomplete: true }), [b, c].sort());
  t.same(await ids({ source: { host: 'elsewhere' } }), []);
  t.same(await ids({ tags: { day: 'mon' } }), [a, b].sort(), "also as kopia's command writes them");
  t.same(await ids({ tags: { day: 'tue' } }), []);
});

t.test('a snapshot that cannot be read stays in the list with its problem', async t => {
  const { manifests, root } = scene();
  const labels = { type: 'snapshot', hostname: 'h', username: 'u', path: '/p' };
  const bad = manifests.put(labels, '{"source":7}');
  const good = putSnapshot(manifests, root);
  const list = await listSnapshots(manifests);
  t.equal(list.length, 2);
  t.match(
    list.find(({ id }) => id === bad),
    {
      source: { user: 'u', host: 'h', path: '/p' },
      problem: { code: 'SNAPSHOT_DAMAGED', message: new RegExp(bad) },
    },
  );
  t.equal(list.find(({ id }) => id === good)?.problem, undefined);
  await t.rejects(resolveSnapshot(manifests, bad), { code: 'SNAPSHOT_DAMAGED' });
  t.equal((await resolveSnapshot(manifests, 'latest')).id, good);
  t.same(await forgetSnapshots(manifests, [bad]), [bad], 'and can be forgotten');
});

t.test('latest is the complete snapshot that began last', async t => {
  const { manifests, root } = scene();
  await t.rejects(resolveSnapshot(manifests, 'latest'), { code: 'SNAPSHOT_NOT_FOUND' });
  const newest = putSnapshot(manifests, root, { startTimeNs: second(30) });
  const other = putSnapshot(manifests, root, { startTimeNs: second(20), path: '/other' });
  putSnapshot(manifests, root, { startTimeNs: second(40), incomplete: 'canceled' });
  t.equal((await resolveSnapshot(manifests, 'latest')).id, newest);
  const filter = { source: { path: '/other' } };
  t.equal((await resolveSnapshot(manifests, 'latest', filter)).id, other);
});

t.test('an id is found by a beginning that no other has', async t => {
  const { manifests, root } = scene();
  const ids = Array.from({ length: 40 }, () => putSnapshot(manifests, root));
  const [id] = ids;
  t.equal((await resolveSnapshot(manifests, id)).id, id);
  t.equal((await resolveSnapshot(manifests, id.slice(0, 16))).id, id);
  const first = [...'0123456789abcdef'].find(c => ids.filter(id => id.startsWith(c)).length > 1);
  const candidates = ids.filter(id => id.startsWith(first ?? ''));
  await t.rejects(resolveSnapshot(manifests, first ?? ''), {
    code: 'SNAPSHOT_AMBIGUOUS',
    message: new RegExp(candidates[0] ?? ''),
    details: { ids: candidates },
  });
  for (const reference of ['', 'xyz', `${id}0`, '*']) {
    await t.rejects(resolveSnapshot(manifests, reference), { code: 'SNAPSHOT_NOT_FOUND' });
  }
});

t.test('forgetting deletes all or, when one is not known, none', async t => {
  const { manifests, root } = scene();
  const [a, b, c] = [1, 2, 3].map(n => putSnapshot(manifests, root, { startTimeNs: second(n) }));
  await manifests.flush();
  await t.rejects(forgetSnapshots(manifests, [a, 'nothing']), { code: 'SNAPSHOT_NOT_FOUND' });
  t.equal((await listSnapshots(manifests)).length, 3);
  t.same(await forgetSnapshots(manifests, [a, b.slice(0, 20), a]), [a, b]);
  t.match(await listSnapshots(manifests), [{ id: c }]);
});

t.test('a snapshot and a path in it are written with a colon', t => {
  t.same(splitSnapshotPath('abc'), { reference: 'abc', path: '' });
  t.same(splitSnapshotPath('abc:/d:e'), { reference: 'abc', path: '/d:e' });
  t.same(splitSnapshotPath('latest:'), { reference: 'latest', path: '' });
  t.end();
});

t.test('of several snapshots all are forgotten or none', async t => {
  const { manifests, root } = scene();
  const ids = [1, 2, 3].map(n => putSnapshot(manifests, root, { startTimeNs: second(n) }));
  const listed = async () => (await listSnapshots(manifests)).map(({ id }) => id);
  const controller = new AbortController();
  const asked = [ids[0], 'latest'];
  const forgetting = forgetSnapshots(manifests, asked, { signal: controller.signal });
  controller.abort();
  await t.rejects(forgetting);
  t.strictSame(await listed(), ids, 'not when it is cancelled');
  const flush = manifests.flush.bind(manifests);
  manifests.flush = () => Promise.reject(new Error('no'));
  await t.rejects(forgetSnapshots(manifests, ids.slice(0, 2)));
  t.strictSame(await listed(), ids, 'not when they cannot be stored');
  manifests.flush = flush;
  t.strictSame(await forgetSnapshots(manifests, ids.slice(0, 2)), ids.slice(0, 2));
  t.strictSame(await listed(), [ids[2]]);
});
