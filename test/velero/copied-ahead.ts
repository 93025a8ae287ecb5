// A volume is copied ahead of the backup that a Schedule of stock Velero is about to make, as our
// controller says it to our agent: both are processes of the machine beside the cluster.

import { randomBytes } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { TOKEN_AUDIENCE } from '#proto/wire-limits.ts';
import type { ApiObject } from '#test/cluster/api-client.ts';
import { ChildProgram } from '#test/cluster/child-program.ts';
import { REPOSITORY_ROOT } from '#test/tidy/source-files.ts';
import { agentMetric } from './agent-metrics.ts';
import { type Installation, VELERO } from './installation.ts';
import { createBackup, pathOfMove, untilEnded, volumeMoves } from './moves.ts';
import type { Scenario, World } from './scenario.ts';
import { openStored, savedStates, untilSavedStates } from './stored-snapshots.ts';
import { fillWithBytes } from './volume-content.ts';
import { Workload } from './workload.ts';

export const COPIED_AHEAD: readonly Scenario[] = [
  {
    title: 'a scheduled backup reads what has changed since its volume was copied ahead',
    isTrueOfStock: false,
    play: copyAhead,
  },
];

const NAME = 'ahead';
const OLD_BYTES = 24 << 20;
const NEW_BYTES = 16 << 20;
const LATE_BYTES = 4 << 20;
/**
 * From the Schedule to its backup: what a copy ahead takes, on a machine that does a lot beside.
 */
const EVERY_MS = 25_000;
const SCHEDULE = `${VELERO}/schedules/${NAME}`;
const BACKUPS = `${VELERO}/backups?labelSelector=velero.io/schedule-name%3D${NAME}`;
const READY_MS_MAX = 30_000;
const BEGUN_MS_MAX = 30_000;
const LOOK_EVERY_MS = 200;
const ADDRESS = '127.0.0.1:8443';
const HEALTH = '127.0.0.1:8086';
/** Of the pods of Velero's own DaemonSet, whose place ours takes here. */
const ACCOUNT = 'velero';

async function copyAhead(t: Test, world: World): Promise<void> {
  const { installation, agent } = world;
  const { client, cluster } = installation;
  const controller = await startController(installation);
  try {
    await installation.useAgentBeside(pod => joined(installation, pod));
    const options = { namespace: NAME, volumes: ['data'], claims: 1 } as const;
    const workload = await Workload.start(client, options);
    const path = await workload.volumePath('data');
    fillWithBytes(path, OLD_BYTES);
    await createBackup(installation, NAME, { namespace: NAME });
    const first = await untilEnded(installation, pathOfMove('backups', NAME));
    t.match(first, { status: { phase: 'Completed' } });
    await writeNew(path, 'new', NEW_BYTES);
    const web = `/api/v1/namespaces/${NAME}/pods/web`;
    await client.patch(web, { metadata: { annotations: { 'stevedore.io/pre-copy': '1m' } } });
    const dueMs = await schedule(installation);
    await using repository = await openStored(cluster.s3, NAME);
    t.match(await untilSavedStates(repository, 1, EVERY_MS), [{ incomplete: 'checkpoint' }]);
    t.strictSame(await client.list(BACKUPS), [], 'no backup has begun, so no hook has run');
    await writeNew(path, 'late', LATE_BYTES);
    const name = await scheduledBackup(installation, dueMs);
    const backup = await untilEnded(installation, pathOfMove('backups', name));
    t.match(backup, { status: { phase: 'Completed' } });
    const [move] = await volumeMoves(installation, 'backup', name);
    const { incrementalBytes } = move?.status ?? {};
    t.comment(`${Number(incrementalBytes)} bytes were read, ${LATE_BYTES} of them new`);
    t.ok(Number(incrementalBytes) >= LATE_BYTES && Number(incrementalBytes) < NEW_BYTES);
    t.match(move?.status, { progress: { totalBytes: OLD_BYTES + NEW_BYTES + LATE_BYTES } });
    t.strictSame(await savedStates(repository), [], 'the checkpoint is gone');
    t.equal(await agentMetric(installation, 'stevedore_pre_copies_total{outcome="copied"}'), 1);
    await workload.delete();
  } catch (error) {
    t.comment(controller.log.slice(-3_000));
    throw error;
  } finally {
    await client.delete(SCHEDULE);
    await installation.useAgent(agent);
    await controller.stop('SIGTERM');
  }
}

async function startController({ cluster }: Installation): Promise<ChildProgram> {
  const { plane, logs } = cluster;
  const words = [join(REPOSITORY_ROOT, 'agent/stevedore.js'), 'controller', '--pre-copy'];
  words.push(`--kubeconfig=${plane.kubeconfig}`, `--agent-service-account=${ACCOUNT}`);
  words.push('--plaintext', `--listen-address=${ADDRESS}`, `--metrics-address=${HEALTH}`);
  const controller = new ChildProgram(process.execPath, words, { logs });
  const isReady = () =>
    fetch(`http://${HEALTH}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await controller.ready(isReady, READY_MS_MAX);
  return controller;
}

/** Words for an agent that shows the token of that pod. */
async function joined({ client }: Installation, { metadata }: ApiObject): Promise<string[]> {
  const { name, uid } = metadata;
  const spec = {
    audiences: [TOKEN_AUDIENCE],
    boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
  };
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
  const path = `/api/v1/namespaces/velero/serviceaccounts/${ACCOUNT}/token`;
  const { status } = await client.post<{ status: { token: string } }>(path, request);
  const file = join(await mkdtemp(join(tmpdir(), 'token-')), 'token');
  await writeFile(file, status.token, { mode: 0o600 });
  return [
    ...[`--controller=${ADDRESS}`, '--controller-plain-text'],
    `--controller-token-file=${file}`,
  ];
}

async function writeNew(path: string, name: string, bytes: number): Promise<void> {
  await writeFile(join(path, name), randomBytes(bytes));
}

/** When its backup is due. */
async function schedule({ client }: Installation): Promise<number> {
  const { metadata } = await client.create({
    apiVersion: 'velero.io/v1',
    kind: 'Schedule',
    metadata: { name: NAME, namespace: 'velero' },
    spec: {
      schedule: `@every ${EVERY_MS / 1000}s`,
      template: { includedNamespaces: [NAME], storageLocation: 'default' },
    },
  });
  return Date.parse(metadata.creationTimestamp ?? '') + EVERY_MS;
}

/** Its name, as soon as there is one. */
async function scheduledBackup({ client }: Installation, dueMs: number): Promise<string> {
  await delay(dueMs - Date.now());
  // The server looks once in a minute, and when a Schedule is changed.
  await client.patch(SCHEDULE, { spec: { template: { ttl: '1h0m0s' } } });
  for (const end = performance.now() + BEGUN_MS_MAX; performance.now() < end;) {
    const [backup] = await client.list(BACKUPS);
    if (backup !== undefined) {
      // One is enough.
      await client.delete(SCHEDULE);
      return backup.metadata.name;
    }
    await delay(LOOK_EVERY_MS);
  }
  throw new Error(`the Schedule has made no backup ${BEGUN_MS_MAX} ms after it was due`);
}
