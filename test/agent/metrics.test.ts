// What is counted when moves come and go.

import t from 'tap';
import { measuredMover } from '#agent/measured-mover.ts';
import { measuredRepositories } from '#agent/measured-repositories.ts';
import { AgentMetrics, type MoveKind, type MoveOutcome } from '#agent/metrics.ts';
import type { BackupOrder, VolumeMover } from '#agent/moves/volume-mover.ts';
import { systemClock } from '#engine/base/clock.ts';
import { EngineError } from '#engine/base/errors.ts';
import { ManualClock } from '#test/kube/manual-clock.ts';

const order: BackupOrder = {
  repository: { volumeNamespace: 'app', backupStorageLocation: 'default' },
  volume: { podUid: 'uid', podNamespace: 'app', podName: 'web', volume: 'data' },
  moveUid: 'move',
};
const { signal } = new AbortController();

function endedBytes(kind: string, outcome: string, bytes: number): string {
  return `stevedore_move_ended_bytes_total{kind="${kind}",outcome="${outcome}"} ${bytes}\n`;
}

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
        fileCount: 3,
        skippedCount: 2,
        skippedDirectoryCount: 0,
        skipped: ['a: gone', 'b: gone'],
      };
    },
    forgetUnreported: async () => {},
    async restore(_order, { onProgress }) {
      onProgress?.({ totalBytes: 7, bytesDone: 7 });
      const rest = { missingCount: 0, missing: [], fileCount: 1 };
      return { totalBytes: 7, ...rest, differenceCount: 1, differences: ['a: mode'] };
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
  t.match(text, 'stevedore_move_files_total{kind="PodVolumeBackup"} 3\n');
  t.match(text, 'stevedore_move_files_total{kind="PodVolumeRestore"} 1\n');
  t.match(text, endedBytes('PodVolumeBackup', 'completed', 40));
  t.match(text, endedBytes('PodVolumeRestore', 'completed', 7));
  t.match(text, 'stevedore_move_imperfect_entries_total{kind="PodVolumeBackup"} 2\n');
  t.match(text, 'stevedore_move_imperfect_entries_total{kind="PodVolumeRestore"} 1\n');
  t.match(text, 'stevedore_moves_imperfect_total{kind="PodVolumeBackup"} 1\n');
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
  t.match(text, endedBytes('PodVolumeBackup', 'failed', 30));
  t.match(text, 'stevedore_move_stage_seconds_count{kind="PodVolumeBackup",stage="moving"} 1\n');
});

t.test('a move that was stopped has not failed', async t => {
  using metrics = new AgentMetrics('worker-1');
  const stop = new AbortController();
  const mover = measuredMover(
    moverThat(() => {
      stop.abort();
      throw new Error('stopped');
    }),
    metrics,
    systemClock,
  );
  await t.rejects(mover.backup(order, { signal: stop.signal }), { message: 'stopped' });
  t.match(await metrics.registry.metrics(), endedBytes('PodVolumeBackup', 'stopped', 30));
});

t.test('getting a repository open is a stage, also where it fails', async t => {
  using metrics = new AgentMetrics('worker-1');
  const error = new EngineError('REPOSITORY_NOT_READY', 'no');
  const repositories = measuredRepositories(
    { acquire: () => Promise.reject(error) },
    metrics,
    systemClock,
  );
  const name = { volumeNamespace: 'app', backupStorageLocation: 'default' };
  await t.rejects(repositories.acquire(name, 'write'), { code: error.code });
  await t.rejects(repositories.acquire(name, 'read'), { code: error.code });
  const text = await metrics.registry.metrics();
  for (const kind of ['PodVolumeBackup', 'PodVolumeRestore']) {
    t.match(text, `stevedore_move_stage_seconds_count{kind="${kind}",stage="opening"} 1\n`);
  }
});

