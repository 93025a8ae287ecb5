// What ends before an agent has accepted it: its snapshot was made for it, and goes all the same.

import t from 'tap';
import { dataUploads } from '#agent/moves/data-uploads.ts';
import { exposureSettings } from '#agent/moves/exposure-settings.ts';
import { DEFAULT_EXPOSURE } from '#agent/moves/exposure-config.ts';
import { MoveReconciler } from '#agent/moves/move-reconciler.ts';
import { readStatusRules } from '#agent/moves/crd-phases.ts';
import { DATA_UPLOADS, type DataUpload } from '#agent/moves/objects/data-upload.ts';
import { Slots } from '#agent/moves/slots.ts';
import { systemClock } from '#engine/base/clock.ts';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { ScriptedMover } from './scripted-mover.ts';

const NAME = { namespace: 'velero', name: 'nightly-x7k2p' };
const SPEC = {
  snapshotType: 'CSI',
  csiSnapshot: { volumeSnapshot: 'velero-data', storageClass: 'fast', snapshotClass: '' },
  sourceNamespace: 'shop',
  sourcePVC: 'data',
  backupStorageLocation: 'default',
  operationTimeout: '10m',
};

const ENDS = {
  Canceled: { cancel: true },
  Failed: { snapshotType: 'Other', csiSnapshot: undefined },
};

for (const [phase, spec] of Object.entries(ENDS)) {
  t.test(`one that is ${phase} while it is New lets its snapshot go, once`, async t => {
    const api = await startKubeEmulator({ velero: '1.18' });
    t.teardown(() => api.stop());
    const client = api.client();
    await client.create(DATA_UPLOADS, {
      apiVersion: 'velero.io/v2alpha1',
      kind: 'DataUpload',
      metadata: NAME,
      spec: { ...SPEC, ...spec },
    });
    const withdrawnBy: string[] = [];
    const rules = await readStatusRules(client, DATA_UPLOADS);
    const agent = async (nodeName: string) => {
      const item = await client.get<DataUpload>(DATA_UPLOADS, NAME);
      const exposer = {
        expose: () => Promise.reject(new Error('nothing is made for it')),
        withdraw: async () => {
          withdrawnBy.push(nodeName);
          return { type: 'withdrawn' } as const;
        },
      };
      const settings = exposureSettings(DEFAULT_EXPOSURE, 'pause');
      const parts = {
        exposer,
        settings,
        dataMover: 'velero',
        ensureRepository: async () => {},
      } as const;
      const adapter = dataUploads(parts);
      return new MoveReconciler<DataUpload>(
        {
          client,
          adapter,
          objects: { get: () => item, list: () => [item] },
          site: { nodeName, pods: new Map() },
          mover: new ScriptedMover(),
          slots: new Slots(1),
          rules,
          serverVersion: { current: async () => '1.18.1' },
          clock: systemClock,
          enqueue: () => {},
          report: () => {},
        },
        { prepareTimeoutMs: 1000 },
      );
    };
    const agents = [await agent('worker-1'), await agent('worker-2')];
    const key = `${NAME.namespace}/${NAME.name}` as const;
    for (const each of agents) await each.reconcile(key);
    const ended = await client.get<DataUpload>(DATA_UPLOADS, NAME);
    t.equal(ended.status?.phase, phase);
    t.same(withdrawnBy, ['worker-1']);
    t.same(ended.metadata.finalizers ?? [], []);
    t.same(ended.metadata.labels ?? {}, {});
  });
}
