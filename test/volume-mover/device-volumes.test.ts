// Volumes of mode Block, with devices of this machine in the place of those of a pod.

import t from 'tap';
import type { BackupOrder, MoveProgress } from '#agent/moves/volume-mover.ts';
import { backupVolume } from '#agent/volume-mover/backup-volume.ts';
import { restoreDeviceVolume } from '#agent/volume-mover/restore-device-volume.ts';
import type { VolumePlace } from '#agent/volumes/locate-volume.ts';
import { listSnapshots, listTree } from '#engine/index.ts';
import { repositoryFor } from '#test/engine/snapshot/backup-scene.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { imageBytes, lacksLoopDevices, loopDevice } from '#test/support/loop-device.ts';
import { SeededRandom } from '#test/support/random.ts';

const MiB = 1 << 20;
const directory = fastDirectory(t);
const skip = lacksLoopDevices(directory);
if (skip) t.comment(`skipped: ${skip}`);

const order: BackupOrder = {
  repository: { volumeNamespace: 'apps', backupStorageLocation: 'default' },
  volume: {
    podUid: '33333333-0000-4000-8000-000000000001',
    podNamespace: 'apps',
    podName: 'db-0',
    volume: 'data',
    volumeMode: 'Block',
  },
  claim: { name: 'data-db-0', uid: 'claim-uid' },
  moveUid: '11111111-0000-4000-8000-000000000001',
};

const placeOf = (path: string): VolumePlace => {
  const place = { path, identity: '1:2', isMounted: true, hasPassingInodes: false };
  return { ...place, claim: order.claim };
};

const { signal } = new AbortController();
const still = { signal, isStillThere: async () => undefined };

t.test('a device moves to the repository and back', { skip }, async t => {
  const repository = await repositoryFor(t);
  const content = new Uint8Array(6 * MiB);
  content.set(new SeededRandom(1).bytes(MiB), 2 * MiB);
  const device = loopDevice(t, { image: `${directory}/source`, content });
  const told: MoveProgress[] = [];
  const moved = await backupVolume(repository, placeOf(device.path), order, {
    ...still,
    onProgress: progress => told.push(progress),
  });
  const { length: totalBytes } = content;
  t.match(moved, { totalBytes, incrementalBytes: totalBytes, isEmpty: false, fileCount: 1 });
  t.same(told.at(-1), { totalBytes, bytesDone: totalBytes });
  const [{ id, description }] = await listSnapshots(repository);
  t.match({ id, description }, { id: moved.snapshotId, description: 'Kopia Uploader' });
  // As Velero's mover names it, by the path at which it has the device.
  const [{ path }] = await Array.fromAsync(listTree(repository, id));
  t.equal(path, `/${order.moveUid}`);

  const target = loopDevice(t, { image: `${directory}/target`, bytes: 7 * MiB });
  const restoring = { ...order, snapshotId: id, doneFile: 'restore-uid' };
  told.length = 0;
  const options = { ...still, onProgress: (progress: MoveProgress) => told.push(progress) };
  const restore = (place: string, wanted = restoring) =>
    restoreDeviceVolume(repository, placeOf(place), wanted, options);
  const result = await restore(target.path);
  t.match(result, { totalBytes, fileCount: 1, missingCount: 0, differenceCount: 0 });
  t.equal(Buffer.compare(imageBytes(target).subarray(0, totalBytes), content), 0);
  t.same(told.at(-1), { totalBytes, bytesDone: totalBytes });
  t.ok(told.every(({ bytesDone }) => bytesDone <= totalBytes));

  const small = loopDevice(t, { image: `${directory}/small`, bytes: 5 * MiB });
  await t.rejects(restore(small.path), { code: 'TARGET_TOO_SMALL' });
  await t.rejects(restore(directory), { code: 'VOLUME_NOT_FOUND', message: /no block device/ });
  const unknown = { ...restoring, snapshotId: 'latest' };
  await t.rejects(restore(target.path, unknown), { code: 'SNAPSHOT_NOT_FOUND' });
});

t.test('a volume that is no device, or is unmounted, is no backup', { skip }, async t => {
  const repository = await repositoryFor(t);
  const place = placeOf(directory);
  const notThere = { code: 'VOLUME_NOT_FOUND', message: /mode Block/ };
  await t.rejects(backupVolume(repository, place, order, still), notThere);
  const content = new Uint8Array(MiB);
  const device = loopDevice(t, { image: `${directory}/gone`, content });
  const gone = new Error('unmounted');
  const isStillThere = () => Promise.reject(gone);
  const moving = backupVolume(repository, placeOf(device.path), order, { signal, isStillThere });
  await t.rejects(moving, gone);
  t.same(await listSnapshots(repository), []);
});
