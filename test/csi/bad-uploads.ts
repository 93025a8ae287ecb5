// Snapshots that cannot be moved, each for another reason: what the user reads, and that nothing is
// left of the attempt.

import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import type { ApiObject } from '#test/cluster/api-client.ts';
import { isMissing } from '#test/cluster/cluster-programs.ts';
import { type Installation, VELERO_PROGRAMS } from '#test/velero/installation.ts';
import { hasEnded } from '#test/velero/moves.ts';
import { fillWithBytes } from '#test/velero/volume-content.ts';
import { STORAGE_CLASS } from './csi.ts';
import { DRIVER_NAME } from './driver/driver.ts';
import { CsiWorkload, type CsiClaim } from './csi-workload.ts';
import type { Scenario, World } from './scenario.ts';
import { askForUpload, DATA_UPLOADS_PATH, takeSnapshot } from './uploads.ts';
import { veleroIn } from './velero-here.ts';

const NAMESPACE = 'bad';
const CLAIM: CsiClaim = { name: 'data', mode: 'Filesystem', size: '16Mi' };
const LOST: CsiClaim = { ...CLAIM, name: 'lost' };
const PREPARE_SECONDS = 25;
const ENDED_MS_MAX = 180_000;
const LOOK_MS = 200;
const CONFIG = 'bad-uploads';
const SINGLE_CLASS = 'csi-test-single';
const NOWHERE_CLASS = 'csi-test-nowhere';

/** Of Velero's node agents. Classes are those that an upload says its source had. */
const NODE_AGENT_CONFIG = {
  loadConcurrency: { globalConfig: 10 },
  loadAffinity: [{ nodeSelector: { matchLabels: { room: 'none' } }, storageClass: NOWHERE_CLASS }],
  backupPVC: {
    shared: { storageClass: STORAGE_CLASS, readOnly: true },
    single: { storageClass: SINGLE_CLASS, readOnly: true },
  },
};

const CLASS = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', provisioner: DRIVER_NAME };
const CLASSES = [
  // Its volumes are for one node alone (driver/controller-service.ts).
  { ...CLASS, metadata: { name: SINGLE_CLASS }, parameters: { access: 'single' } },
  {
    ...CLASS,
    metadata: { name: NOWHERE_CLASS },
    volumeBindingMode: 'WaitForFirstConsumer',
  },
];

interface BadUpload {
  readonly name: string;
  readonly title: string;
  readonly claim?: CsiClaim;
  /** There is none where it is not said. */
  readonly snapshotClass?: string;
  readonly storageClass?: string;
  /** Message of the one that failed; without it, it is Completed. */
  readonly message?: RegExp;
}

const UPLOADS: readonly BadUpload[] = [
  {
    name: 'gone',
    title: 'a snapshot that is not there',
    message: /^VolumeSnapshot bad\/gone is not there/,
  },
  {
    name: 'classless',
    title: 'a snapshot whose class is missing, and that is never ready',
    snapshotClass: 'absent',
    message: /^timeout on preparing data upload: VolumeSnapshot bad\/classless.*"absent"/,
  },
  {
    name: 'unbound',
    title: 'a claim that is never bound',
    snapshotClass: '',
    storageClass: 'absent',
    message: /^timeout on preparing data upload: a node for pod unbound .* immediate/,
  },
  {
    name: 'nowhere',
    title: 'no node that fits',
    snapshotClass: '',
    storageClass: NOWHERE_CLASS,
    message: /^timeout on preparing data upload: a node for pod nowhere .*affinity/,
  },
  {
    name: 'single',
    title: 'a read-only clone that the driver does not make',
    snapshotClass: '',
    storageClass: 'single',
    message: /^timeout on preparing data upload: a node for pod single .*unbound immediate/,
  },
  { name: 'shared', title: 'one that it makes', snapshotClass: '', storageClass: 'shared' },
  { name: 'lost', title: 'a claim that is deleted meanwhile', claim: LOST, snapshotClass: '' },
];

export const BAD_UPLOADS: readonly Scenario[] = [
  {
    title: 'what cannot be moved says why, and leaves nothing',
    skip: isMissing(...VELERO_PROGRAMS),
    play: moveBad,
  },
];

