import fs from 'node:fs';
import t from 'tap';
import { listSnapshots } from '#engine/index.ts';
import { veleroNames } from '#agent/volume-mover/velero-source.ts';
import { moverFor, NodeScene } from '#test/support/node-scene.ts';
import { NAME, VeleroScene } from '#test/support/velero-scene.ts';

const { signal } = new AbortController();
const NAMES_NONE = Object.freeze({ reportedId: undefined, isGivenUp: false });

const opened = (async () => {
  const root = t.testdir({ bucket: {} });
  const velero = await VeleroScene.make(`${root}/bucket`);
  t.teardown(() => velero[Symbol.asyncDispose]());
  const node = new NodeScene(root, velero.kube);
  return { velero, node, mover: moverFor(velero, node) };
})();

t.test('a move that was given up takes its own states along, and no others', async t => {
  const { node, mover, velero } = await opened;
  const { volume, claim } = node.runPod('given-up', { claim: 'given-up' });
  const own = 'move-that-was-given-up';
  const order = { repository: NAME, volume, claim, moveUid: own };
  const { source, tags } = veleroNames(order, claim);
  const lease = await velero.repositories.acquire(NAME, 'write');
  const put = (name: string, more: object): string => {
    const time = new Date().toISOString();
    const { user: userName = '', host = '', path = '' } = source;
    const rootEntry = { name, type: 'd', obj: 'k0123456789abcdef0123456789abcdef' };
    const document = { source: { host, userName, path }, startTime: time, endTime: time };
    const labels = { type: 'snapshot', hostname: host, username: userName, path, ...tags };
    return lease.thing.manifests.put(
      labels,
      JSON.stringify({ ...document, rootEntry, tags, incomplete: 'checkpoint', ...more }),
    );
  };
  put(own, {});
  put(own, { incomplete: 'canceled' });
  const kept = [put('another', {}), put(own, { pins: ['velero-pin'] })];
  await lease.thing.flush();
  await lease[Symbol.asyncDispose]();
  const states = async (): Promise<string[]> => {
    await using after = await velero.repositories.acquire(NAME, 'read');
    const found = await listSnapshots(after.thing, { source, includeIncomplete: true });
    return found.map(({ id }) => id).toSorted();
  };
  await mover.forgetUnreported(order, NAMES_NONE, signal);
  t.equal((await states()).length, 4, 'they are for the next backup');
  await mover.forgetUnreported(order, { ...NAMES_NONE, isGivenUp: true }, signal);
  t.strictSame(await states(), kept.toSorted());
  t.strictSame(velero.warnings, []);
});

t.test('of what a move has published, what its object names stays', async t => {
  const { node, mover, velero } = await opened;
  const { path, volume, claim } = node.runPod('web');
  const own = 'move';
  fs.writeFileSync(`${path}/file`, 'x');
  const order = { repository: NAME, volume, claim, moveUid: own };
  const published: string[] = [];
  for (let run = 0; run < 3; run++) {
    published.push((await mover.backup(order, { signal })).snapshotId);
  }
  // Others of the same volume may be moved meanwhile, by other agents too.
  const others: string[] = [];
  for (let run = 0; run < 5; run++) {
    const next = { ...order, moveUid: `${own}-next-${run}` };
    others.push((await mover.backup(next, { signal })).snapshotId);
  }
  const ids = async (): Promise<string[]> => {
    await using lease = await velero.repositories.acquire(NAME, 'read');
    return (await listSnapshots(lease.thing, { tags: { pvc: claim.name } })).map(({ id }) => id);
  };
  t.strictSame((await ids()).toSorted(), [...published, ...others].toSorted());
  await mover.forgetUnreported(order, { reportedId: published[1], isGivenUp: false }, signal);
  t.strictSame((await ids()).toSorted(), [published[1], ...others].toSorted());
  await mover.forgetUnreported(order, NAMES_NONE, signal);
  t.strictSame((await ids()).toSorted(), others.toSorted());
  t.strictSame(velero.warnings, []);
});
