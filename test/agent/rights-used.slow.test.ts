// What the agent really asks of an API server, request by request, against what its roles grant
// (PERMISSIONS; test/charts compares the chart with them): nothing that is refused, and no right
// that nobody needs.

import t from 'tap';
import { PERMISSIONS } from '#agent/permissions.ts';
import {
  POD_VOLUME_BACKUPS,
  type PodVolumeBackup,
} from '#agent/moves/objects/pod-volume-backup.ts';
import { POD_VOLUME_RESTORES } from '#agent/moves/objects/pod-volume-restore.ts';
import type { MoveObject } from '#agent/moves/objects/move-object.ts';
import { systemClock } from '#engine/base/clock.ts';
import type { Resource } from '#kube/kube-object.ts';
import * as velero from '#test/demo/velero-objects.ts';
import type { RequestRecord } from '#test/kube-emulator/api-front.ts';
import type { KubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { until } from '#test/kube/manual-clock.ts';
import { type AgentScene, BACKUP, RESTORE, startAgent } from '#test/support/agent-scene.ts';

const CONFIG = 'node-agent-config';
/** Nobody answers some of what is asked here; that is found out sooner. */
const hurried = {
  ...systemClock,
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms < 1000 ? ms / 20 : ms, signal),
};

interface Grant {
  readonly verb: string;
  readonly resource: string;
  readonly isNamespaced: boolean;
  readonly isForSnapshots?: boolean;
}

const GRANTS: readonly Grant[] = PERMISSIONS.flatMap(({ group, resource, verbs, ...rest }) =>
  verbs.map(verb => ({
    verb,
    resource: group === '' ? resource : `${resource}.${group}`,
    isNamespaced: rest.isNamespaced,
    isForSnapshots: rest.isForSnapshots,
  })),
);

function allows(grant: Grant, { verb, resource, namespace }: RequestRecord): boolean {
  const isThere = !grant.isNamespaced || namespace === 'velero';
  return grant.verb === verb && grant.resource === resource && isThere;
}

/** Without a request over HTTP, which would be counted. */
function ended(api: KubeEmulator, kind: Resource, name: string): Promise<void> {
  return until(() => {
    const move = api.object<MoveObject>(kind, { namespace: 'velero', name });
    return /Completed|Failed|Canceled/.test(move?.status?.phase ?? '');
  });
}

function prepare(api: KubeEmulator): void {
  const rule = { nodeSelector: { matchLabels: { disk: 'fast' } }, number: 2 };
  const data = { any: JSON.stringify({ loadConcurrency: { perNodeConfig: [rule] } }) };
  api.add({ kind: 'ConfigMap', metadata: { name: CONFIG, namespace: 'velero' }, data });
}

/** A volume of a claim, which the node does not have. */
function addClaimedPod(api: KubeEmulator) {
  const namespace = velero.NAMESPACE;
  const volumes = [{ name: velero.VOLUME, persistentVolumeClaim: { claimName: 'claim' } }];
  const pod = velero.pod('claimed');
  const spec = { nodeName: velero.NODE, containers: [{ name: 'a', image: 'a' }], volumes };
  api.add({ kind: 'PersistentVolume', metadata: { name: 'pv' }, spec: { csi: {} } });
  const claim = { metadata: { name: 'claim', namespace }, spec: { volumeName: 'pv' } };
  api.add({ kind: 'PersistentVolumeClaim', ...claim });
  const { uid = '' } = api.add({ ...pod, spec }).metadata;
  return { name: 'claimed', uid };
}

async function playAll({ api, runPod, makeRepository, says, stop }: AgentScene): Promise<void> {
  await makeRepository();
  await says('ready');
  const web = runPod('web', 'text');
  // Somebody is faster, once, so that it is read what they have written.
  for (const plural of ['podvolumebackups', 'podvolumerestores']) {
    api.faults.inject({ verb: 'update', plural, effect: { type: 'conflict' } });
  }
  api.add(velero.podVolumeBackup('backed-up', BACKUP, web));
  await ended(api, POD_VOLUME_BACKUPS, 'backed-up');
  const backedUp = { namespace: 'velero', name: 'backed-up' };
  const { status } = api.object<PodVolumeBackup>(POD_VOLUME_BACKUPS, backedUp) ?? {};
  const snapshotId = status?.snapshotID ?? '';
  const restored = runPod('restored', undefined, { waiting: 'running' });
  const order = { snapshotId, restored };
  api.add(velero.podVolumeRestore('restored', RESTORE, order));
  await ended(api, POD_VOLUME_RESTORES, 'restored');
  api.add(velero.podVolumeBackup('of-claim', BACKUP, addClaimedPod(api)));
  await ended(api, POD_VOLUME_BACKUPS, 'of-claim');
  // Cancelled, and the server does not say which it is.
  const cancelled = velero.podVolumeBackup('cancelled', BACKUP, web);
  api.add({ ...cancelled, spec: { ...(cancelled.spec as object), cancel: true } });
  await ended(api, POD_VOLUME_BACKUPS, 'cancelled');
  api.add(velero.podVolumeBackup('of-stock', BACKUP, web));
  const moverPod = { name: 'of-stock', namespace: 'velero' };
  await ended(api, POD_VOLUME_BACKUPS, 'of-stock');
  const { uid = '' } = api.object(POD_VOLUME_BACKUPS, moverPod)?.metadata ?? {};
  const owner = { apiVersion: 'velero.io/v1', kind: 'PodVolumeBackup', name: 'of-stock', uid };
  const labels = { 'velero.io/pod-volume-backup': 'of-stock' };
  api.add({
    ...velero.pod('of-stock'),
    metadata: { ...moverPod, labels, ownerReferences: [owner] },
  });
  await says('mover pod of a stock agent deleted');
  await stop();
}

t.test('each right that the agent has is used, and none that it has not', async t => {
  const scene = await startAgent(t, {
    prepare,
    clock: hurried,
    flags: ['--node-agent-configmap', CONFIG],
  });
  await playAll(scene);
  const requests = scene.api.requests.filter(
    // Everybody may ask what they may.
    ({ resource }) => resource !== undefined && !resource.endsWith('.authorization.k8s.io'),
  );
  const refused = requests.filter(request => !GRANTS.some(grant => allows(grant, request)));
  t.strictSame(refused, [], 'no request without a right');
  // Those for snapshots need a storage that has some: test/csi.
  const unused = GRANTS.filter(grant => !grant.isForSnapshots).filter(
    grant => !requests.some(request => allows(grant, request)),
  );
  t.strictSame(unused, [], 'no right without a request');
});
