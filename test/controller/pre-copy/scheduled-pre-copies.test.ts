// A controller and an agent beside an API server: what a Schedule is about to back up is copied
// ahead, and what stands in the way of it is told to whoever asked for it.

import { mkdirSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { POD_VOLUME_BACKUPS } from '#agent/moves/objects/pod-volume-backup.ts';
import { REPOSITORIES } from '#agent/repositories/repository-objects.ts';
import { queueDocument } from '#controller/commands/queue-report.ts';
import { systemClock } from '#engine/base/clock.ts';
import { listSnapshots, openRepository } from '#engine/index.ts';
import { PODS } from '#kube/core-resources.ts';
import { EVENTS } from '#kube/events.ts';
import type { KubeObject } from '#kube/kube-object.ts';
import { askOverview } from '#proto/overview-client.ts';
import { agentFlags } from '#test/controller/agent-flags.ts';
import { startController } from '#test/controller/controller-scene.ts';
import * as velero from '#test/demo/velero-objects.ts';
import { type KubeEmulator, startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { BACKUP, ended, PASSWORD, startAgent } from '#test/support/agent-scene.ts';
import { SeededRandom } from '#test/support/random.ts';

const FILES = 50;
const FILE_BYTES = 4_000;
const LOOK_MS = 5_000;
const QUEUE_LOOK_MS = 100;
const random = new SeededRandom(21);

/** A quarter to two, from the start; the controller looks as soon as it can. */
const nightClock = (() => {
  const offsetMs = Date.parse('2026-03-02T01:45:00Z') - systemClock.now();
  const sleepMs = (ms: number) => (ms === LOOK_MS ? 1 : ms);
  return {
    ...systemClock,
    now: () => systemClock.now() + offsetMs,
    sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(sleepMs(ms), signal),
  };
})();

function nightly(api: KubeEmulator, schedule = '0 2 * * *'): void {
  const metadata = { name: 'nightly', namespace: 'velero' };
  const template = { storageLocation: 'default', includedNamespaces: [velero.NAMESPACE] };
  api.add({ kind: 'Schedule', metadata, spec: { schedule, template } });
}

async function start(t: Test, flags: readonly string[] = []) {
  const api = await startKubeEmulator({ velero: '1.18' });
  t.teardown(() => api.stop());
  const options = { api, clock: nightClock, leads: true };
  const controller = await startController(t, ['--pre-copy', ...flags], [], options);
  const { flags: joined, token } = agentFlags(t, { api, port: controller.port });
  const agent = await startAgent(t, { api, flags: joined });
  await agent.says('ready');
  return { api, controller, agent, token };
}

type Agent = Awaited<ReturnType<typeof start>>['agent'];

/** A pod that asks for it, with a volume that has files. */
async function runPod({ api, runPod: run, volumeOf }: Agent, lead = '30m', more: object = {}) {
  const pod = run('web');
  for (let index = 0; index < FILES; index++) writeTo(volumeOf(pod.uid), index);
  const containers = [{ name: 'web', image: 'web', volumeMounts: [{ name: velero.VOLUME }] }];
  const annotations = { 'stevedore.io/pre-copy': lead };
  const body = { metadata: { annotations }, spec: { containers, ...more } };
  const name = { namespace: velero.NAMESPACE, name: 'web' };
  await api.client().patch(PODS, name, { type: 'merge', body });
  return pod;
}

function writeTo(volume: string, index: number): void {
  mkdirSync(volume, { recursive: true });
  writeFileSync(`${volume}/${index}`, random.bytes(FILE_BYTES));
}

/** Of the pod, with that reason, as soon as it is there. */
async function eventOf(api: KubeEmulator, reason: string): Promise<string> {
  type Event = KubeObject & { readonly reason: string; readonly message: string };
  const client = api.client();
  const query = { namespace: velero.NAMESPACE };
  const { resourceVersion, items } = await client.list<Event>(EVENTS, query);
  const found = items.find(each => each.reason === reason);
  if (found) return found.message;
  for await (const event of client.watch<Event>(EVENTS, { ...query, resourceVersion })) {
    if (event.type !== 'BOOKMARK' && event.object.reason === reason) return event.object.message;
  }
  throw new Error('the watch has ended');
}

async function reasonsIn({ directory }: Agent): Promise<string[]> {
  const url = `file://${directory}/bucket/kopia/${velero.NAMESPACE}`;
  const owner = { user: 'default', host: 'default' };
  await using repository = await openRepository({ url, password: PASSWORD, owner });
  const snapshots = await listSnapshots(repository, { includeIncomplete: true });
  return snapshots.map(({ incomplete }) => incomplete);
}

t.test('the volume is copied ahead, and the backup reads what has changed since', async t => {
  const { api, agent, controller } = await start(t);
  await agent.makeRepository();
  const pod = await runPod(agent);
  nightly(api);
  const copied = await agent.says('volume copied ahead of its backup');
  t.match(copied, { pod: 'shop/web', volume: velero.VOLUME, location: 'default' });
  t.match(copied, { due: '2026-03-02T02:00:00.000Z', bytesRead: FILES * FILE_BYTES });
  t.strictSame(await reasonsIn(agent), ['checkpoint'], 'it is no snapshot');
  const metrics = await controller.served('/metrics');
  t.match(metrics, /^stevedore_controller_pre_copy_volumes 1$/m);
  writeTo(agent.volumeOf(pod.uid), 3);
  api.add(velero.podVolumeBackup('nightly-1', BACKUP, pod));
  const status = await ended(api, POD_VOLUME_BACKUPS, 'nightly-1');
  t.match(status, { phase: 'Completed', incrementalBytes: FILE_BYTES });
  t.strictSame(await reasonsIn(agent), [''], 'the checkpoint is gone');
  t.notOk(agent.lines.some(line => /"level":"(warn|error)"/.test(line) && /pre-copy/.test(line)));
});

t.test('before the first backup there is nothing to copy into, and the pod is told', async t => {
  const { api, agent } = await start(t);
  const name = { namespace: 'velero', name: 'shop-default-kopia' };
  await api.client().delete(REPOSITORIES, name);
  await runPod(agent);
  nightly(api);
  t.match(await agent.says('pre-copy skipped'), { pod: 'shop/web' });
  t.match(await eventOf(api, 'PreCopySkipped'), /no BackupRepository/);
});

t.test('what cannot be understood is told as well, and backups go on', async t => {
  const { api, agent, controller } = await start(t);
  await agent.makeRepository();
  const pod = await runPod(agent, 'half an hour');
  nightly(api, 'every night');
  t.match(await eventOf(api, 'PreCopyInvalid'), /stevedore.io\/pre-copy is 'half an hour'/);
  const lines = () => controller.log.lines.filter(line => /nothing is copied ahead/.test(line));
  t.match(lines().join(''), /"pod":"shop\/web"/);
  api.add(velero.podVolumeBackup('nightly-1', BACKUP, pod));
  t.match(await ended(api, POD_VOLUME_BACKUPS, 'nightly-1'), { phase: 'Completed' });
  const metrics = await controller.served('/metrics');
  t.match(metrics, /^stevedore_controller_pre_copy_faults\{kind="pod"\} 1$/m);
  t.match(metrics, /^stevedore_controller_pre_copy_faults\{kind="schedule"\} 1$/m);
  t.equal(lines().length, 2, 'each is said once');
});

t.test('a location that is read-only is told, and nothing is tried again for it', async t => {
  const { api, agent } = await start(t);
  await agent.makeRepository();
  const locations = { ...REPOSITORIES, plural: 'backupstoragelocations' };
  const patch = { type: 'merge', body: { spec: { accessMode: 'ReadOnly' } } } as const;
  await api.client().patch(locations, { namespace: 'velero', name: 'default' }, patch);
  await runPod(agent);
  nightly(api);
  t.match(await agent.says('pre-copy failed'), { error: { code: 'STORAGE_LOCATION_READ_ONLY' } });
  t.match(await eventOf(api, 'PreCopyFailed'), /accessMode is ReadOnly/);
  t.strictSame(await reasonsIn(agent), []);
});

t.test('a copy waits at the limit of the class of its claim, as moves do', async t => {
  const limits = ['--storage-class-slots', '{nfs: 0}'];
  const { api, agent, controller, token } = await start(t, limits);
  const metadata = { name: 'files', namespace: velero.NAMESPACE };
  const spec = { storageClassName: 'nfs', volumeName: 'pv-1' };
  api.add({ kind: 'PersistentVolumeClaim', metadata, spec });
  const volumes = [{ name: velero.VOLUME, persistentVolumeClaim: { claimName: 'files' } }];
  await runPod(agent, '30m', { volumes });
  nightly(api);
  const { host, port, trust } = controller;
  const look = () => askOverview({ host, port, trust, token, clock: systemClock });
  let overview = await look();
  while (overview.waiting.length === 0 && agent.lines.every(line => !/pre-copy|ahead/.test(line))) {
    await systemClock.sleep(QUEUE_LOOK_MS);
    overview = await look();
  }
  t.match(queueDocument(overview), {
    waiting: [{ move: 'PreCopy/web', storageClass: 'nfs', limit: { kind: 'class', name: 'nfs' } }],
  });
});
