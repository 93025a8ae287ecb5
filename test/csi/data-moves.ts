// A namespace with a tree and a device, moved away as snapshots by Velero, lost, and restored.

import type { Test } from 'tap';
import type { ApiObject } from '#test/cluster/api-client.ts';
import { isMissing } from '#test/cluster/cluster-programs.ts';
import { treeListing } from '#test/support/tree-listing.ts';
import { Installation, VELERO_PROGRAMS } from '#test/velero/installation.ts';
import { pathOfMove, phases, untilEnded } from '#test/velero/moves.ts';
import { differencesInFiles } from '#test/velero/round-trips.ts';
import { fillVolume } from '#test/velero/volume-content.ts';
import { CsiWorkload, sha256OfBytes, type CsiClaim } from './csi-workload.ts';
import type { Scenario, World } from './scenario.ts';
import { overwrite } from './snapshots.ts';

const TREE: CsiClaim = { name: 'tree', mode: 'Filesystem', size: '128Mi' };
const DEVICE: CsiClaim = { name: 'device', mode: 'Block', size: '16Mi' };
const CLAIMS = [TREE, DEVICE] as const;
const DEVICE_BYTES = 16 << 20;
const MOVES = '/apis/velero.io/v2alpha1/namespaces/velero';
const DONE = { status: { phase: 'Completed' } };

export const DATA_MOVES: readonly Scenario[] = [
  {
    title: 'Velero with its own agent moves snapshots of a tree and a device, and restores them',
    skip: isMissing(...VELERO_PROGRAMS),
    play: moveAway,
  },
];

async function moveAway(t: Test, { cluster, csi, random }: World): Promise<void> {
  const installation = await Installation.make(cluster, 'stock', { features: 'EnableCSI' });
  const { client } = installation;
  const name = 'moved';
  const workload = new CsiWorkload(client, name);
  await workload.start(CLAIMS);
  const tree = await workload.volumePath(TREE);
  fillVolume(tree, random);
  const device = await workload.volumePath(DEVICE);
  overwrite(device, random.bytes(3 << 20), 1 << 20);
  overwrite(device, random.bytes(1 << 20), DEVICE_BYTES - (1 << 20));
  const before = await treeListing(tree);
  const sum = await sha256OfBytes(device);

  const words = ['--include-namespaces', name, '--snapshot-move-data', '--wait'];
  await installation.velero('backup', 'create', name, ...words);
  t.match(await untilEnded(installation, pathOfMove('backups', name)), DONE);
  const uploads = await client.list(`${MOVES}/datauploads`);
  t.same(phases(uploads), ['Completed', 'Completed'], 'both volumes are uploaded');
  t.same(csi.store.snapshots, [], 'no snapshot is left after a backup');
  t.equal(csi.store.volumes.length, 2, 'no other volume is left after a backup');
  await workload.delete();
  t.same(csi.store.volumes, [], 'all volumes are lost');

  await installation.velero('restore', 'create', name, '--from-backup', name, '--wait');
  t.match(await untilEnded(installation, pathOfMove('restores', name)), DONE);
  const downloads = await client.list(`${MOVES}/datadownloads`);
  t.same(phases(downloads), ['Completed', 'Completed'], 'both volumes are downloaded');
  await workload.untilRunning(CLAIMS);
  const after = await treeListing(await workload.volumePath(TREE));
  t.same(differencesInFiles(t, before, after), [], 'the tree has come back');
  t.equal(await sha256OfBytes(await workload.volumePath(DEVICE)), sum, 'the device has come back');
  t.equal(csi.store.volumes.length, 2, 'no other volume is left after a restore');
  t.same(await moverPods(installation), [], 'no pod of a mover is left');
  await workload.delete();
}

async function moverPods({ client }: Installation): Promise<string[]> {
  const pods = await client.list('/api/v1/namespaces/velero/pods');
  const isMover = ({ metadata }: ApiObject): boolean =>
    ['velero.io/data-upload', 'velero.io/data-download'].some(
      label => metadata.labels?.[label] !== undefined,
    );
  return pods.filter(isMover).map(({ metadata }) => metadata.name);
}