t.test('what is sent again is counted by service and reason, with how long it waited', async t => {
  using metrics = new AgentMetrics('worker-1');
  const { traffic } = metrics;
  const throttled = new EngineError('KUBE_THROTTLED', 'later');
  const target = { verb: 'list' } as const;
  traffic.requestEnded({ target, error: throttled, retryDelayMs: 2000 });
  traffic.requestEnded({ target, error: throttled });
  traffic.requestEnded({ target });
  const retry = { operation: 'get', id: 'p1', attempt: 1, delayMs: 500 } as const;
  traffic.operationRetried({ ...retry, error: new EngineError('STORAGE_THROTTLED', 'slow down') });
  traffic.operationRetried({ ...retry, error: new EngineError('STORAGE_BLOB_TRUNCATED', 'short') });
  const sample = { operation: 'get', bytes: 9, blobs: 1, durationMs: 10 } as const;
  traffic.operationEnded({ ...sample, outcome: 'ok' });
  traffic.operationEnded({ ...sample, outcome: 'STORAGE_BLOB_NOT_FOUND', bytes: 0 });
  const text = await metrics.registry.metrics();
  for (const line of [
    'stevedore_retries_total{service="kubernetes",reason="throttled"} 1',
    'stevedore_retry_wait_seconds_total{service="kubernetes",reason="throttled"} 2',
    'stevedore_retries_total{service="kubernetes",reason="timeout"} 0',
    'stevedore_retries_total{service="storage",reason="throttled"} 1',
    'stevedore_retries_total{service="storage",reason="other"} 1',
    'stevedore_retry_wait_seconds_total{service="storage",reason="throttled"} 0.5',
    'stevedore_kube_requests_total{verb="list",outcome="throttled"} 2',
    'stevedore_kube_requests_total{verb="list",outcome="ok"} 1',
    'stevedore_storage_operations_total{operation="get",outcome="absent"} 1',
    'stevedore_storage_bytes_total{operation="get"} 9',
    'stevedore_storage_operation_seconds_count{operation="get"} 2',
  ]) {
    t.match(text, `${line}\n`);
  }
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

t.test('failures are counted by codes of the one list, whatever a message ends with', async t => {
  using metrics = new AgentMetrics('worker-1');
  const move = { kind: 'DataUpload', outcome: 'failed', location: 'default' } as const;
  const messages = [
    'the disk is full (STORAGE_FULL)',
    'somebody has named a file so (SECRETS_OF_A_TENANT)',
    'interrupted: the node agent was stopped',
    undefined,
  ];
  for (const message of messages) metrics.moveEnded({ ...move, durationMs: 1, message });
  metrics.moveEnded({ ...move, outcome: 'completed', durationMs: 1, message: 'empty (USAGE)' });
  const text = await metrics.registry.metrics();
  const failures = text.split('\n').filter(line => line.startsWith('stevedore_move_failures_'));
  t.strictSame(failures, [
    'stevedore_move_failures_total{kind="DataUpload",code="STORAGE_FULL"} 1',
    'stevedore_move_failures_total{kind="DataUpload",code="other"} 3',
  ]);
});

t.test('moves of volume snapshots count under Velero’s names', async t => {
  using metrics = new AgentMetrics('worker-1');
  const end = (kind: MoveKind, outcome: MoveOutcome) =>
    metrics.moveEnded({ kind, outcome, location: 'default', durationMs: 1 });
  end('DataUpload', 'completed');
  end('DataUpload', 'canceled');
  end('DataDownload', 'failed');
  end('PodVolumeBackup', 'failed');
  const text = await metrics.registry.metrics();
  const counts = [...text.matchAll(/^podVolume_data_(\w+)_total\{node="worker-1"\} (\d)$/gm)];
  t.strictSame(Object.fromEntries(counts.map(([, name, count]) => [name, Number(count)])), {
    ...{ upload_success: 1, upload_failure: 0, upload_cancel: 1 },
    ...{ download_success: 0, download_failure: 1, download_cancel: 0 },
  });
});

t.test(
  'a move that moves nothing is seen while it runs, the one that is still longest',
  async t => {
    const clock = new ManualClock();
    using metrics = new AgentMetrics('worker-1', clock);
    const still = async (kind: MoveKind) => {
      const text = await metrics.registry.metrics();
      return new RegExp(`^stevedore_move_still_seconds\\{kind="${kind}"\\} (.*)$`, 'm').exec(
        text,
      )?.[1];
    };
    const turns = [10, 10, 20].map(bytes => ({ bytes, ended: Promise.withResolvers<void>() }));
    const begun = Promise.withResolvers<void>();
    const mover: VolumeMover = {
      ...moverThat(() => undefined),
      async restore(_order, { onProgress }) {
        for (const { bytes, ended } of turns) {
          onProgress?.({ totalBytes: 40, bytesDone: bytes });
          begun.resolve();
          await ended.promise;
        }
        throw new Error('no');
      },
    };
    t.equal(await still('PodVolumeRestore'), '0', 'without any');
    const restoring = measuredMover(mover, metrics, clock).restore(
      { ...order, snapshotId: 'k1', doneFile: 'uid' },
      { signal },
    );
    await begun.promise;
    await clock.pass(60_000);
    t.equal(await still('PodVolumeRestore'), '60');
    t.equal(await still('PodVolumeBackup'), '0');
    turns[0]?.ended.resolve();
    await clock.pass(30_000);
    t.equal(await still('PodVolumeRestore'), '90', 'what is said again is not moved');
    turns[1]?.ended.resolve();
    await new Promise(setImmediate);
    t.equal(await still('PodVolumeRestore'), '0');
    turns[2]?.ended.resolve();
    await t.rejects(restoring, { message: 'no' });
    await clock.pass(60_000);
    t.equal(await still('PodVolumeRestore'), '0', 'one that has ended does not stand still');
  },
);
