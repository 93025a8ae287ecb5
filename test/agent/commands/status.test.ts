// `stevedore status` against an API server that is emulated, with a controller and without.

import { readFileSync } from 'node:fs';
import t from 'tap';
import { STORAGE_LOCATIONS } from '#agent/repositories/repository-objects.ts';
import { startReachable } from '#test/controller/commands/reachable-controller.ts';
import { KeepingAgent, SpeakingAgent } from '#test/controller/wire-agent.ts';
import type { KubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { backedUpCluster } from './backed-up-cluster.ts';
import { cells, runCluster } from './run-cluster.ts';

const ago = (ms: number) => new Date(Date.now() - ms).toISOString().replace(/\.\d+Z$/, 'Z');

function addMove(api: KubeEmulator, name: string, status: object, node = 'n1') {
  api.add({
    ...{ apiVersion: 'velero.io/v1', kind: 'PodVolumeBackup' },
    metadata: { name, namespace: 'velero' },
    spec: {
      ...{ backupStorageLocation: 'default', node, repoIdentifier: '', volume: 'data' },
      pod: { kind: 'Pod', namespace: 'shop', name: 'db-0', uid: 'u' },
    },
    status,
  });
}

async function statusOf(kubeconfig: string, ...words: string[]) {
  return await runCluster(['status', ...words], { kubeconfig, isPlugin: true });
}

t.test('without a controller: what is wrong first, what moves, and why what waits', async t => {
  const { api, kubeconfig } = await backedUpCluster(t);
  const progress = { totalBytes: 4 * 2 ** 20, bytesDone: 2 ** 20 };
  addMove(api, 'moves', { phase: 'InProgress', startTimestamp: ago(10_000), progress });
  addMove(api, 'waits', {}, 'n9');
  const hostile = { phase: 'Failed', message: 'no \u001b[31mroom (CACHE_NO_ROOM)' };
  addMove(api, 'failed', { ...hostile, completionTimestamp: ago(60_000) });
  addMove(api, 'long-ago', { phase: 'Failed', completionTimestamp: ago(50 * 3_600_000) });
  api.change(STORAGE_LOCATIONS, { namespace: 'velero', name: 'default' }, location => {
    location.status = { phase: 'Unavailable', message: 'access denied' };
  });
  const { status, stdout, stderr } = await statusOf(kubeconfig);
  t.equal(status, 0, stderr);
  t.match(stdout, /^Namespace velero: 4 things to look at\n/);
  t.match(stdout, /! agents +node-agent is Velero v1\.18\.1, 0 of 0 ready/);
  t.match(stdout, / {2}controller +there is none; each node goes by its own limits/);
  t.match(
    stdout,
    /! locations +default is Unavailable: access denied\n +-> velero backup-location/,
  );
  t.match(stdout, / {2}repositories +the one there is ready/);
  t.match(
    stdout,
    /pvb\/failed \(shop\/db-0\/data\) is Failed: no \\x1b\[31mroom \(CACHE_NO_ROOM\)/,
  );
  t.match(stdout, /-> docs\/errors\.md#cache_no_room/);
  t.notMatch(stdout, 'long-ago');
  const lines = cells(stdout);
  const moving = lines[lines.indexOf('Moving') + 2];
  t.match(moving, /^pvb\/moves \| shop\/db-0\/data \| n1 \| InProgress \| 1 MiB, 25 % \|.* s \|/);
  t.match(stdout, /pvb\/waits +shop\/db-0\/data +n9 +New .* The node n9 is not in the cluster/);
  t.notMatch(stdout, '\u001b');
  t.ok(api.requests.every(({ method }) => method === 'GET'));
});

t.test('with a controller: who leads, its reasons, rates and caches', async t => {
  const { kubeconfig: path, ...scene } = await startReachable(t, ['--cluster-slots', '1'], true);
  const { api } = scene;
  const kubeconfig = readFileSync(path, 'utf8');
  addMove(api, 'a', { phase: 'InProgress', startTimestamp: ago(10_000) });
  addMove(api, 'b', { phase: 'Prepared' });
  const agent = new KeepingAgent(t, scene, 'n1');
  agent.want('x', 7);
  await agent.until(() => agent.started.includes('x'));
  const other = new SpeakingAgent(t, scene, 'n2');
  const cache = { limitBytes: 2 * 2 ** 20, usedBytes: 2 ** 20 };
  const memory = { usedBytes: 1 };
  other.say({ heartbeat: { diskFreeBytes: 3 * 2 ** 20, cache, memory, moves: [] } });
  const volume = { id: 'y', namespace: 'shop', pod: 'db-0', location: 'default' };
  const named = { ...volume, move: 'PodVolumeBackup/b', volumeName: 'data' };
  const requests = [{ volume: named, number: 1, priority: 3, waitedMs: 60_000 }];
  other.say({ slots: { sequence: 1, epoch: 0, sentAtMs: 0, slotsMax: 2, requests, holds: [] } });
  await other.hears(({ slots }) => Boolean(slots));
  const { status, stdout, stderr } = await statusOf(kubeconfig);
  t.equal(status, 0, stderr);
  t.match(stdout, / {2}controller +version test, 1 of 1 ready, \S+ leads\n/);
  t.match(stdout, /pvb\/b .* place 1 of the queue: the limit of the cluster is reached/);
  t.match(cells(stdout).join('\n'), /\nn2 \| 1 MiB \| 2 MiB \| 50 % \| 3 MiB\n/);
  const document = JSON.parse((await statusOf(kubeconfig, '-o', 'json')).stdout) as object;
  t.match(document, {
    controller: { ready: 1, wanted: 1, isStarting: false },
    waiting: [{ name: 'b', why: 'place 1 of the queue: the limit of the cluster is reached' }],
    caches: [{ node: 'n2', usedBytes: 2 ** 20, limitBytes: 2 * 2 ** 20 }],
    unseen: [],
  });
});

t.test('with rights to read alone it works, and says what it did not see', async t => {
  const { api, kubeconfig: path } = await startReachable(t);
  const kubeconfig = readFileSync(path, 'utf8');
  addMove(api, 'waits', {});
  for (const verb of ['create', 'update', 'patch', 'delete'] as const) api.access.deny({ verb });
  for (const plural of ['secrets', 'daemonsets', 'datauploads']) api.access.deny({ plural });
  const { status, stdout, stderr } = await statusOf(kubeconfig);
  t.equal(status, 0, stderr);
  t.match(stdout, /^Namespace velero: [^\n]*, of what was seen\n/);
  t.match(stdout, / {2}controller +version \S*, 1 of 1 ready, \S+ leads/, 'the Lease says who');
  const [, unseen = ''] = stdout.split('\nNot seen\n');
  for (const what of ['DaemonSets of agents: ', 'what the controller knows', 'datauploads: '])
    t.match(unseen, what);
  t.match(stdout, 'pvb/waits');
});

t.test('what is not to be found out about one thing hides none of the others', async t => {
  const { api, kubeconfig: path } = await startReachable(t);
  const kubeconfig = readFileSync(path, 'utf8');
  addMove(api, 'waits', {});
  const labels = { 'app.kubernetes.io/name': 'stevedore-controller' };
  api.add({
    ...{ kind: 'Pod', metadata: { name: 'controller-z', namespace: 'velero', labels } },
    ...{ spec: {}, status: { phase: 'Failed', reason: 'Evicted' } },
  });
  const effect = { type: 'status', code: 400, reason: 'BadRequest' } as const;
  for (const plural of ['nodes', 'leases']) api.faults.inject({ plural, effect, times: Infinity });
  const { status, stdout, stderr } = await statusOf(kubeconfig);
  t.equal(status, 0, stderr);
  t.match(stdout, 'pvb/waits');
  const [, unseen = ''] = stdout.split('\nNot seen\n');
  for (const what of ['why pvb/waits waits: ', 'leader of the controller: ']) t.match(unseen, what);
  api.faults.clear();
  t.match((await statusOf(kubeconfig)).stdout, '1 of 1 ready', 'the one evicted is not missed');
});

t.test('without an API server, and in a namespace that is not there, it is an error', async t => {
  const { api, kubeconfig } = await backedUpCluster(t);
  t.match(await statusOf(kubeconfig, '-n', 'elsewhere'), { status: 1, stderr: /no namespace/ });
  await api.stop();
  t.match(await statusOf(kubeconfig), { status: 1, stderr: /KUBE_UNAVAILABLE/ });
});
