// A backup, the loss of everything, and a restore.

import type { Test } from 'tap';
import { pathOf } from '#test/cluster/api-client.ts';
import { listingDifferences, type ListedEntry } from '#test/support/tree-listing.ts';
import { isTidied, removeDoneFiles } from './done-files.ts';
import type { AgentKind } from './installation.ts';
import {
  createBackup,
  createRestore,
  pathOfMove,
  phases,
  untilEnded,
  untilVolumeMoves,
  volumeMoves,
} from './moves.ts';
import type { Scenario, World } from './scenario.ts';
import { fillVolume, fillWithBytes, listVolume } from './volume-content.ts';
import { Workload, type VolumeName } from './workload.ts';

export const ROUND_TRIPS: readonly Scenario[] = [
  {
    title: 'a namespace that is lost comes back with everything that its volumes held',
    isTrueOfStock: true,
    play: loseAll,
  },
  {
    title: 'what the stock agent has backed up is restored',
    isTrueOfStock: false,
    play: (t, world) => roundTrip(t, world, { name: 'old', backedUpBy: 'stock' }),
  },
  {
    title: 'what is backed up here the stock agent restores',
    isTrueOfStock: false,
    play: (t, world) => roundTrip(t, world, { name: 'new', restoredBy: 'stock' }),
  },
  {
    title: 'a claim that two pods have is backed up once',
    isTrueOfStock: true,
    play: shareClaim,
  },
];

interface Trip {
  readonly name: string;
  readonly backedUpBy?: AgentKind;
  readonly restoredBy?: AgentKind;
  /** By default those that a workload has. */
  readonly volumes?: readonly VolumeName[];
  /** Storage class that the claim is restored in. */
  readonly otherClass?: string;
}

const USUAL: readonly VolumeName[] = ['data', 'scratch'];
/** Two claims at most, before and after. */
const CLAIMS = 4;

export async function roundTrip(t: Test, world: World, trip: Trip): Promise<void> {
  const { installation, agent, random } = world;
  const { name, backedUpBy = agent, restoredBy = agent } = trip;
  const { volumes = USUAL, otherClass } = trip;
  const options = { namespace: name, volumes, claims: CLAIMS, otherClass };
  const workload = await Workload.start(installation.client, options);
  const before = [];
  for (const volume of volumes) {
    const path = await workload.volumePath(volume);
    fillVolume(path, random);
    before.push(await listVolume(path));
  }
  if (backedUpBy !== agent) await installation.useAgent(backedUpBy);
  await installation.velero('backup', 'create', name, '--include-namespaces', name, '--wait');
  t.match(await untilEnded(installation, pathOfMove('backups', name)), DONE);
  const completed = volumes.map(() => 'Completed');
  t.same(phases(await volumeMoves(installation, 'backup', name)), completed);
  await workload.delete();

  if (restoredBy !== backedUpBy) await installation.useAgent(restoredBy);
  await installation.velero('restore', 'create', name, '--from-backup', name, '--wait');
  t.match(await untilEnded(installation, pathOfMove('restores', name)), DONE);
  await workload.untilRunning();
  const { spec } = await workload.claim('data');
  t.match(spec, { storageClassName: otherClass ?? name });
  const isAllKept = backedUpBy === 'ours' && restoredBy === 'ours';
  for (const volume of volumes) {
    const path = await workload.volumePath(volume);
    if (restoredBy === 'ours') t.ok(await isTidied(path), `no .velero is left behind in ${volume}`);
    else removeDoneFiles(path);
    const expected = before.shift() ?? [];
    const after = await listVolume(path);
    const lines = listingDifferences(expected, after);
    const counted = isAllKept ? lines : differencesInFiles(t, expected, after);
    t.same(counted, [], volume);
    t.comment(`${lines.length} differences in ${volume}`);
  }
  await workload.delete();
  if (restoredBy !== agent) await installation.useAgent(agent);
}

/**
 * Ours with volumes of each kind, and a claim that comes back in another storage class, as Velero
 * is told to by a ConfigMap (1.18.1 pkg/restore/actions/change_storageclass_action.go).
 */
async function loseAll(t: Test, world: World): Promise<void> {
  const { client } = world.installation;
  const name = 'shop';
  if (world.agent === 'stock') return roundTrip(t, world, { name });
  const otherClass = 'shop-other';
  const labels = {
    'velero.io/plugin-config': '',
    'velero.io/change-storage-class': 'RestoreItemAction',
  };
  const metadata = { name: 'change-storage-class', namespace: 'velero', labels };
  const setting = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [name]: otherClass } };
  await client.apply(setting);
  await roundTrip(t, world, { name, volumes: [...USUAL, 'memory', 'own'], otherClass });
  await client.delete(pathOf(setting));
}

/** What of a regular file a stock agent loses on the one way or the other. */
const LOST_BY_STOCK = ['sameAs', 'xattrs', 'flags', 'project', 'holes'] as const;
/** Stock writes a byte of a name that is not UTF-8 as U+FFFD, over what is called so already. */
const RENAMED_BY_STOCK = /\\x[0-9a-f]|\ufffd/;

/**
 * In what a stock agent keeps of every regular file: content, mode, owners, time. It loses special
 * files, times of directories, and parts of those of links.
 */
export function differencesInFiles(
  t: Test,
  expected: readonly ListedEntry[],
  found: readonly ListedEntry[],
): string[] {
  const files = expected.filter(({ path, type }) => type === 'f' && !RENAMED_BY_STOCK.test(path));
  t.ok(files.length > 2, `${files.length} of ${expected.length} entries are compared`);
  const paths = new Set(files.map(({ path }) => path));
  const same = found.filter(({ path }) => paths.has(path));
  return listingDifferences(files, same, { without: () => LOST_BY_STOCK });
}

const DONE = { status: { phase: 'Completed' } };

async function shareClaim(t: Test, { installation, agent }: World): Promise<void> {
  const options = { namespace: 'shared', pods: ['one', 'two'], volumes: ['data'] as const };
  const workload = await Workload.start(installation.client, options);
  fillWithBytes(await workload.volumePath('data'), 1 << 20);
  await createBackup(installation, 'shared', { namespace: 'shared' });
  t.match(await untilEnded(installation, pathOfMove('backups', 'shared')), DONE);
  t.same(phases(await volumeMoves(installation, 'backup', 'shared')), ['Completed']);
  await workload.delete();
  await createRestore(installation, 'shared', 'shared');
  const restores = { kind: 'restore', name: 'shared' } as const;
  await untilVolumeMoves(installation, restores, ({ status }) => status?.phase === 'Completed');
  t.match(await untilEnded(installation, pathOfMove('restores', 'shared')), DONE);
  await workload.untilRunning();
  const path = await workload.volumePath('data');
  if (agent === 'ours') t.ok(await isTidied(path), 'no .velero is left behind');
  await workload.delete();
}
