// The pages of the documentation, played by their own commands: from Velero's agent to ours and
// back, with the time that this takes, and every other task that a page has.

import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { ApiClient } from '#test/cluster/api-client.ts';
import { isMissing } from '#test/cluster/cluster-programs.ts';
import type { PageBlock } from '#test/docs/page-blocks.ts';
import { blocksAndFiles, blocksThatRun } from '#test/docs/where-blocks-run.ts';
import { listingDifferences, type ListedEntry } from '#test/support/tree-listing.ts';
import { isTidied } from './done-files.ts';
import { STOCK_IMAGE, VELERO, type Installation } from './installation.ts';
import { makeLocalVolume } from './local-volume.ts';
import { pathOfMove, phases, volumeMoves } from './moves.ts';
import { PageSession, SESSION_PROGRAMS } from './page-session.ts';
import type { Scenario, World } from './scenario.ts';
import { fillWithBytes, listVolume } from './volume-content.ts';
import { LOCAL_VOLUMES, Workload } from './workload.ts';

const skip = isMissing(...SESSION_PROGRAMS);

export const DOCUMENTATION: readonly Scenario[] = [
  {
    title: 'from a clone to a backed up volume, and back to stock, by the commands of the page',
    isTrueOfStock: false,
    skip,
    play: switchThereAndBack,
  },
  {
    title: 'tasks of the documentation are done by the commands of their pages',
    isTrueOfStock: false,
    skip,
    play: playPages,
  },
];

const SWITCHING = 'docs/switching.md';
/** As docs/switching.md calls it. */
const IMAGE = 'registry.example/stevedore:0.1.0';
const BYTES = 16 << 20;
/** What a person waits for, while programs work. */
const THERE_MS_MAX = 120_000;
const BACK_MS_MAX = 60_000;
const BACKUP_GONE_MS_MAX = 120_000;
const DONE = { status: { phase: 'Completed' } };

async function switchThereAndBack(t: Test, { installation, agent }: World): Promise<void> {
  const { client, cluster } = installation;
  await prepare(installation);
  const workload = await Workload.start(client, {
    ...{ namespace: 'shop', storageClass: 'switched', volumes: ['data'], claims: 3 },
  });
  const path = await workload.volumePath('data');
  fillWithBytes(path, BYTES, 20);
  // What a done file does to it is put right to the microsecond (agent/volume-mover/done-file.ts).
  utimesSync(path, 1_577_836_800, 1_577_836_800);
  const before = await listVolume(path);
  await using session = await PageSession.start(cluster);
  const isBack = ({ section }: PageBlock) => section === "Back to Velero's agent";
  const blocks = blocksAndFiles('cluster', SWITCHING);

  const thereMs = await session.enter(blocks.filter(block => !isBack(block)));
  t.comment(`from Velero's agent to a volume that is backed up and restored: ${inWords(thereMs)}`);
  t.ok(thereMs <= THERE_MS_MAX, `${SWITCHING} there takes ${inWords(thereMs)}`);
  t.match(await client.get(pathOfMove('backups', 'first')), DONE);
  t.same(phases(await volumeMoves(installation, 'backup', 'first')), ['Completed']);
  const restored = Workload.of(client, 'shop-restored', ['web']);
  await checkIsThere(t, restored, before);
  await restored.delete();
  await workload.delete();
  await installation.velero('restore', 'create', 'lost', '--from-backup', 'first', '--wait');
  await checkIsThere(t, workload, before);

  const backMs = await session.enter(blocks.filter(isBack));
  t.comment(`back to Velero's agent: ${inWords(backMs)}`);
  t.ok(backMs <= BACK_MS_MAX, `${SWITCHING} back takes ${inWords(backMs)}`);
  t.equal(await imageOfAgent(client), STOCK_IMAGE);
  await backUpWithStock(t, installation);
  await workload.delete();
  await installation.useAgent(agent);
}

/** As it is for whoever begins to read: Velero's own agent, our image, and no backup `first`. */
async function prepare(installation: Installation): Promise<void> {
  const { client } = installation;
  await installation.useAgent('stock');
  await installation.offerImage(IMAGE);
  const backups = await client.list(`${VELERO}/backups`);
  if (!backups.some(({ metadata }) => metadata.name === 'first')) return;
  await installation.velero('backup', 'delete', 'first', '--confirm');
  await client.untilGone(pathOfMove('backups', 'first'), BACKUP_GONE_MS_MAX);
}

