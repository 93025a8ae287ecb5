// Orders to move snapshots where that cannot be done: what the user reads, and what is left.

import { readdirSync } from 'node:fs';
import t from 'tap';
import { DATA_UPLOADS, type DataUpload } from '#agent/moves/objects/data-upload.ts';
import { PERMISSIONS } from '#agent/permissions.ts';
import type { KubeVerb } from '#kube/request-target.ts';
import * as velero from '#test/demo/velero-objects.ts';
import type { KubeEmulator, SeedObject } from '#test/kube-emulator/kube-emulator.ts';
import { until } from '#test/kube/manual-clock.ts';
import { ended, startAgent } from '#test/support/agent-scene.ts';

const NAME = 'up-1';
/** Seconds are what an order may wait. */
const SHORT = ['--data-mover-prepare-timeout', '1s'];

function addUpload(
  api: KubeEmulator,
  spec: object = {},
  { name = NAME, status }: { readonly name?: string; readonly status?: object } = {},
): void {
  api.add({
    kind: 'DataUpload',
    metadata: { name, namespace: 'velero', labels: { 'velero.io/backup-name': 'daily' } },
    spec: {
      snapshotType: 'CSI',
      csiSnapshot: { volumeSnapshot: 'velero-data', storageClass: 'fast' },
      sourcePVC: 'data',
      sourceNamespace: 'shop',
      backupStorageLocation: 'default',
      operationTimeout: '10m0s',
      ...spec,
    },
    ...(status && { status }),
  });
}

const uploadIn = (api: KubeEmulator): DataUpload | undefined =>
  api.object<DataUpload>(DATA_UPLOADS, { namespace: 'velero', name: NAME });

const hasFinalizer = (api: KubeEmulator): boolean =>
  (uploadIn(api)?.metadata.finalizers ?? []).length > 0;

t.test('without the CRDs of snapshots it fails at once, and is let go', async t => {
  const { api, says } = await startAgent(t);
  await says('ready');
  addUpload(api);
  const status = await ended(api, DATA_UPLOADS, NAME);
  const message = /^VolumeSnapshot shop\/velero-data is not there: .*CRDs of snapshot.storage/;
  t.match(status, { phase: 'Failed', message, acceptedByNode: 'worker-1' });
  await until(() => !hasFinalizer(api));
});

t.test('without a right it fails when its time is over, and the right is named', async t => {
  const { api, says } = await startAgent(t, { flags: SHORT });
  await says('ready');
  const grant = api.access.deny({ verb: 'get', plural: 'persistentvolumeclaims' });
  addUpload(api);
  t.match(await says('a right is missing'), { right: 'get persistentvolumeclaims' });
  const status = await ended(api, DATA_UPLOADS, NAME);
  const message =
    /^timeout on preparing data upload: .*cannot get resource "persistentvolumeclaims"/;
  t.match(status, { phase: 'Failed', message });
  t.ok(hasFinalizer(api), 'what may have been made is not forgotten');
  grant();
  await until(() => !hasFinalizer(api));
});

t.test('an order without a snapshot is refused', async t => {
  const { api, says } = await startAgent(t);
  await says('ready');
  addUpload(api, { csiSnapshot: null });
  const status = await ended(api, DATA_UPLOADS, NAME);
  t.match(status, { phase: 'Failed', message: 'it names no snapshot of CSI; its type is CSI' });
});

t.test('that of another data mover is left alone, and so is one that was asked for', async t => {
  const rows = [
    ['velero', 'somebody', false],
    ['velero', 'stevedore', true],
    ['stevedore', 'stevedore', true],
    ['stevedore', '', false],
    ['stevedore', 'velero', false],
  ] as const;
  for (const [dataMover, datamover, isOurs] of rows) {
    await t.test(`${datamover || 'none'} as ${dataMover}`, async t => {
      const { api, says } = await startAgent(t, { flags: ['--data-mover', dataMover] });
      await says('ready');
      addUpload(api, { datamover });
      if (isOurs) t.match(await ended(api, DATA_UPLOADS, NAME), { phase: 'Failed' });
      else {
        // It has been looked at when one that comes later has ended.
        api.add({ ...uploadIn(api), ...later(dataMover) } as Parameters<typeof api.add>[0]);
        t.match(await ended(api, DATA_UPLOADS, LATER), { phase: 'Failed' });
        t.equal(uploadIn(api)?.status?.phase, undefined);
      }
    });
  }
});

