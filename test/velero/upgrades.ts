// An upgrade from the stock agent, and back, with moves in flight: one that is InProgress, and one
// that is Prepared, since a node does one at a time. The S3 server stands still meanwhile.

import type { Test } from 'tap';
import { listingDifferences, type ListedEntry } from '#test/support/tree-listing.ts';
import { begin } from './begun-backup.ts';
import { isTidied, removeDoneFiles } from './done-files.ts';
import type { AgentKind } from './installation.ts';
import {
  createBackup,
  createRestore,
  hasEnded,
  pathOfMove,
  phases,
  untilEnded,
  untilPhases,
  untilVolumeMoves,
  type MovesOf,
} from './moves.ts';
import type { Scenario, World } from './scenario.ts';
import { SlowServer } from './slow-server.ts';
import { listVolume } from './volume-content.ts';
import type { Workload } from './workload.ts';

export const UPGRADES: readonly Scenario[] = [
  {
    title: 'an upgrade from stock, and back, with moves in flight leaves none that hangs',
    isTrueOfStock: false,
    play: upgrade,
  },
];

const VOLUMES = ['data', 'scratch'] as const;
/** Nothing must have fetched or stored all of it when the S3 server stops. */
const VOLUME_BYTES = 256 << 20;
/** Of its time that the S3 server works, until a move is seen in progress. */
const HARDLY = 0.05;
const NAMESPACE = 'upgraded';
/** For the first, and for the second and each restore of it. */
const CLAIMS = [1, 5] as const;

interface Ends {
  readonly moves: readonly string[];
  readonly whole: string;
}

/** Stock's mover pods go on without their agent, and their results are taken. */
const FROM_STOCK: Ends = { moves: ['Completed', 'Completed'], whole: 'Completed' };
/**
 * What we are at is reported before we go, as stock would cancel it and its server wait for it; the
 * other one is as nobody had seen it, and stock does it.
 */
const TO_STOCK: Ends = { moves: ['Completed', 'Failed'], whole: 'PartiallyFailed' };

async function upgrade(t: Test, world: World): Promise<void> {
  const { installation, agent } = world;
  await installation.useAgent('stock');
  const volumes = { namespace: NAMESPACE, bytes: VOLUME_BYTES, volumes: VOLUMES };
  const first = await begin(world, 'to-ours', { ...volumes, claims: CLAIMS[0] });
  await change(t, world, { kind: 'backup', name: 'to-ours', to: 'ours', ends: FROM_STOCK });
  await backUp(t, world, 'to-ours-again');
  await first.delete();

  const second = await begin(world, 'to-stock', { ...volumes, claims: CLAIMS[1] });
  await change(t, world, { kind: 'backup', name: 'to-stock', to: 'stock', ends: TO_STOCK });
  await backUp(t, world, 'to-stock-again');
  const files = await filesOf(second);
  await second.delete();

  await createRestore(installation, 'back-to-ours', 'to-stock-again');
  await change(t, world, { kind: 'restore', name: 'back-to-ours', to: 'ours', ends: FROM_STOCK });
  await checkIsRestored(t, second, { files, by: 'ours' });
  await second.delete();

  await createRestore(installation, 'back-to-stock', 'to-stock-again');
  await change(t, world, { kind: 'restore', name: 'back-to-stock', to: 'stock', ends: TO_STOCK });
  removeDoneFiles(await second.volumePath('data'));
  await second.delete();

  await createRestore(installation, 'back-again', 'to-stock-again');
  const restore = await untilEnded(installation, pathOfMove('restores', 'back-again'));
  t.match(restore, { status: { phase: 'Completed' } });
  await checkIsRestored(t, second, { files, by: 'stock' });
  await second.delete();
  await installation.useAgent(agent);
}

/** Another agent comes in the middle. */
async function change(
  t: Test,
  { installation }: World,
  { to, ends, ...of }: MovesOf & { readonly to: AgentKind; readonly ends: Ends },
): Promise<void> {
  {
    await untilPhases(installation, of, found => found.length > 0);
    using storage = new SlowServer(installation.cluster.s3, HARDLY);
    await untilPhases(installation, of, found => found.includes('InProgress'));
    storage.stand();
    await untilPhases(installation, of, isOfEach);
    await installation.useAgent(to);
  }
  const end = await untilEnded(installation, pathOfMove(`${of.kind}s`, of.name));
  t.match(end, { status: { phase: ends.whole } }, `${of.kind} ${of.name}`);
  const moves = await untilVolumeMoves(installation, of, hasEnded);
  t.same(phases(moves).toSorted(), ends.moves, `the moves of ${of.kind} ${of.name}`);
}

/** @throws Error when it is too late for that */
function isOfEach(found: readonly string[]): boolean {
  if (found.includes('Completed')) throw new Error('a move has ended before the upgrade');
  return found.join() === 'InProgress,Prepared';
}

async function backUp(t: Test, { installation }: World, name: string): Promise<void> {
  await createBackup(installation, name, { namespace: NAMESPACE });
  const backup = await untilEnded(installation, pathOfMove('backups', name));
  t.match(backup, { status: { phase: 'Completed' } });
  const moves = await untilVolumeMoves(installation, { kind: 'backup', name }, hasEnded);
  t.same(phases(moves), ['Completed', 'Completed'], `the moves of backup ${name}`);
}

type Files = Readonly<Record<(typeof VOLUMES)[number], readonly ListedEntry[]>>;

async function filesOf(workload: Workload): Promise<Files> {
  const [data = [], scratch = []] = await Promise.all(
    VOLUMES.map(async volume => {
      const entries = await listVolume(await workload.volumePath(volume));
      return entries.filter(({ type }) => type === 'f');
    }),
  );
  return { data, scratch };
}

async function checkIsRestored(
  t: Test,
  workload: Workload,
  { files, by }: { readonly files: Files; readonly by: AgentKind },
): Promise<void> {
  await workload.untilRunning();
  const found = await filesOf(workload);
  for (const volume of VOLUMES) {
    t.same(listingDifferences(files[volume], found[volume]), [], `${volume} by ${by}`);
    const path = await workload.volumePath(volume);
    if (by === 'ours') t.ok(await isTidied(path), `no .velero is left behind in ${volume}`);
    else removeDoneFiles(path);
  }
}
