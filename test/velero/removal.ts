// Backups that are deleted, by a user or by their time to live, and the space that they took.

import type { Test } from 'tap';
import { ScratchDirectory } from '#test/support/scratch-directory.ts';
import { findKopia, Kopia } from '#test/support/kopia.ts';
import type { ApiObject } from '#test/cluster/api-client.ts';
import { VELERO, type Installation } from './installation.ts';
import { createBackup, pathOfMove, untilEnded } from './moves.ts';
import type { Scenario, World } from './scenario.ts';
import { REPOSITORY_PASSWORD } from './stored-snapshots.ts';
import { fillWithBytes } from './volume-content.ts';
import { Workload } from './workload.ts';

export const REMOVALS: readonly Scenario[] = [
  {
    title: 'a backup that is deleted gives its space back at the next maintenance',
    isTrueOfStock: true,
    play: deleteBackup,
  },
  {
    title: 'a backup of a schedule gives its space back when its time is over',
    isTrueOfStock: true,
    play: expireBackup,
  },
];

const VOLUME_BYTES = 32 << 20;
const GONE_MS_MAX = 120_000;
const SCHEDULE_MS_MAX = 180_000;

async function startFilled({ client }: Installation, namespace: string): Promise<Workload> {
  const workload = await Workload.start(client, { namespace, volumes: ['data'] });
  fillWithBytes(await workload.volumePath('data'), VOLUME_BYTES);
  return workload;
}

async function deleteBackup(t: Test, { installation }: World): Promise<void> {
  const workload = await startFilled(installation, 'deleted');
  await createBackup(installation, 'deleted', { namespace: 'deleted' });
  const path = pathOfMove('backups', 'deleted');
  t.match(await untilEnded(installation, path), { status: { phase: 'Completed' } });
  await installation.velero('backup', 'delete', 'deleted', '--confirm');
  await installation.client.untilGone(path, GONE_MS_MAX);
  await checkSpace(t, installation, 'deleted');
  await workload.delete();
}

async function expireBackup(t: Test, { installation }: World): Promise<void> {
  const { client } = installation;
  const workload = await startFilled(installation, 'expired');
  await client.create({
    apiVersion: 'velero.io/v1',
    kind: 'Schedule',
    metadata: { name: 'expired', namespace: 'velero' },
    spec: { schedule: '* * * * *', template: { includedNamespaces: ['expired'], ttl: '5s' } },
  });
  const schedule = pathOfSchedule('expired');
  const hasRun = ({ status }: ApiObject): boolean => status?.lastBackup !== undefined;
  await client.until(schedule, hasRun, { msMax: SCHEDULE_MS_MAX, what: 'run' });
  await client.delete(schedule);
  const selector = '?labelSelector=velero.io/schedule-name%3Dexpired';
  const backups = await client.list(`${VELERO}/backups${selector}`);
  t.not(backups.length, 0, 'the schedule has made a backup');
  for (const { metadata } of backups) {
    await client.untilGone(pathOfMove('backups', metadata.name), GONE_MS_MAX);
  }
  await checkSpace(t, installation, 'expired');
  await workload.delete();
}

function pathOfSchedule(name: string): string {
  return `${VELERO}/schedules/${name}`;
}

/** Maintenance as Velero runs it waits a day for what others may still read; ours does not. */
async function checkSpace(t: Test, { cluster }: Installation, namespace: string): Promise<void> {
  if (findKopia().program === undefined) return t.comment(findKopia().reason);
  const { s3 } = cluster;
  await using scratch = await ScratchDirectory.make();
  const kopia = new Kopia({ directory: scratch.path, password: REPOSITORY_PASSWORD });
  const keys = [`--access-key=${s3.credentials.accessKeyId}`];
  keys.push(`--secret-access-key=${s3.credentials.secretAccessKey}`);
  const place = [`--endpoint=${new URL(s3.url).host}`, '--disable-tls', '--bucket=velero'];
  place.push(`--prefix=kopia/${namespace}/`, '--override-username=default');
  place.push('--override-hostname=default', '--region=us-east-1');
  await kopia.run('repository', 'connect', 's3', ...place, ...keys);
  t.same(await kopia.snapshots(), [], 'no snapshot remains');
  await kopia.run('maintenance', 'set', '--owner=me');
  // Twice: what a run marks as deleted after the second in which it began it does not drop (kopia
  // repo/maintenance/drop_deleted_contents.go, by the start of the last collection).
  await kopia.maintain();
  await kopia.maintain();
  const bytes = s3.bytesBelow(`velero/kopia/${namespace}`);
  t.ok(bytes < VOLUME_BYTES / 10, `${bytes} bytes remain of ${VOLUME_BYTES}`);
}