async function moveBad(t: Test, { cluster, csi }: World): Promise<void> {
  const installation = await veleroIn(cluster);
  const { client } = installation;
  await installation.useNoAgent();
  const config = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: CONFIG, namespace: 'velero' },
    data: { config: JSON.stringify(NODE_AGENT_CONFIG) },
  };
  await client.apply(config);
  for (const storageClass of CLASSES) await client.apply(storageClass);
  const workload = new CsiWorkload(client, NAMESPACE);
  await workload.start([CLAIM, LOST]);
  fillWithBytes(await workload.volumePath(LOST), 1 << 20);
  for (const { name, claim = CLAIM, snapshotClass } of UPLOADS) {
    if (snapshotClass === undefined) continue;
    const of = { namespace: NAMESPACE, claim: claim.name, backup: NAMESPACE };
    await takeSnapshot(client, name, { ...of, snapshotClass: snapshotClass || undefined });
  }
  const lost = `/apis/snapshot.storage.k8s.io/v1/namespaces/${NAMESPACE}/volumesnapshots/lost`;
  const isReady = ({ status }: ApiObject): boolean => status?.readyToUse === true;
  await client.until(lost, isReady, { msMax: ENDED_MS_MAX, what: 'ready' });
  const place = `/api/v1/namespaces/${NAMESPACE}`;
  await client.delete(`${place}/pods/${LOST.name}`);
  await client.delete(`${place}/persistentvolumeclaims/${LOST.name}`);
  for (const { name, claim = CLAIM, storageClass } of UPLOADS) {
    const of = { namespace: NAMESPACE, claim: claim.name, backup: NAMESPACE };
    await askForUpload(client, name, { ...of, storageClass });
  }

  const timeout = `--data-mover-prepare-timeout=${PREPARE_SECONDS}s`;
  const agent = installation.startAgent([`--node-agent-configmap=${CONFIG}`, timeout]);
  t.teardown(() => agent.stop());
  const ends = await untilAllEnded(installation);
  for (const { name, title, message } of UPLOADS) {
    const { status } = ends.find(end => end.metadata.name === name) ?? {};
    if (message === undefined) t.match(status, { phase: 'Completed' }, title);
    else t.match(status, { phase: 'Failed', message }, title);
  }
  await untilTidied(installation);
  t.same(await madeObjects(installation), [], 'nothing that was made is left');
  await agent.stop();
  await workload.delete();
  t.same(csi.store.snapshots, [], 'nothing is left on the storage');
  t.same(csi.store.volumes, []);
}

async function untilAllEnded({ client }: Installation): Promise<readonly ApiObject[]> {
  for (const end = performance.now() + ENDED_MS_MAX; performance.now() < end;) {
    const uploads = await ownUploads(client);
    if (uploads.every(hasEnded)) return uploads;
    await delay(LOOK_MS);
  }
  throw new Error(`uploads are not at their end: ${JSON.stringify(await ownUploads(client))}`);
}

async function ownUploads(client: Installation['client']): Promise<ApiObject[]> {
  return client.list(`${DATA_UPLOADS_PATH}?labelSelector=velero.io/backup-name%3D${NAMESPACE}`);
}

/** The finalizer goes when everything else has gone. */
async function untilTidied({ client }: Installation): Promise<void> {
  for (const { name } of UPLOADS) {
    const isTidied = ({ metadata }: ApiObject) => (metadata.finalizers ?? []).length === 0;
    const options = { msMax: ENDED_MS_MAX, what: 'tidied up' };
    await client.until(`${DATA_UPLOADS_PATH}/${name}`, isTidied, options);
  }
}

async function madeObjects({ client }: Installation): Promise<string[]> {
  const label = '?labelSelector=stevedore.io/made-for';
  const snapshots = '/apis/snapshot.storage.k8s.io/v1';
  const paths = [
    '/api/v1/namespaces/velero/pods',
    '/api/v1/namespaces/velero/persistentvolumeclaims',
    `${snapshots}/namespaces/velero/volumesnapshots`,
    `${snapshots}/volumesnapshotcontents`,
  ];
  const found = await Promise.all(paths.map(path => client.list(`${path}${label}`)));
  return found.flat().map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}
