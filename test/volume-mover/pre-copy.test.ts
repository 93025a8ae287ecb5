import fs from 'node:fs';
import t, { type Test } from 'tap';
import { systemClock } from '#engine/base/clock.ts';
import { listSnapshots, type SnapshotSummary } from '#engine/index.ts';
import { TimedStat } from '#agent/volumes/timed-stat.ts';
import { moverFor, NodeScene } from '#test/support/node-scene.ts';
import { SeededRandom } from '#test/support/random.ts';
import { NAME, VeleroScene } from '#test/support/velero-scene.ts';

const { signal } = new AbortController();
const FILES = 200;
const FILE_BYTES = 2_000;
const random = new SeededRandom(8);

async function sceneFor(t: Test) {
  const root = t.testdir({ bucket: {} });
  const velero = await VeleroScene.make(`${root}/bucket`);
  t.teardown(() => velero[Symbol.asyncDispose]());
  const node = new NodeScene(root, velero.kube);
  const pod = node.runPod('web');
  for (let index = 0; index < FILES; index++) write(pod, index);
  const order = { repository: NAME, volume: pod.volume };
  return { velero, node, mover: moverFor(velero, node), pod, order };
}

function write({ path }: { path: string }, index: number): void {
  fs.writeFileSync(`${path}/${index}`, random.bytes(FILE_BYTES));
  // As before any tick of a clock that counts.
  fs.utimesSync(`${path}/${index}`, 1_600_000_000 + index, 1_600_000_000);
}

async function snapshotsOf(velero: VeleroScene): Promise<SnapshotSummary[]> {
  await using lease = await velero.repositories.acquire(NAME, 'read');
  return await listSnapshots(lease.thing, { includeIncomplete: true });
}

t.test('the backup after a pre-copy reads the increment alone', async t => {
  const { velero, mover, pod, order } = await sceneFor(t);
  const first = await mover.preCopy(order, { signal });
  t.strictSame(first, { totalBytes: FILES * FILE_BYTES, bytesRead: FILES * FILE_BYTES });
  t.match(await snapshotsOf(velero), [{ incomplete: 'checkpoint', description: 'Pre-copy' }]);
  write(pod, 7);
  write(pod, 8);
  const result = await mover.backup({ ...order, moveUid: 'move' }, { signal });
  t.match(result, { incrementalBytes: 2 * FILE_BYTES, totalBytes: FILES * FILE_BYTES });
  const snapshots = await snapshotsOf(velero);
  t.match(snapshots, [{ id: result.snapshotId, incomplete: '' }]);
  t.equal(snapshots.length, 1, 'the checkpoint is gone');
  t.strictSame(velero.warnings, []);
});

t.test('a pre-copy replaces the one before, whichever pod has the claim', async t => {
  const { velero, node, mover, pod, order } = await sceneFor(t);
  await mover.preCopy(order, { signal });
  const next = node.runPod('web-2');
  fs.rmdirSync(next.path);
  fs.renameSync(pod.path, next.path);
  write(next, 1);
  const again = { ...order, volume: next.volume };
  t.match(await mover.preCopy(again, { signal }), { bytesRead: FILE_BYTES });
  t.match(await snapshotsOf(velero), [{ source: { path: /web-2/ }, incomplete: 'checkpoint' }]);
  t.equal((await snapshotsOf(velero)).length, 1);
});

t.test('it waits for nothing that a backup would wait for', async t => {
  const { velero, mover, pod, order } = await sceneFor(t);
  const failing = (code: string) => t.rejects(mover.preCopy(order, { signal }), { code });
  velero.putRepository('shop', { phase: 'New' });
  await failing('REPOSITORY_NOT_READY');
  velero.putRepository('shop', { phase: 'Ready' });
  const elsewhere = { ...order, repository: { ...NAME, volumeNamespace: 'none-yet' } };
  await t.rejects(mover.preCopy(elsewhere, { signal }), { code: 'REPOSITORY_UNKNOWN' });
  velero.putLocation({ config: { fspath: velero.root }, accessMode: 'ReadOnly' });
  await failing('STORAGE_LOCATION_READ_ONLY');
  velero.putLocation({ config: { fspath: velero.root } });
  const gone = { ...order, volume: { ...pod.volume, podUid: 'of-a-pod-before' } };
  await t.rejects(mover.preCopy(gone, { signal }), { code: 'POD_NOT_FOUND' });
  t.strictSame(await snapshotsOf(velero), [], 'nothing was left');
});

t.test('of a volume that went away meanwhile nothing is published', async t => {
  const { velero, node, pod, order } = await sceneFor(t);
  class LaterStat extends TimedStat {
    override async look(path: string, ended?: AbortSignal) {
      const found = await super.look(path, ended);
      // Looked at when it is found, and again before anything is published.
      fs.renameSync(pod.path, `${pod.path}.gone`);
      fs.mkdirSync(pod.path);
      this.look = super.look.bind(this);
      return found;
    }
  }
  const mover = moverFor(velero, node, { stat: new LaterStat({ clock: systemClock }) });
  await t.rejects(mover.preCopy(order, { signal }), { code: 'VOLUME_NOT_MOUNTED' });
  t.strictSame(await snapshotsOf(velero), []);
});
