// The whole agent in this process, against the API emulator: what an operator meets.

import { existsSync, readFileSync, watch } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import {
  POD_VOLUME_BACKUPS,
  type PodVolumeBackup,
} from '#agent/moves/objects/pod-volume-backup.ts';
import { POD_VOLUME_RESTORES } from '#agent/moves/objects/pod-volume-restore.ts';
import { systemClock } from '#engine/base/clock.ts';
import * as velero from '#test/demo/velero-objects.ts';
import type { KubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { until } from '#test/kube/manual-clock.ts';
import { BACKUP, ended, PASSWORD, RESTORE, startAgent } from '#test/support/agent-scene.ts';

t.test('a volume is backed up and comes back, is counted, and no secret is said', async t => {
  const { api, lines, says, volumeOf, makeRepository, runPod } = await startAgent(t);
  await makeRepository();
  const { uid } = runPod('web', 'what was there');
  const { port } = await says('metrics are served');
  await says('ready');

  api.add(velero.podVolumeBackup('daily-1', BACKUP, { name: 'web', uid }));
  const backup = await ended(api, POD_VOLUME_BACKUPS, 'daily-1');
  t.match(backup, { phase: 'Completed', progress: { totalBytes: 14, bytesDone: 14 } });

  api.remove(
    { ...POD_VOLUME_BACKUPS, group: '', plural: 'pods' },
    { namespace: 'shop', name: 'web' },
  );
  const restored = runPod('web', undefined, { waiting: 'running' });
  const second = restored.uid;
  const snapshotId = String(backup?.snapshotID);
  api.add(velero.podVolumeRestore('restored-1', RESTORE, { restored, snapshotId }));
  t.match(await ended(api, POD_VOLUME_RESTORES, 'restored-1'), { phase: 'Completed' });
  t.equal(readFileSync(join(volumeOf(second), 'file'), 'utf8'), 'what was there');
  const done = join(volumeOf(second), '.velero', RESTORE.uid);
  t.ok(existsSync(done));
  const gone = new Promise<void>(resolve => {
    const watcher = watch(volumeOf(second), () => {
      if (existsSync(dirname(done))) return;
      watcher.close();
      resolve();
    });
  });
  api.put(velero.pod('web', { waiting: 'done' }));
  await gone;
  // The node was rebooted, and the helper looks for the file once more (velero#8018).
  api.put(velero.pod('web', { waiting: 'running' }));
  await says('a pod is told again that its volume is restored');
  t.ok(existsSync(done));

  const metrics = await (await fetch(`http://127.0.0.1:${String(port)}/metrics`)).text();
  t.match(metrics, 'stevedore_moves_total{kind="PodVolumeBackup",outcome="completed"} 1\n');
  t.match(metrics, 'stevedore_moves_total{kind="PodVolumeRestore",outcome="completed"} 1\n');
  t.match(metrics, 'stevedore_move_bytes_total{kind="PodVolumeRestore"} 14\n');
  t.match(metrics, 'stevedore_move_files_total{kind="PodVolumeRestore"} 1\n');
  t.match(metrics, /_storage_operations_total\{operation="put",outcome="ok"\} [1-9]/);
  t.match(metrics, /_kube_requests_total\{verb="watch",outcome="ok"\} [1-9]/);
  t.match(metrics, /_stage_seconds_count\{kind="PodVolumeRestore",stage="opening"\} 1\n/);
  t.match(metrics, 'podVolume_pod_volume_backup_dequeue_count{node="worker-1"} 1\n');
  t.match(metrics, 'stevedore_slots{state="total"} 1\n');
  t.match(metrics, 'stevedore_backup_repositories{phase="Ready"} 1\n');
  t.notMatch(lines.join(''), PASSWORD);
  t.equal((await fetch(`http://127.0.0.1:${String(port)}/readyz`)).status, 200);

  const moves = ['podvolumebackups', 'podvolumerestores', 'datauploads', 'datadownloads'];
  for (const kind of [...moves, 'pods', 'backuprepositories']) {
    t.equal(api.watchCount(kind), 1, `one watch of ${kind}`);
  }
  t.equal(api.watchCount(), 6, 'and no other');
  const watched = api.requests.filter(
    ({ verb, resource }) => verb === 'watch' && resource === 'pods',
  );
  t.match(watched.at(-1)?.path, /spec\.nodeName(=|%3D)worker-1/, 'of this node alone');
});

t.test('what a stock mover pod ends with after the upgrade is its move’s end', async t => {
  const { api, says } = await startAgent(t);
  const move = velero.podVolumeBackup('daily-1', BACKUP, { name: 'web', uid: 'of-web' });
  const status = { phase: 'InProgress', startTimestamp: '2026-01-01T00:00:00Z' };
  const { uid = '' } = api.add({ ...move, status }).metadata;
  const moverPod = (phase: string, message?: string) => ({
    kind: 'Pod',
    metadata: {
      name: 'daily-1',
      namespace: 'velero',
      labels: { 'velero.io/pod-volume-backup': 'daily-1' },
      ownerReferences: [
        { apiVersion: 'velero.io/v1', kind: 'PodVolumeBackup', name: 'daily-1', uid },
      ],
    },
    spec: { nodeName: velero.NODE, containers: [{ name: uid, image: 'velero' }] },
    status: {
      phase,
      ...(message && { containerStatuses: [{ name: uid, state: { terminated: { message } } }] }),
    },
  });
  api.add(moverPod('Running'));
  await says('ready');
  const result = { snapshotID: 'of-stock', totalBytes: 7, incrementalBytes: 7 };
  api.put(moverPod('Succeeded', JSON.stringify(result)));
  t.match(await ended(api, POD_VOLUME_BACKUPS, 'daily-1'), {
    phase: 'Completed',
    snapshotID: 'of-stock',
  });
});

t.test('it ends at once while it still waits for what is missing', async t => {
  const { says, stop } = await startAgent(t, {
    prepare: api => api.access.deny({ plural: 'podvolumebackups' }),
  });
  await says('the agent cannot work yet');
  await stop();
  t.pass('it has ended');
});

t.test('moves at once are those of the ConfigMap, and what has no effect is said', async t => {
  const config = { loadConcurrency: { globalConfig: 3 }, privilegedFsBackup: true };
  const metadata = { name: 'node-agent-config', namespace: 'velero' };
  const prepare = (api: KubeEmulator) =>
    void api.add({ kind: 'ConfigMap', metadata, data: { any: JSON.stringify(config) } });
  const { says } = await startAgent(t, {
    prepare,
    flags: ['--node-agent-configmap', metadata.name],
  });
  t.match(await says('ready'), { slots: 3 });
  t.match(await says('setting without effect'), { notice: /^privilegedFsBackup has no effect/ });
});

t.test('a ConfigMap that is missing is said, and one move runs at a time', async t => {
  const { says } = await startAgent(t, { flags: ['--node-agent-configmap', 'none'] });
  t.match(await says('ready'), { slots: 1 });
  await says('the ConfigMap cannot be read; one move runs at a time');
});

t.test('pods that are listed late are not taken for pods that are gone', async t => {
  let isLate = true;
  const fault = { plural: 'pods', verb: 'list', times: Infinity, when: () => isLate } as const;
  const refusing = { ...fault, effect: { type: 'status', code: 503 } } as const;
  const prepare = (api: KubeEmulator) => {
    const { uid = '' } = api.add(velero.pod('web', { waiting: 'running' })).metadata;
    const move = { restored: { name: 'web', uid }, snapshotId: 'f'.repeat(32) };
    const restore = velero.podVolumeRestore('restored-1', RESTORE, move);
    api.add({ ...restore, status: { phase: 'Accepted', node: velero.NODE } });
    api.faults.inject(refusing);
  };
  const { api, says } = await startAgent(t, { prepare });
  t.match(await says('watch was interrupted'), { what: 'pods' });
  const asked = () => api.requests.map(({ verb, resource = '' }) => `${verb} ${resource}`);
  while (!asked().includes('watch podvolumerestores.velero.io')) await systemClock.sleep(1);
  const before = asked().length;
  while (!asked().slice(before).includes('list pods')) await systemClock.sleep(1);
  t.match(api.objects(POD_VOLUME_RESTORES, 'velero'), [{ status: { phase: 'Accepted' } }]);
  isLate = false;
  // There is nothing of it on this node; it is looked for all the same.
  t.match(await ended(api, POD_VOLUME_RESTORES, 'restored-1'), {
    phase: 'Failed',
    message: /\(VOLUME_NOT_FOUND\)$/,
  });
});

t.test('a flag that changes nothing is accepted, and said once', async t => {
  const { lines, says } = await startAgent(t, {
    flags: ['--v=4', '--features=EnableCSI'],
  });
  await says('ready');
  const said = lines.filter(line => line.includes('accepted, without effect'));
  t.strictSame(
    said.map(line => (JSON.parse(line) as { what: string }).what),
    ['--features', '--v'],
  );
});

t.test('a setting of the uploader that changes nothing is said once', async t => {
  const { api, lines, says, runPod } = await startAgent(t);
  await says('ready');
  const web = runPod('web');
  for (const name of ['daily-1', 'daily-2']) {
    const move = velero.podVolumeBackup(name, BACKUP, web);
    const uploaderSettings = { ParallelFilesUpload: '8' };
    api.add({ ...move, spec: { ...(move.spec as object), uploaderSettings } });
    await ended(api, POD_VOLUME_BACKUPS, name);
  }
  const said = lines.filter(line => line.includes('setting without effect'));
  t.equal(said.length, 1);
  t.match(said[0], 'ParallelFilesUpload has no effect: threads and memory of the process decide');
});

t.test('an agent that is stopped knows its own image again in the DaemonSet', async t => {
  const image = 'registry.example/stevedore:0.1.0';
  const name = 'node-agent';
  for (const next of [image, 'velero/velero:v1.18.1']) {
    const prepare = (api: KubeEmulator) => {
      const spec = { containers: [{ name, image: next }] };
      const metadata = { name, namespace: 'velero' };
      const { uid = '' } = api.add({
        kind: 'DaemonSet',
        metadata,
        spec: { template: { spec } },
      }).metadata;
      const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name, uid, controller: true };
      api.add({
        kind: 'Pod',
        metadata: { name: hostname(), namespace: 'velero', ownerReferences: [owner] },
        spec: { nodeName: velero.NODE, containers: [{ name, image }] },
      });
    };
    const { says, stop } = await startAgent(t, { prepare });
    await says('ready');
    await stop();
    const said = await says('it is known whether an agent of ours follows');
    t.match(said, { isFollowed: next === image }, next);
  }
});

t.test('no move begins while it is asked who follows', async t => {
  const { api, says, stop, runPod } = await startAgent(t, { flags: ['--shutdown-grace', '5s'] });
  await says('ready');
  const pod = runPod('web', 'text');
  const asked = api.faults.inject({ effect: { type: 'silence' }, plural: 'daemonsets' });
  const stopped = stop();
  await until(() => asked.count === 1);
  api.add(velero.podVolumeBackup('daily-1', BACKUP, pod));
  await stopped;
  const name = { namespace: 'velero', name: 'daily-1' };
  t.equal(api.object<PodVolumeBackup>(POD_VOLUME_BACKUPS, name)?.status?.phase, undefined);
});
