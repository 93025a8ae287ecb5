// What goes wrong in the middle of a backup. The S3 server stands still (SIGSTOP) where a move has
// to be caught in the middle: nothing is left to chance, and nobody waits for a while.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { begin, untilIs } from './begun-backup.ts';
import {
  cancelMove,
  createBackup,
  hasEnded,
  isInProgress,
  isUnderWay,
  pathOfMove,
  untilEnded,
  volumeMoves,
} from './moves.ts';
import type { Scenario, World } from './scenario.ts';
import { SlowServer } from './slow-server.ts';
import { openStored, untilSavedStates } from './stored-snapshots.ts';
import { fillWithBytes } from './volume-content.ts';
import { Workload } from './workload.ts';

export const FAULTS: readonly Scenario[] = [
  {
    title: 'one file that cannot be read is named, and the rest is backed up',
    isTrueOfStock: false,
    play: unreadableFile,
  },
  { title: 'a move that is cancelled ends its backup', isTrueOfStock: false, play: cancel },
  { title: 'the deadline of a backup ends its moves', isTrueOfStock: false, play: deadline },
  {
    title: 'a server that restarts finds no move that goes on',
    isTrueOfStock: true,
    play: restartServer,
  },
];

/** All in one namespace, which has its repository then: Velero takes its time to make one. */
const LARGE = Object.freeze({ bytes: 400 << 20, namespace: 'trouble' });
/** Of its time that the S3 server works where a move is not to end by itself. */
const HARDLY = 0.05;
const DEADLINE_MS = 20_000;
/** CANCELED_AFTER_MS of agent/engine/snapshot/checkpoints.ts, and a little more. */
const SAVED_AFTER_MS = 11_000;
const FORGOTTEN_MS_MAX = 30_000;

async function unreadableFile(t: Test, { installation }: World): Promise<void> {
  const options = { namespace: 'broken', volumes: ['data'] as const };
  const workload = await Workload.start(installation.client, options);
  const path = await workload.volumePath('data');
  fillWithBytes(path, 1 << 20);
  const unreadable = join(path, 'unreadable');
  writeFileSync(unreadable, '');
  // It has 4096 bytes, says the kernel, and refuses to give them: there is no such cable.
  execFileSync('mount', ['--bind', '/sys/class/net/lo/speed', unreadable]);
  try {
    await createBackup(installation, 'broken', { namespace: 'broken' });
    t.match(await untilEnded(installation, pathOfMove('backups', 'broken')), {
      status: { phase: 'Completed' },
    });
  } finally {
    execFileSync('umount', [unreadable]);
  }
  const [move] = await volumeMoves(installation, 'backup', 'broken');
  t.match(move, { status: { phase: 'Completed', message: /unreadable/ } });
  await workload.delete();
}

async function cancel(t: Test, world: World): Promise<void> {
  const { installation } = world;
  const { s3 } = installation.cluster;
  const workload = await begin(world, 'cancelled', { ...LARGE, claims: 1 });
  await untilIs(world, 'cancelled', isInProgress);
  {
    using storage = new SlowServer(s3, HARDLY);
    const move = await untilIs(world, 'cancelled', isUnderWay);
    storage.stand();
    // So that it is worth saving what was done.
    await delay(SAVED_AFTER_MS);
    await cancelMove(installation, 'podvolumebackups', move);
    storage.share = HARDLY;
    t.match(await untilIs(world, 'cancelled', hasEnded), { status: { phase: 'Failed' } });
  }
  const backup = await untilEnded(installation, pathOfMove('backups', 'cancelled'));
  t.match(backup, { status: { phase: 'PartiallyFailed' } });
  await using repository = await openStored(s3, LARGE.namespace);
  await untilSavedStates(repository, 0, FORGOTTEN_MS_MAX);
  t.pass('nothing of it is left in the repository');
  await workload.delete();
}

async function deadline(t: Test, world: World): Promise<void> {
  const { installation } = world;
  const { s3 } = installation.cluster;
  const workload = await begin(world, 'late', {
    ...LARGE,
    claims: 2,
    annotations: { 'velero.io/pod-volume-timeout': `${DEADLINE_MS / 1000}s` },
  });
  await untilIs(world, 'late', isInProgress);
  s3.pause();
  // The server has counted since before it made the first move, however long it took to begin. It
  // says nothing when the deadline has come, and needs the storage to say the rest.
  await delay(DEADLINE_MS);
  s3.resume();
  const backup = await untilEnded(installation, pathOfMove('backups', 'late'));
  t.match(backup, { status: { phase: 'PartiallyFailed' } });
  t.ok(await untilIs(world, 'late', hasEnded));
  await workload.delete();
}

async function restartServer(t: Test, world: World): Promise<void> {
  const { installation } = world;
  const workload = await begin(world, 'interrupted', { ...LARGE, claims: 3 });
  await untilIs(world, 'interrupted', isInProgress);
  using storage = new SlowServer(installation.cluster.s3, HARDLY);
  await installation.killPods('deploy=velero');
  await installation.untilServerIsThere();
  storage.share = 1;
  const backup = await untilEnded(installation, pathOfMove('backups', 'interrupted'));
  t.match(backup, { status: { phase: 'Failed' } });
  t.ok(await untilIs(world, 'interrupted', hasEnded));
  await workload.delete();
}
