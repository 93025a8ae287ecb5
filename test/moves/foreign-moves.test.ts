// What other data movers are to move lies in the same namespace: Velero's own beside us, and those
// of vendors. Whatever becomes of it is theirs.

import t from 'tap';
import { dataDownloads } from '#agent/moves/data-downloads.ts';
import { dataUploads } from '#agent/moves/data-uploads.ts';
import { exposureSettings } from '#agent/moves/exposure-settings.ts';
import { DEFAULT_EXPOSURE } from '#agent/moves/exposure-config.ts';
import { ASSUMED_RULES } from '#agent/moves/crd-phases.ts';
import type { DataMover, ExposedItem } from '#agent/moves/exposed-moves.ts';
import type { MoveAdapter } from '#agent/moves/move-adapter.ts';
import { MoveReconciler } from '#agent/moves/move-reconciler.ts';
import type { DataDownload } from '#agent/moves/objects/data-download.ts';
import type { DataUpload } from '#agent/moves/objects/data-upload.ts';
import { DATA_MOVE_FINALIZER, LABELS } from '#agent/moves/objects/well-known-names.ts';
import type { Pod } from '#agent/moves/objects/pod.ts';
import { type Phase, PHASES } from '#agent/moves/phases.ts';
import { Slots } from '#agent/moves/slots.ts';
import { systemClock } from '#engine/base/clock.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import { ScriptedMover } from './scripted-mover.ts';

const NAME = 'nightly-x7k2p';
const KEY = `velero/${NAME}` as const;
const NODE = 'worker-1';
const TWO_HOURS_MS = 2 * 3_600_000;

/** As whom we run, and for whom the object is. */
const MOVERS: readonly (readonly [DataMover, string])[] = [
  ['stevedore', ''],
  ['stevedore', 'velero'],
  ['stevedore', 'acme.io/mover'],
  ['velero', 'acme.io/mover'],
];

const ENDS = {
  'goes on': { spec: {}, metadata: {} },
  'is cancelled': { spec: { cancel: true }, metadata: {} },
  'is deleted': { spec: {}, metadata: { deletionTimestamp: '2026-06-01T02:00:05Z' } },
};

/** Of stock, here, and at its end: for one of ours that would have to be written down. */
const POD: Pod = {
  metadata: {
    ...{ namespace: 'velero', name: NAME, uid: 'p' },
    labels: { [LABELS.dataUpload]: NAME, [LABELS.dataDownload]: NAME },
  },
  status: { phase: 'Succeeded' },
};

const never = () => Promise.reject(new Error('nothing is done for it'));
const SHARED = {
  settings: exposureSettings(DEFAULT_EXPOSURE, 'pause'),
  ensureRepository: never,
};

for (const [dataMover, datamover] of MOVERS) {
  t.test(`as ${dataMover}, what is for ${datamover || 'nobody'} is left as it is`, async t => {
    for (const phase of PHASES) {
      for (const [which, end] of Object.entries(ENDS)) {
        for (const node of ['worker-2', NODE]) {
          const move = moveOf({ phase, node, datamover, ...end });
          const what = `that is ${phase}, of ${node}, and ${which}`;
          t.same(await play(move, uploads(dataMover)), [], `an upload ${what}`);
          t.same(await play(move, downloads(dataMover)), [], `a download ${what}`);
        }
      }
    }
  });
}

interface MoveParts {
  readonly phase: Phase;
  readonly node: string;
  readonly datamover: string;
  readonly spec: object;
  readonly metadata: object;
}

/** With the fields of both kinds. */
function moveOf({ phase, node, datamover, spec, metadata }: MoveParts): DataUpload & DataDownload {
  const object = {
    metadata: {
      ...{ namespace: 'velero', name: NAME, uid: 'u', resourceVersion: '1', ...metadata },
      finalizers: [DATA_MOVE_FINALIZER],
    },
    spec: {
      ...{ snapshotType: 'CSI', csiSnapshot: { volumeSnapshot: 's', storageClass: 'fast' } },
      ...{ sourceNamespace: 'shop', sourcePVC: 'data', backupStorageLocation: 'default' },
      ...{ targetVolume: { namespace: 'shop', pvc: 'data', pv: '' }, ...spec, datamover },
    },
    status: {
      ...{ phase, node, acceptedByNode: node },
      acceptedTimestamp: '2026-06-01T02:00:00Z',
    },
  };
  // As the API server has it: a phase is a text, and an absent field is not there.
  return object as unknown as DataUpload & DataDownload;
}

function uploads(dataMover: DataMover): MoveAdapter<DataUpload> {
  return dataUploads({ ...SHARED, dataMover, exposer: { expose: never, withdraw: never } });
}

function downloads(dataMover: DataMover): MoveAdapter<DataDownload> {
  const exposer = { expose: never, withdraw: never, isFilled: never, rebind: never };
  return dataDownloads({ ...SHARED, dataMover, exposer, clock: systemClock, bindingMs: 1 });
}

/** All that is asked and told while it is looked at for two hours, and when the agent ends. */
async function play<Item extends ExposedItem>(item: Item, adapter: MoveAdapter<Item>) {
  const done: string[] = [];
  // Whatever is asked of the server would be too much.
  const client = new Proxy({} as KubeClient, {
    get: (_, verb) => async () => {
      done.push(String(verb));
      throw new Error(`${String(verb)} was asked`);
    },
  });
  let nowMs = Date.parse('2026-06-01T02:00:00Z');
  const reconciler = new MoveReconciler<Item>(
    {
      ...{ client, adapter, mover: new ScriptedMover(), slots: new Slots(1) },
      objects: { get: () => item, list: () => [item] },
      site: { nodeName: NODE, pods: new Map([[KEY, POD]]) },
      ...{ rules: ASSUMED_RULES, serverVersion: { current: async () => '1.18.1' } },
      clock: { ...systemClock, now: () => nowMs, monotonic: () => nowMs },
      enqueue: () => done.push('enqueue'),
      report: ({ type }) => done.push(type),
    },
    { prepareTimeoutMs: 1000 },
  );
  const look = async () => {
    const { requeueAfterMs } = await reconciler.reconcile(KEY).catch(() => ({ requeueAfterMs: 1 }));
    if (requeueAfterMs !== undefined) done.push('look again');
  };
  await look();
  nowMs += TWO_HOURS_MS;
  await look();
  await reconciler.stop({ graceMs: 80, hasSuccessor: false, stopLoop: async () => {} });
  return done;
}