const LATER = 'up-later';

function later(datamover: string): object {
  const spec = { csiSnapshot: { volumeSnapshot: 'other', storageClass: 'fast' } };
  const rest = { snapshotType: 'CSI', sourcePVC: 'data', sourceNamespace: 'shop' };
  const last = { backupStorageLocation: 'default', operationTimeout: '10m0s' };
  return {
    kind: 'DataUpload',
    metadata: { name: LATER, namespace: 'velero' },
    spec: { ...spec, ...rest, ...last, datamover },
  };
}

const BESIDE = ['--data-mover', 'stevedore', '--daemon-set', 'stevedore-agent'];

t.test('beside the agent of Velero no volume of a pod is moved', async t => {
  const { api, says } = await startAgent(t, { flags: BESIDE });
  await says('ready');
  t.equal(api.watchCount('podvolumebackups'), 0);
  t.equal(api.watchCount('podvolumerestores'), 0);
  await until(() => api.watchCount('datauploads') === 1);
});

t.test('beside it what that one prepares takes no room', async t => {
  const spec = { datamover: 'velero' };
  const status = { phase: 'Prepared', acceptedByNode: velero.NODE, node: velero.NODE };
  const { api, says } = await startAgent(t, {
    flags: BESIDE,
    prepare: api => {
      for (let count = 0; count < 10; count++)
        addUpload(api, spec, { name: `up-${count}`, status });
    },
  });
  await says('ready');
  api.add(later('stevedore') as Parameters<typeof api.add>[0]);
  t.match(await ended(api, DATA_UPLOADS, LATER), { phase: 'Failed', acceptedByNode: velero.NODE });
});

t.test('beside it rights for volumes of pods are neither asked for nor needed', async t => {
  const { api, says, stop } = await startAgent(t, {
    flags: BESIDE,
    prepare: api => {
      for (const { resource: plural, verbs, isForPodVolumes } of PERMISSIONS) {
        // Verbs of the table are those of requests.
        if (isForPodVolumes)
          for (const verb of verbs as KubeVerb[]) api.access.deny({ verb, plural });
      }
    },
  });
  const { port } = await says('metrics are served');
  await says('ready');
  const readiness = await (await fetch(`http://127.0.0.1:${String(port)}/readyz`)).text();
  t.match(readiness, /^\[\+\] optional-permissions$/m);
  t.match(readiness, /^\[\+\] permissions$/m);
  await stop();
  const asked = api.requests.map(({ verb, resource, name }) => `${verb} ${resource} ${name}`);
  t.notMatch(asked.join(), /podvolume|serverstatus|daemonsets\.apps node-agent/);
  t.match(asked.join(), 'get daemonsets.apps stevedore-agent');
});

t.test('beside it nothing is put into volumes that it restores', async t => {
  const { api, says, runPod, volumeOf, stop } = await startAgent(t, { flags: BESIDE });
  await says('ready');
  const { uid } = runPod('web');
  api.put(rebootedPod());
  // It has been looked at when a move that comes later has ended.
  api.add(later('stevedore') as Parameters<typeof api.add>[0]);
  await ended(api, DATA_UPLOADS, LATER);
  await stop();
  t.strictSame(readdirSync(volumeOf(uid)), []);
});

/** Its node was rebooted after the restore, whose helper waits for the file once more. */
function rebootedPod(): SeedObject {
  const { spec, status, ...pod } = velero.pod('web', { waiting: 'running' });
  const volumeMounts = [{ name: velero.VOLUME, mountPath: `/restores/${velero.VOLUME}` }];
  const helper = { name: 'restore-wait', image: 'velero', args: ['done'], volumeMounts };
  const state = { running: {} };
  const statuses = [{ name: helper.name, state, lastState: { terminated: { exitCode: 0 } } }];
  return {
    ...pod,
    spec: { ...(spec as object), initContainers: [helper] },
    status: { ...(status as object), initContainerStatuses: statuses },
  };
}
