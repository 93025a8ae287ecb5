// A volume is made, handed over and let go, as the API server sees it; the controllers of volumes
// and the kubelet are played by the test.

import t, { type Test } from 'tap';
import type { ExposedVolume, VolumeClaim } from '#agent/exposer/exposed-objects.ts';
import { MADE_FOR } from '#agent/exposer/made-objects.ts';
import { RestoreExposer, type RestoreMove } from '#agent/exposer/restore-exposer.ts';
import { CLAIMS, PERSISTENT_VOLUMES, PODS } from '#kube/core-resources.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';

const NAMESPACES: Resource = {
  group: '',
  version: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
  isNamespaced: false,
};
const UID = 'uid-of-down-1';
const PLACE = { namespace: 'velero', name: 'down-1' };
const TARGET = { namespace: 'shop', name: 'data' };
const SELECTOR = { matchLabels: { 'velero.io/dynamic-pv-restore': 'shop.data.x7k2p' } };
const MOVE: RestoreMove = {
  ...PLACE,
  uid: UID,
  owner: { apiVersion: 'velero.io/v2alpha1', kind: 'DataDownload', name: 'down-1', uid: UID },
  targetNamespace: TARGET.namespace,
  targetClaim: TARGET.name,
  ignoresDelayedBinding: false,
  holderOf: () => ({
    image: 'pause',
    nodes: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'role', operator: 'Exists' }] }] },
  }),
};

async function play(t: Test) {
  const api = await startKubeEmulator({});
  t.teardown(() => api.stop());
  const client = api.client();
  for (const { namespace: name } of [PLACE, TARGET]) {
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    await client.create(NAMESPACES, object);
  }
  let listCount = 0;
  const counting: KubeClient = {
    get: (...of) => client.get(...of),
    list: (...of) => {
      listCount++;
      return client.list(...of);
    },
    create: (...of) => client.create(...of),
    replace: (...of) => client.replace(...of),
    patch: (...of) => client.patch(...of),
    delete: (...of) => client.delete(...of),
    read: (...of) => client.read(...of),
    watch: (...of) => client.watch(...of),
  };
  const make = async (resource: Resource, kind: string, object: object) =>
    client.create(resource, { apiVersion: 'v1', kind, ...object } as KubeObject);
  return {
    client,
    exposer: new RestoreExposer(counting),
    lists: () => listCount,
    claim: (metadata: object, spec: object, status: object = {}) =>
      make(CLAIMS, 'PersistentVolumeClaim', { metadata, spec, status }),
    volume: (metadata: object, spec: object = {}) =>
      make(PERSISTENT_VOLUMES, 'PersistentVolume', {
        metadata: { name: 'pvc-1', ...metadata },
        spec: { persistentVolumeReclaimPolicy: 'Delete', ...spec },
      }),
  };
}

const OURS = { ...PLACE, labels: { [MADE_FOR]: UID } };

t.test('where the pod of the application is to run, its holder runs, too', async t => {
  const { client, exposer, claim } = await play(t);
  const annotations = { 'volume.kubernetes.io/selected-node': 'node1' };
  await claim({ ...TARGET, annotations }, { selector: SELECTOR });
  await exposer.expose(MOVE);
  const { spec } = await client.get<KubeObject & { spec: object }>(PODS, PLACE);
  const term = { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node1'] }] };
  t.same(spec, {
    ...spec,
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] },
      },
    },
  });
});

t.test('volumes are looked through when no claim names the one of it alone', async t => {
  const { client, exposer, claim, volume, lists } = await play(t);
  const target = await claim(TARGET, { selector: SELECTOR });
  await claim(OURS, { volumeName: 'pvc-1' });
  await volume({});
  t.equal(await exposer.isFilled(MOVE), false);
  t.equal(lists(), 0, 'its own claim names it');
  t.match(await exposer.rebind(MOVE), { type: 'wait', missing: /the binding of claim shop/ });
  const before = lists();
  for (let count = 0; count < 3; count++) {
    t.match(await exposer.rebind(MOVE), { type: 'wait', missing: /the binding of claim shop/ });
  }
  t.equal(lists(), before, 'the claim of the application names it');
  const handed = await client.get<ExposedVolume>(PERSISTENT_VOLUMES, { name: 'pvc-1' });
  t.equal(handed.spec.claimRef?.uid, target.metadata.uid);
  const body = { status: { phase: 'Bound' } };
  await client.patch(CLAIMS, TARGET, { type: 'merge', body });
  t.same(await exposer.rebind(MOVE), { type: 'rebound' });
  t.equal(await exposer.isFilled(MOVE), true, 'whoever comes later knows');
  t.same(await exposer.withdraw(MOVE), { type: 'withdrawn' });
  const kept = await client.get<ExposedVolume>(PERSISTENT_VOLUMES, { name: 'pvc-1' });
  t.match(kept.metadata.labels, { ...SELECTOR.matchLabels, [MADE_FOR]: undefined });
  t.equal(kept.spec.persistentVolumeReclaimPolicy, 'Delete');
});

t.test('a claim that has got the volume of somebody else is not restored', async t => {
  const { exposer, claim, volume } = await play(t);
  await claim(TARGET, { selector: SELECTOR, volumeName: 'pvc-1' }, { phase: 'Bound' });
  await volume({});
  t.equal(await exposer.isFilled(MOVE), false);
  t.match(await exposer.rebind(MOVE), { type: 'impossible' });
});

t.test('a claim of the same name that was not made for it is not touched', async t => {
  const { client, exposer, claim, volume } = await play(t);
  await claim(TARGET, { selector: SELECTOR });
  await claim(PLACE, { volumeName: 'pvc-1' });
  await volume({});
  t.match(await exposer.rebind(MOVE), { type: 'impossible', message: /down-1 is in the way/ });
  t.same(await exposer.withdraw(MOVE), { type: 'withdrawn' });
  t.ok(await client.get<VolumeClaim>(CLAIMS, PLACE));
  const untouched = await client.get<ExposedVolume>(PERSISTENT_VOLUMES, { name: 'pvc-1' });
  t.same(untouched.metadata.labels ?? {}, {});
});

t.test('what a stock agent has made for it goes, with the volume that it kept', async t => {
  const { client, exposer, claim, volume } = await play(t);
  await claim(TARGET, { selector: SELECTOR });
  await claim({ ...PLACE, ownerReferences: [MOVE.owner] }, { volumeName: 'pvc-1' });
  await volume({}, { persistentVolumeReclaimPolicy: 'Retain' });
  t.equal(await exposer.isFilled(MOVE), false);
  t.same(await exposer.withdraw(MOVE), { type: 'withdrawn' });
  await t.rejects(client.get(CLAIMS, PLACE), { code: 'KUBE_NOT_FOUND' });
  const released = await client.get<ExposedVolume>(PERSISTENT_VOLUMES, { name: 'pvc-1' });
  t.equal(released.spec.persistentVolumeReclaimPolicy, 'Delete');
});
