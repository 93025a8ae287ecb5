// What the ground itself can do, without Velero: volumes that pods write, snapshots of them, and
// claims that are made from those.

import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { listingDifferences, treeListing } from '#test/support/tree-listing.ts';
import { fillVolume } from '#test/velero/volume-content.ts';
import {
  CsiWorkload,
  importWriter,
  sha256OfBytes,
  WRITTEN_FILE,
  writtenBytes,
  type CsiClaim,
} from './csi-workload.ts';
import type { Scenario, World } from './scenario.ts';

const WRITTEN = 3 << 20;
const TREE: CsiClaim = { name: 'tree', mode: 'Filesystem', size: '128Mi', written: WRITTEN };
const DEVICE: CsiClaim = { name: 'device', mode: 'Block', size: '16Mi', written: WRITTEN };
const COPIES: readonly CsiClaim[] = [
  { name: 'tree-copy', mode: 'Filesystem', size: '128Mi', from: 'tree' },
  { name: 'device-copy', mode: 'Block', size: '16Mi', from: 'device' },
];

export const SNAPSHOTS: readonly Scenario[] = [
  {
    title: 'a claim that is made from a snapshot has what the volume had when it was taken',
    play: copySnapshots,
  },
];

/** Of the driver (driver/volume-store.ts). */
const LOST_BY_COPY = ['flags', 'project', 'holes'] as const;

async function copySnapshots(t: Test, { cluster, csi, random }: World): Promise<void> {
  await importWriter();
  const workload = new CsiWorkload(cluster.plane.client, 'snapshots');
  await workload.start([TREE, DEVICE]);
  const tree = await workload.volumePath(TREE);
  const device = await workload.volumePath(DEVICE);
  const written = writtenBytes(WRITTEN);
  t.ok(readFileSync(join(tree, WRITTEN_FILE)).equals(written), 'a pod has written into a tree');
  t.ok(readFileSync(device).subarray(0, WRITTEN).equals(written), 'and to a device');

  fillVolume(tree, random);
  const listing = await treeListing(tree);
  const sum = await sha256OfBytes(device);
  await workload.snapshot('tree');
  await workload.snapshot('device');
  rmSync(join(tree, WRITTEN_FILE));
  overwrite(device, random.bytes(1 << 20));
  t.not(await sha256OfBytes(device), sum, 'a device has changed after its snapshot');

  await workload.start(COPIES);
  const [treeCopy, deviceCopy] = await Promise.all(COPIES.map(copy => workload.volumePath(copy)));
  const found = await treeListing(treeCopy ?? '');
  const lines = listingDifferences(listing, found, { without: () => LOST_BY_COPY });
  t.same(lines, [], 'a tree of a snapshot has what the tree had');
  t.equal(await sha256OfBytes(deviceCopy ?? ''), sum, 'a device of a snapshot has its bytes');

  await workload.delete();
  t.same(csi.store.volumes, [], 'no volume is left');
  t.same(csi.store.snapshots, [], 'no snapshot is left');
}

export function overwrite(device: string, bytes: Uint8Array, at = 0): void {
  const descriptor = openSync(device, 'r+');
  writeSync(descriptor, bytes, 0, bytes.length, at);
  fsyncSync(descriptor);
  closeSync(descriptor);
}
