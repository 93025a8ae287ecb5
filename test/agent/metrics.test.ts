// What is counted when moves come and go.

import t from 'tap';
import { measuredMover } from '#agent/measured-mover.ts';
import { AgentMetrics } from '#agent/metrics.ts';
import type { BackupOrder, VolumeMover } from '#agent/moves/volume-mover.ts';
import { systemClock } from '#engine/base/clock.ts';

const order: BackupOrder = {
  repository: { volumeNamespace: 'app', backupStorageLocation: 'default' },
  volume: { podUid: 'uid', podNamespace: 'app', podName: 'web', volume: 'data' },
  moveUid: 'move',
};
const { signal } = new AbortController();

function moverThat(end: () => void): VolumeMover {
  return {
    async backup(_order, { onProgress }) {
      for (const bytesDone of [10, 30, 20]) onProgress?.({ totalBytes: 40, bytesDone });
      end();
      return {
        snapshotId: 'k1',
        totalBytes: 40,
        incrementalBytes: 5,
        isEmpty: false,
        skippedCount: 2,
        skippedDirectoryCount: 0,
        skipped: ['a: gone', 'b: gone'],
      };
    },
    forgetUnreported: async () => {},
    async restore(_order, { onProgress }) {
      onProgress?.({ totalBytes: 7, bytesDone: 7 });
      const missing = { missingCount: 0, missing: [] };
      return { totalBytes: 7, ...missing, differenceCount: 1, differences: ['a: mode'] };
    },
  };
}

t.test('bytes are counted once, as they go and to the end', async t => {
  using metrics = new AgentMetrics('worker-1');
  const seen: number[] = [];
  const mover = measuredMover(
    moverThat(() => {}),
    metrics,
    systemClock,
  );
  const onProgress = ({ bytesDone }: { bytesDone: number }) => seen.push(bytesDone);
  t.equal((await mover.backup(order, { signal, onProgress })).snapshotId, 'k1');
  await mover.restore({ ...order, snapshotId: 'k1', doneFile: 'uid' }, { signal });
  const text = await metrics.registry.metrics();
  t.strictSame(seen, [10, 30, 20], 'progress is passed on as it comes');
  t.match(text, 'stevedore_move_bytes_total{kind="PodVolumeBackup"} 40\n');
  t.match(text, 'stevedore_move_bytes_total{kind="PodVolumeRestore"} 7\n');
  t.match(text, 'stevedore_backup_new_bytes_total 5\n');
  t.match(text, 'stevedore_move_imperfect_entries_total{kind="PodVolumeBackup"} 2\n');
  t.match(text, 'stevedore_move_imperfect_entries_total{kind="PodVolumeRestore"} 1\n');
});

t.test('a move that fails is counted up to where it came', async t => {
  using metrics = new AgentMetrics('worker-1');
  let during = Promise.resolve('');
  const mover = measuredMover(
    moverThat(() => {
      during = metrics.registry.metrics();
      throw new Error('no');
    }),
    metrics,
    systemClock,
  );
  await t.rejects(mover.backup(order, { signal }), { message: 'no' });
  const text = await metrics.registry.metrics();
  t.match(await during, 'stevedore_moves_running{kind="PodVolumeBackup"} 1\n');
  t.match(text, 'stevedore_moves_running{kind="PodVolumeBackup"} 0\n');
  t.match(text, 'stevedore_move_bytes_total{kind="PodVolumeBackup"} 30\n');
  t.match(text, 'stevedore_move_stage_seconds_count{kind="PodVolumeBackup",stage="moving"} 1\n');
});

t.test("Velero's counters go on under their names, without a series for each volume", async t => {
  using metrics = new AgentMetrics('worker-1');
  for (let index = 0; index < 3; index++) {
    metrics.moveStarted('PodVolumeBackup');
    const move = { kind: 'PodVolumeBackup', location: 'default', durationMs: 61_000 } as const;
    metrics.moveEnded({ ...move, outcome: index === 0 ? 'failed' : 'completed' });
  }
  const text = await metrics.registry.metrics();
  t.match(text, 'podVolume_pod_volume_backup_enqueue_count{node="worker-1"} 3\n');
  t.match(text, 'podVolume_pod_volume_backup_dequeue_count{node="worker-1"} 2\n');
  t.match(text, 'stevedore_moves_total{kind="PodVolumeBackup",outcome="failed"} 1\n');
  const series = text.split('\n').filter(line => line.includes('_latency_seconds_count{'));
  t.strictSame(series, [
    'podVolume_pod_volume_operation_latency_seconds_count{node="worker-1",' +
      'operation="default-kopia-backup",backupName="",pod_volume_backup=""} 2',
  ]);
});
