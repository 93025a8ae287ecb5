// A snapshot is exposed as a volume that is mounted, and withdrawn, by whoever comes after one that
// was killed: with the real snapshot controller, provisioner and kubelet.

import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { SNAPSHOT_CONTENTS, SNAPSHOTS } from '#agent/exposer/exposed-objects.ts';
import type { Exposure } from '#agent/exposer/holder-state.ts';
import { SnapshotExposer, type SnapshotMove } from '#agent/exposer/snapshot-exposer.ts';
import { CLAIMS, PERSISTENT_VOLUMES, PODS } from '#kube/core-resources.ts';
import { HttpKubeClient } from '#kube/http-client.ts';
import { connect } from '#kube/kube-config.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import { keyOf, type KubeObject } from '#kube/kube-object.ts';
import { PAUSE_IMAGE } from '#test/cluster/node-settings.ts';
import { listingDifferences, treeListing } from '#test/support/tree-listing.ts';
import { fillVolume } from '#test/velero/volume-content.ts';
import { CsiWorkload, sha256OfBytes, type CsiClaim } from './csi-workload.ts';
import { STORAGE_CLASS } from './csi.ts';
import { makeMovers, MOVERS } from './movers.ts';
import { dies, MortalClient } from './mortal-client.ts';
import type { Scenario, World } from './scenario.ts';
import { overwrite } from './snapshots.ts';

const TREE: CsiClaim = { name: 'tree', mode: 'Filesystem', size: '128Mi' };
const DEVICE: CsiClaim = { name: 'device', mode: 'Block', size: '16Mi' };
const SOURCE = 'sources';
const BACKUP = 'nightly';
const GONE_MS_MAX = 60_000;
const LOOK_MS = 200;
const LOOKS_MAX = 600;
/** Of the driver (driver/volume-store.ts). */
const LOST_BY_COPY = ['flags', 'project'] as const;
const KINDS = [SNAPSHOTS, SNAPSHOT_CONTENTS, CLAIMS, PERSISTENT_VOLUMES, PODS] as const;

export const EXPOSURES: readonly Scenario[] = [
  {
    title: 'a snapshot is exposed beside its source, and leaves nothing, wherever one is killed',
    play: exposeAndWithdraw,
  },
];

async function exposeAndWithdraw(t: Test, { cluster, csi, random }: World): Promise<void> {
  const connection = await connect({ kubeconfig: cluster.plane.kubeconfig });
  t.teardown(() => connection.close());
  const client = new HttpKubeClient(connection);
  const workload = new CsiWorkload(cluster.plane.client, SOURCE);
  await workload.start([TREE, DEVICE]);
  const tree = await workload.volumePath(TREE);
  fillVolume(tree, random);
  const device = await workload.volumePath(DEVICE);
  overwrite(device, random.bytes(3 << 20));
  const owner = await makeMovers(cluster.plane.client, client);
  const place = await namesOf(client);

  await t.test('what is exposed is what was snapshotted', async t => {
    const listing = await treeListing(tree);
    const sum = await sha256OfBytes(device);
    for (const claim of [TREE, DEVICE]) {
      await takeSnapshot(workload, client, claim);
      const move = moveOf(claim, `up-${claim.name}`, owner);
      const exposer = new SnapshotExposer(client);
      const { nodeName } = await untilExposed(exposer, move);
      t.not(nodeName, '');
      const [content] = await sourceContents(client, claim.name);
      t.equal(content?.spec.deletionPolicy, 'Delete', 'the source is as it was');
      const path = await new CsiWorkload(cluster.plane.client, MOVERS).volumePath({
        ...claim,
        name: move.name,
      });
      if (claim.mode === 'Block') t.equal(await sha256OfBytes(path), sum);
      else {
        const options = { without: () => LOST_BY_COPY };
        t.same(listingDifferences(listing, await treeListing(path), options), []);
      }
      t.same(
        await exposer.expose(move),
        { type: 'exposed', nodeName },
        'once more changes nothing',
      );
      await untilWithdrawn(exposer, move);
      await checkNothingLeft(t, { client, csi, place });
    }
  });

  await t.test('one that is killed after any change is followed by another', async t => {
    for (let lived = 1; ; lived++) {
      await takeSnapshot(workload, client, TREE);
      const move = moveOf(TREE, `killed-${lived}`, owner);
      const mortal = new MortalClient(client, lived);
      const first = new SnapshotExposer(mortal.client);
      const wasKilled = await dies(async () => {
        await untilExposed(first, move);
        await untilWithdrawn(first, move);
      });
      await untilWithdrawn(new SnapshotExposer(client), move);
      await checkNothingLeft(t, { client, csi, place });
      t.comment(`${mortal.changes} changes, ${wasKilled ? 'killed' : 'to the end'}`);
      if (!wasKilled) break;
    }
  });

  await t.test('what others have made stays', async t => {
    await takeSnapshot(workload, client, TREE, 'another-backup');
    const move = moveOf(TREE, 'foreign', owner);
    await untilWithdrawn(new SnapshotExposer(client), move);
    t.equal((await sourceContents(client, TREE.name)).length, 1, 'a snapshot of another backup');
    await client.delete(SNAPSHOTS, { namespace: SOURCE, name: TREE.name });
    await client.create(CLAIMS, {
      metadata: { name: move.name, namespace: MOVERS },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
    } as KubeObject);
    await takeSnapshot(workload, client, TREE);
    const exposer = new SnapshotExposer(client);
    t.match(await untilSettled(exposer, move), { type: 'hopeless', message: /in the way/ });
    await untilWithdrawn(exposer, move);
    await client.get(CLAIMS, { namespace: MOVERS, name: move.name });
    await client.delete(CLAIMS, { namespace: MOVERS, name: move.name });
    const claim = `/api/v1/namespaces/${MOVERS}/persistentvolumeclaims/${move.name}`;
    await cluster.plane.client.untilGone(claim, GONE_MS_MAX);
    t.match(await untilSettled(exposer, move), {
      type: 'hopeless',
      message: /sources\/tree is (not there|being deleted)/,
    });
  });
  await workload.delete();
}

