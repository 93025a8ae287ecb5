import t from 'tap';
import { findParent } from '#engine/snapshot/parent.ts';
import { MemoryContents } from '#test/support/memory-contents.ts';
import { manifestsOver, putSnapshot, storeTree } from '#test/support/stored-tree.ts';

const source = { host: 'host', userName: 'user', path: '/data' };

function scene() {
  const contents = new MemoryContents();
  const manifests = manifestsOver(contents);
  const root = storeTree(contents, { directory: [] });
  const put = (startTimeNs: bigint, options: { incomplete?: string; path?: string } = {}) =>
    putSnapshot(manifests, root, { startTimeNs, ...options });
  return { manifests, put };
}

t.test('the latest complete snapshot of the source is compared with', async t => {
  const { manifests, put } = scene();
  t.equal(await findParent(manifests, { source }), undefined);
  put(100n);
  const latest = put(300n);
  put(200n);
  put(400n, { incomplete: 'canceled' });
  put(500n, { path: '/elsewhere' });
  t.match(await findParent(manifests, { source }), { id: latest, startTimeNs: 300n });
});

t.test('another one can be named, and so can none', async t => {
  const { manifests, put } = scene();
  const first = put(100n);
  put(200n);
  const incomplete = put(300n, { incomplete: 'checkpoint' });
  t.match(await findParent(manifests, { source, parent: first }), { id: first });
  t.match(await findParent(manifests, { source, parent: first.slice(0, 20) }), { id: first });
  t.match(await findParent(manifests, { source, parent: incomplete }), { id: incomplete });
  t.equal(await findParent(manifests, { source, parent: 'none' }), undefined);
  const missing = findParent(manifests, { source, parent: 'f'.repeat(32) });
  await t.rejects(missing, { code: 'SNAPSHOT_NOT_FOUND' });
});

t.test('a damaged snapshot is passed over', async t => {
  const { manifests, put } = scene();
  const good = put(100n);
  const labels = { type: 'snapshot', hostname: 'host', username: 'user', path: '/data' };
  manifests.put(labels, '{"startTime":"not a time"}');
  manifests.put(labels, '[]');
  t.match(await findParent(manifests, { source }), { id: good });
});
