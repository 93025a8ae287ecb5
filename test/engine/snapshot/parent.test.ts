import t from 'tap';
import { findParents } from '#engine/snapshot/parent.ts';
import { MemoryContents } from '#test/support/memory-contents.ts';
import { manifestsOver, putSnapshot, storeTree } from '#test/support/stored-tree.ts';

const source = { host: 'host', userName: 'user', path: '/data' };

function scene() {
  const contents = new MemoryContents();
  const manifests = manifestsOver(contents);
  const root = storeTree(contents, { directory: [] });
  type PutOptions = { incomplete?: string; path?: string; tags?: Record<string, string> };
  const put = (startTimeNs: bigint, options: PutOptions = {}) =>
    putSnapshot(manifests, root, { startTimeNs, ...options });
  return { manifests, put };
}

t.test('the latest complete snapshot of the source is compared with', async t => {
  const { manifests, put } = scene();
  t.match(await findParents(manifests, { source }), { parent: undefined, resumed: [], found: [] });
  put(100n);
  const latest = put(300n);
  put(200n);
  put(400n, { incomplete: 'canceled' });
  put(500n, { path: '/elsewhere' });
  t.match(await findParents(manifests, { source }), { parent: { id: latest, startTimeNs: 300n } });
});

t.test('what runs after it have left is gone on from, oldest first', async t => {
  const { manifests, put } = scene();
  put(50n, { incomplete: 'checkpoint' });
  const complete = put(100n);
  const later = [300n, 200n, 500n, 400n].map(time => put(time, { incomplete: 'checkpoint' }));
  put(600n, { incomplete: 'checkpoint', path: '/elsewhere' });
  const { parent, resumed, found } = await findParents(manifests, { source });
  t.equal(parent?.id, complete);
  t.strictSame(
    resumed.map(({ snapshot }) => snapshot.id),
    [later[0], later[3], later[2]],
    'the newest three',
  );
  t.equal(found.length, 6);
});

t.test('another one can be named, and so can none', async t => {
  const { manifests, put } = scene();
  const first = put(100n);
  put(200n);
  const incomplete = put(300n, { incomplete: 'checkpoint' });
  t.match(await findParents(manifests, { source, parent: first }), {
    parent: { id: first },
    resumed: [],
  });
  t.match(await findParents(manifests, { source, parent: first.slice(0, 20) }), {
    parent: { id: first },
    resumed: [],
  });
  t.match(await findParents(manifests, { source, parent: incomplete }), {
    parent: { id: incomplete },
    resumed: [],
  });
  t.match(await findParents(manifests, { source, parent: 'none' }), {
    parent: undefined,
    resumed: [],
  });
  const missing = findParents(manifests, { source, parent: 'f'.repeat(32) });
  await t.rejects(missing, { code: 'SNAPSHOT_NOT_FOUND' });
});

t.test('a damaged snapshot is passed over', async t => {
  const { manifests, put } = scene();
  const good = put(100n);
  const labels = { type: 'snapshot', hostname: 'host', username: 'user', path: '/data' };
  manifests.put(labels, '{"startTime":"not a time"}');
  manifests.put(labels, '[]');
  t.match(await findParents(manifests, { source }), { parent: { id: good }, resumed: [] });
});

t.test('related snapshots count where the source has none, and incomplete ones always', async t => {
  const { manifests, put } = scene();
  const relatedTags = { claim: 'c', tool: 'ours' };
  const related = { path: '/elsewhere', tags: relatedTags };
  put(900n, { path: '/elsewhere', tags: { claim: 'other', tool: 'ours' } });
  put(900n, { path: '/elsewhere', tags: { claim: 'c' } });
  put(100n, related);
  const latest = put(200n, related);
  const left = put(300n, { ...related, incomplete: 'checkpoint' });
  const found = await findParents(manifests, { source, relatedTags });
  t.equal(found.parent?.id, latest);
  t.match(found.resumed, [{ snapshot: { id: left } }]);
  t.match(found.found, [{ snapshot: { id: left } }], 'and only that one is in the way later');
  t.match(await findParents(manifests, { source }), { parent: undefined, resumed: [] });
  const own = put(150n, { tags: relatedTags });
  const again = await findParents(manifests, { source, relatedTags });
  t.equal(again.parent?.id, own, 'the source comes first');
  t.match(again.resumed, [{ snapshot: { id: left } }]);
  t.equal(again.found.length, 2);
});
