// What a stock agent has made for a move goes with the rest when one of ours comes in its place,
// and what others have made stays. The controllers of snapshots are played by the API server alone.

import t, { type Test } from 'tap';
import { SNAPSHOT_CONTENTS, SNAPSHOTS } from '#agent/exposer/exposed-objects.ts';
import { SnapshotExposer, type SnapshotMove } from '#agent/exposer/snapshot-exposer.ts';
import { CLAIMS } from '#kube/core-resources.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import { apiVersionOf, type KubeObject, type Resource } from '#kube/kube-object.ts';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';

const UID = 'uid-of-up-1';
const PLACE = { namespace: 'velero', name: 'up-1' };
const OWNER = { apiVersion: 'velero.io/v2alpha1', kind: 'DataUpload', name: 'up-1', uid: UID };
const MOVE: SnapshotMove = {
  ...PLACE,
  uid: UID,
  owner: OWNER,
  sourceNamespace: 'shop',
  sourceSnapshot: 'velero-data',
  sourceClaim: 'data',
  backupName: 'nightly',
  holder: { image: 'pause' },
  claim: { storageClass: 'fast', isReadOnly: false },
};
const NAMESPACES = resource('', 'v1', 'namespaces', 'Namespace');
const CRDS = resource('apiextensions.k8s.io', 'v1', 'customresourcedefinitions', 'Crd');

function resource(group: string, version: string, plural: string, kind: string): Resource {
  return { group, version, plural, kind, isNamespaced: false };
}

function crdOf({ group, version, plural, kind, isNamespaced }: Resource): KubeObject {
  const schema = {
    openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  };
  const versions = [{ name: version, served: true, storage: true, schema }];
  const names = { plural, kind, singular: kind.toLowerCase(), listKind: `${kind}List` };
  const scope = isNamespaced ? 'Namespaced' : 'Cluster';
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: { group, names, scope, versions },
  } as KubeObject;
}

async function play(t: Test) {
  const api = await startKubeEmulator({});
  t.teardown(() => api.stop());
  const client = api.client();
  for (const each of [SNAPSHOTS, SNAPSHOT_CONTENTS]) await client.create(CRDS, crdOf(each));
  for (const name of ['velero', 'shop']) {
    await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  return { client, exposer: new SnapshotExposer(client) };
}

/** As pkg/exposer/csi_snapshot.go of Velero 1.18.1 makes them; `contentOf`: whose content it is. */
async function makeAsStock(client: KubeClient, { owner, contentOf }: Record<string, string>) {
  const make = (resource: Resource, metadata: object, spec: object) =>
    client.create(resource, {
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      metadata,
      spec,
    } as KubeObject);
  const ownerReferences = [{ ...OWNER, uid: owner }];
  await make(CLAIMS, { ...PLACE, ownerReferences }, { storageClassName: 'fast' });
  await make(SNAPSHOTS, PLACE, { source: { volumeSnapshotContentName: contentOf } });
  await make(
    SNAPSHOT_CONTENTS,
    { name: PLACE.name },
    {
      deletionPolicy: 'Delete',
      driver: 'csi.example.org',
      source: { snapshotHandle: 'handle-1' },
      volumeSnapshotRef: { namespace: PLACE.namespace, name: contentOf },
    },
  );
}

async function left(client: KubeClient): Promise<string[]> {
  const lists = [CLAIMS, SNAPSHOTS, SNAPSHOT_CONTENTS].map(async each =>
    (await client.list(each, {})).items.map(() => each.plural),
  );
  return (await Promise.all(lists)).flat();
}

t.test('what a stock agent has made for it goes', async t => {
  const { client, exposer } = await play(t);
  await makeAsStock(client, { owner: UID, contentOf: PLACE.name });
  t.match(await exposer.expose(MOVE), { type: 'hopeless', message: /in the way/ });
  t.same(await exposer.withdraw(MOVE), { type: 'withdrawn' });
  t.same(await left(client), []);
});

t.test('what has its name alone stays', async t => {
  const { client, exposer } = await play(t);
  await makeAsStock(client, { owner: 'uid-of-another', contentOf: 'another' });
  t.same(await exposer.withdraw(MOVE), { type: 'withdrawn' });
  t.equal((await left(client)).length, 3);
});