function moveOf(claim: CsiClaim, name: string, owner: SnapshotMove['owner']): SnapshotMove {
  return {
    name,
    namespace: MOVERS,
    uid: `uid-of-${name}`,
    owner,
    sourceNamespace: SOURCE,
    sourceSnapshot: claim.name,
    sourceClaim: claim.name,
    backupName: BACKUP,
    holder: { image: PAUSE_IMAGE },
    claim: { storageClass: STORAGE_CLASS, isReadOnly: false },
  };
}

async function takeSnapshot(
  workload: CsiWorkload,
  client: KubeClient,
  { name }: CsiClaim,
  backup = BACKUP,
): Promise<void> {
  await workload.snapshot(name);
  const body = { metadata: { labels: { 'velero.io/backup-name': backup } } };
  await client.patch(SNAPSHOTS, { namespace: SOURCE, name }, { type: 'merge', body });
}

async function untilExposed(exposer: SnapshotExposer, move: SnapshotMove) {
  const exposure = await untilSettled(exposer, move);
  if (exposure.type === 'exposed') return exposure;
  throw new Error(`${move.name} is not exposed: ${JSON.stringify(exposure)}`);
}

async function untilSettled(exposer: SnapshotExposer, move: SnapshotMove): Promise<Exposure> {
  for (let looks = 1; ; looks++) {
    const exposure = await exposer.expose(move);
    if (exposure.type !== 'wait') return exposure;
    if (looks === LOOKS_MAX) throw new Error(`${move.name} waits: ${exposure.missing} is missing`);
    await delay(LOOK_MS);
  }
}

async function untilWithdrawn(exposer: SnapshotExposer, move: SnapshotMove): Promise<void> {
  for (let looks = 1; ; looks++) {
    const withdrawal = await exposer.withdraw(move);
    if (withdrawal.type === 'withdrawn') return;
    if (looks === LOOKS_MAX) throw new Error(`${move.name} waits: ${withdrawal.leaving} stays`);
    await delay(LOOK_MS);
  }
}

async function checkNothingLeft(
  t: Test,
  { client, csi, place }: { client: KubeClient; csi: World['csi']; place: readonly string[] },
): Promise<void> {
  for (let looks = 1; ; looks++) {
    const names = await namesOf(client);
    const isGone = csi.store.snapshots.length === 0 && csi.store.volumes.length === 2;
    if ((isGone && names.join() === place.join()) || looks === LOOKS_MAX) {
      t.same(names, place, 'all objects are those that were there before');
      t.same(csi.store.snapshots, [], 'no snapshot is left on the storage');
      t.equal(csi.store.volumes.length, 2, 'nor another volume');
      return;
    }
    await delay(LOOK_MS);
  }
}

async function namesOf(client: KubeClient): Promise<string[]> {
  const lists = await Promise.all(
    KINDS.map(async resource => {
      const { items } = await client.list(resource, {});
      return items.map(item => `${resource.kind} ${keyOf(item)}`);
    }),
  );
  return lists.flat().sort();
}

async function sourceContents(client: KubeClient, snapshot: string) {
  interface Content extends KubeObject {
    readonly spec: {
      readonly deletionPolicy: string;
      readonly volumeSnapshotRef: { readonly namespace: string; readonly name: string };
    };
  }
  const { items } = await client.list<Content>(SNAPSHOT_CONTENTS, {});
  return items.filter(({ spec: { volumeSnapshotRef: of } }) => {
    return of.namespace === SOURCE && of.name === snapshot;
  });
}
