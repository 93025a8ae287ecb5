// Mover pods of stock agents, as Velero 1.18.1 makes and leaves them.

import t from 'tap';
import type { Pod } from '#agent/moves/objects/pod.ts';
import type { StockPodState } from '#agent/moves/phase-machine.ts';
import { podVolumeBackups } from '#agent/moves/pod-volume-backups.ts';
import { podVolumeRestores } from '#agent/moves/pod-volume-restores.ts';
import { findStockPod, stockPodState, stockResultOf } from '#agent/moves/stock-pod.ts';
import { endedStatus, newBackup, stockMoverPod } from './velero-objects.ts';

const BACKUP = {
  snapshotID: '20e8e2e4c632fdf9387d6e675b9fe40e',
  emptySnapshot: false,
  source: { byPath: '/2269eadc-33b7-4432-9f05-01df5b8d03cc', volumeMode: 'Filesystem' },
  totalBytes: 85_043_699,
  incrementalBytes: 85_043_699,
};
const MOVE = { name: 'b1-khtwg', uid: 'u-1', kind: 'PodVolumeBackup' };

function podWith(status: NonNullable<Pod['status']>, deletionTimestamp?: string): Pod {
  const pod = stockMoverPod(MOVE, status);
  return { ...pod, metadata: { ...pod.metadata, deletionTimestamp } };
}

t.test('a mover pod has a state', async t => {
  const done = endedStatus('Succeeded', JSON.stringify(BACKUP));
  const time = '2026-06-01T02:00:05Z';
  const rows: readonly [pod: Pod | undefined, state: StockPodState][] = [
    [undefined, 'none'],
    [podWith({}), 'running'],
    [podWith({ phase: 'Pending' }), 'running'],
    [podWith({ phase: 'Running' }), 'running'],
    [podWith({ phase: 'Running' }, time), 'leaving'],
    [podWith(done), 'completed'],
    // Stock deletes the pod before it writes what came of it.
    [podWith(done, time), 'completed'],
    [podWith(endedStatus('Succeeded', JSON.stringify(BACKUP).slice(0, 40))), 'failed'],
    [podWith(endedStatus('Succeeded', '')), 'failed'],
    [podWith(endedStatus('Failed', 'no such repository')), 'failed'],
    [podWith(endedStatus('Failed', 'fail to run: data path is canceled\n')), 'cancelled'],
  ];
  for (const [pod, state] of rows) t.equal(stockPodState(pod), state);
});

t.test(
  'a pod of the name is a mover pod when the object owns it and the label is there',
  async t => {
    const backup = newBackup({ name: MOVE.name });
    const item = { ...backup, metadata: { ...backup.metadata, uid: MOVE.uid } };
    const find = (pod: Pod) =>
      findStockPod(item, podVolumeBackups.stockPodLabel, {
        nodeName: 'worker-1',
        pods: new Map([[`velero/${MOVE.name}`, pod]]),
      });
    t.ok(find(podWith({})));
    t.notOk(find(stockMoverPod({ ...MOVE, uid: 'u-2' }, {})));
    t.notOk(find(stockMoverPod({ ...MOVE, kind: 'PodVolumeRestore' }, {})));
  },
);

t.test('what it leaves becomes the status that stock would have written', async t => {
  const result = stockResultOf(podWith(endedStatus('Succeeded', JSON.stringify(BACKUP))));
  t.strictSame(result && podVolumeBackups.successOfStock(result), {
    status: {
      path: BACKUP.source.byPath,
      snapshotID: BACKUP.snapshotID,
      incrementalBytes: BACKUP.incrementalBytes,
    },
    totalBytes: BACKUP.totalBytes,
    message: undefined,
  });
  t.equal(podVolumeBackups.successOfStock({ totalBytes: 5 }), undefined);
  t.strictSame(podVolumeRestores.successOfStock({ totalBytes: 5 }), { status: {}, totalBytes: 5 });
});
