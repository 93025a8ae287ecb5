// What goes wrong in the middle of a restore. The S3 server hardly works while one is to be caught
// there, and stands still where nothing may go on.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { listingDifferences, type ListedEntry } from '#test/support/tree-listing.ts';
import type { ApiObject } from '#test/cluster/api-client.ts';
import { isTidied } from './done-files.ts';
import {
  cancelMove,
  createBackup,
  createRestore,
  hasEnded,
  isUnderWay,
  pathOfMove,
  phases,
  untilEnded,
  untilVolumeMoves,
} from './moves.ts';
import type { Scenario, World } from './scenario.ts';
import { SlowServer } from './slow-server.ts';
import { fillVolume, fillWithBytes, listVolume } from './volume-content.ts';
import { Workload } from './workload.ts';

export const INTERRUPTED_RESTORES: readonly Scenario[] = [
  {
    title: 'a restore that is interrupted goes on to a whole volume, or ends and leaves no trace',
    isTrueOfStock: false,
    play: interruptRestores,
  },
];

/** That of the backups that are interrupted: its repository is there. */
const NAMESPACE = 'resumed';
const BACKUP = 'returned';
/** In both. */
const CLAIMS = 6;
const LARGE_BYTES = 200 << 20;
/** Share of its time that the storage works. */
const HARDLY = 0.04;

async function interruptRestores(t: Test, world: World): Promise<void> {
  const { installation, random } = world;
  const options = { namespace: NAMESPACE, volumes: ['data'] as const, claims: CLAIMS };
  const workload = await Workload.start(installation.client, options);
  const path = await workload.volumePath('data');
  fillWithBytes(path, LARGE_BYTES);
  // Last, as it gives the root a time of whole seconds: a done file keeps that to the microsecond.
  fillVolume(path, random);
  const expected = await listVolume(path);
  await createBackup(installation, BACKUP, { namespace: NAMESPACE });
  const backup = await untilEnded(installation, pathOfMove('backups', BACKUP));
  t.match(backup, { status: { phase: 'Completed' } });
  await workload.delete();
  await cancelled(t, world, workload);
  await workload.delete();
  await serverRestarted(t, world, workload);
  await workload.delete();
  await agentKilled(t, world, { workload, expected });
  await workload.delete();
}

/** In the middle of it; its one move. */
async function beginRestore({ installation }: World, name: string): Promise<ApiObject> {
  await createRestore(installation, name, BACKUP);
  const [move] = await untilVolumeMoves(installation, { kind: 'restore', name }, isUnderWay);
  if (move === undefined) throw new Error(`restore ${name} has no volume`);
  return move;
}

/** A restore is told to end while the storage does not answer. */
async function cancelled(t: Test, world: World, workload: Workload): Promise<void> {
  const { installation } = world;
  const name = 'given-up';
  {
    using storage = new SlowServer(installation.cluster.s3, HARDLY);
    const move = await beginRestore(world, name);
    storage.stand();
    await cancelMove(installation, 'podvolumerestores', move);
    await checkTrace(t, world, workload, name);
  }
  t.match(await untilEnded(installation, pathOfMove('restores', name)), {
    status: { phase: 'PartiallyFailed' },
  });
}

/**
 * The server that comes back calls the Restore failed and cancels its moves
 * (1.18.1 pkg/cmd/server/server.go markInProgressCRsFailed).
 */
async function serverRestarted(t: Test, world: World, workload: Workload): Promise<void> {
  const { installation } = world;
  const name = 'left-alone';
  using _storage = new SlowServer(installation.cluster.s3, HARDLY);
  await beginRestore(world, name);
  await installation.killPods('deploy=velero');
  await installation.untilServerIsThere();
  await checkTrace(t, world, workload, name);
  t.match(await untilEnded(installation, pathOfMove('restores', name)), {
    status: { phase: 'Failed' },
  });
}

/** The pod waits on, and is not told that its volume were there. */
async function checkTrace(
  t: Test,
  { installation }: World,
  workload: Workload,
  name: string,
): Promise<void> {
  const moves = await untilVolumeMoves(installation, { kind: 'restore', name }, hasEnded);
  t.same(phases(moves), ['Canceled'], `the move of ${name}`);
  t.notOk(existsSync(join(await workload.volumePath('data'), '.velero')), 'no .velero is there');
}

async function agentKilled(
  t: Test,
  world: World,
  { workload, expected }: { workload: Workload; expected: readonly ListedEntry[] },
): Promise<void> {
  const { installation } = world;
  const name = 'goes-on';
  {
    using storage = new SlowServer(installation.cluster.s3, HARDLY);
    await beginRestore(world, name);
    storage.stand();
    await installation.killAgent();
  }
  const moves = await untilVolumeMoves(installation, { kind: 'restore', name }, hasEnded);
  t.same(phases(moves), ['Completed'], `the move of ${name}`);
  const restore = await untilEnded(installation, pathOfMove('restores', name));
  t.match(restore, { status: { phase: 'Completed' } });
  await workload.untilRunning();
  const path = await workload.volumePath('data');
  t.ok(await isTidied(path), 'no .velero is left behind');
  t.same(listingDifferences([...expected], await listVolume(path)), [], 'the trees are equal');
}