/** It works on what ours has left. */
async function backUpWithStock(t: Test, installation: Installation): Promise<void> {
  const words = ['--include-namespaces', 'shop', '--wait'];
  await installation.velero('backup', 'create', 'by-stock', ...words);
  t.match(await installation.client.get(pathOfMove('backups', 'by-stock')), DONE);
  t.same(phases(await volumeMoves(installation, 'backup', 'by-stock')), ['Completed']);
}

/** Later pages take for granted what earlier ones have made. */
const PAGES = [
  'docs/failed-moves.md',
  'docs/restore.md',
  'docs/upgrade.md',
  'docs/controller.md',
  'docs/bandwidth.md',
  'docs/annotate-pods.md',
  'docs/cli.md',
  'docs/node-agent.md',
  'docs/backup-nodes.md',
  'docs/pre-copy.md',
  'docs/databases.md',
  'docs/cache-location.md',
];
/** By class, for the claims that docs/cache-location.md makes. */
const CACHE_VOLUMES = ['fast', 'shared'];
const CACHE_VOLUME_SIZE = '200Gi';

async function playPages(t: Test, { installation, agent }: World): Promise<void> {
  const { client, cluster } = installation;
  const runs = new Set(blocksThatRun('cluster').map(({ page }) => page));
  const here = new Set([SWITCHING, ...PAGES]);
  t.same(
    [...runs].filter(page => !here.has(page)),
    [],
    'every page is played',
  );
  await prepare(installation);
  const pods = ['web', 'db-0'];
  const workload = await Workload.start(client, {
    ...{ namespace: 'shop', storageClass: 'played', pods, claims: 3 },
  });
  fillWithBytes(await workload.volumePath('data'), BYTES);
  for (const name of CACHE_VOLUMES) {
    const path = join(LOCAL_VOLUMES, 'caches', name);
    await makeLocalVolume(client, { name, storageClass: name, path, size: CACHE_VOLUME_SIZE });
  }
  await using session = await PageSession.start(cluster);
  const isBack = ({ section }: PageBlock) => section === "Back to Velero's agent";
  const switching = blocksAndFiles('cluster', SWITCHING);
  await session.enter(switching.filter(block => !isBack(block)));
  for (const page of PAGES) {
    const ms = await session.enter(blocksAndFiles('cluster', page));
    t.comment(`${page}: ${inWords(ms)}`);
  }
  await session.enter(switching.filter(isBack));
  for (const path of MADE) await client.delete(path);
  for (const namespace of ['shop-restored', 'shop-beside']) {
    await Workload.of(client, namespace, pods).delete();
  }
  await workload.delete();
  await installation.useAgent(agent);
}

const VELERO_NAMESPACE = '/api/v1/namespaces/velero';
/** By the pages, and not taken away with the chart. */
const MADE = [
  '/apis/rbac.authorization.k8s.io/v1/namespaces/velero/rolebindings/see-moves',
  '/apis/rbac.authorization.k8s.io/v1/namespaces/velero/roles/see-moves',
  `${VELERO_NAMESPACE}/configmaps/change-storage-class`,
  `${VELERO_NAMESPACE}/configmaps/node-agent-config`,
  `${VELERO_NAMESPACE}/configmaps/node-agent-gang`,
  `${VELERO_NAMESPACE}/persistentvolumeclaims/stevedore-cache`,
  `${VELERO}/schedules/nightly`,
  ...CACHE_VOLUMES.map(name => `/api/v1/persistentvolumes/${name}`),
];

async function checkIsThere(
  t: Test,
  workload: Workload,
  before: readonly ListedEntry[],
): Promise<void> {
  await workload.untilRunning();
  const path = await workload.volumePath('data');
  t.ok(await isTidied(path), 'no .velero is left behind');
  t.same(listingDifferences(before, await listVolume(path)), [], workload.namespace);
}

async function imageOfAgent(client: ApiClient): Promise<unknown> {
  const { spec } = await client.get('/apis/apps/v1/namespaces/velero/daemonsets/node-agent');
  // apps/v1, DaemonSetSpec.
  const { template } = spec as { template: { spec: { containers: { image: string }[] } } };
  return template.spec.containers[0]?.image;
}

function inWords(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
