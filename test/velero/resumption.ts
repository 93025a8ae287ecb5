// An agent that ends in the middle of a backup, however it does: the next one goes on from the
// state that was saved last, to the byte.

import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import type { Repository, SnapshotSummary } from '#engine/index.ts';
import { agentMetric } from './agent-metrics.ts';
import { untilIs } from './begun-backup.ts';
import type { Installation } from './installation.ts';
import {
  createBackup,
  hasEnded,
  isInProgress,
  isUnderWay,
  pathOfMove,
  untilEnded,
} from './moves.ts';
import type { Scenario, World } from './scenario.ts';
import { SlowServer } from './slow-server.ts';
import { openStored, savedStates, untilSavedStates } from './stored-snapshots.ts';
import { fillWithBytes } from './volume-content.ts';
import { Workload } from './workload.ts';

export const RESUMPTIONS: readonly Scenario[] = [
  {
    title: 'an agent that is killed, or replaced, does nothing again that was saved',
    isTrueOfStock: false,
    play: restartAgent,
  },
];

/** One large file, which is gone on with in its middle, and many small. */
const LARGE_BYTES = 900 << 20;
const SMALL_COUNT = 1000;
/** Until the change time of a file counts (agent/engine/snapshot/upload/partial-file.ts). */
const SETTLED_MS = 3000;
/** Until the first state is saved (docs/limits.md), and saving it. */
const CHECKPOINT_MS = 45_000;
/** What is documented (docs/architecture.md) of how much a backup that is killed reads again. */
const LOST_MS_MAX = 60_000;
const SAVING_MS_MAX = 60_000;
/** Of files, whatever else is written first. */
const PUTS_MIN = 4;
const PUT = 'stevedore_storage_operations_total{operation="put",outcome="ok"}';
const LOOK_EVERY_MS = 50;
/** After which a move that an agent ends in is told to end: of 25 s, what its last writes need. */
const TOLD_AFTER_MS = 13_500;
/** Shares of its time that the storage works. */
const HARDLY = 0.004;
/** So that the state is saved in seconds, and not all is. */
const SLOWLY = 0.1;
const STEADILY = 0.5;
/** Directories, indexes, manifests. */
const OTHER_BYTES_MAX = 8 << 20;
const SEALED_SHARE_MAX = 1.01;

interface Ending {
  readonly installation: Installation;
  readonly repository: Repository;
  readonly storage: SlowServer;
}

const ENDINGS = {
  killed: { end: killAfterCheckpoint, reason: 'checkpoint' },
  replaced: { end: replace, reason: 'canceled' },
} as const;

async function restartAgent(t: Test, world: World): Promise<void> {
  const { installation } = world;
  const { s3 } = installation.cluster;
  const options = { namespace: 'resumed', volumes: ['data'] as const };
  const workload = await Workload.start(installation.client, options);
  for (const [name, { end, reason }] of Object.entries(ENDINGS)) {
    const backup = `resumed-${name}`;
    fillWithBytes(await workload.volumePath('data'), LARGE_BYTES, SMALL_COUNT);
    await delay(SETTLED_MS);
    await createBackup(installation, backup, { namespace: 'resumed' });
    await untilIs(world, backup, isInProgress);
    await using repository = await openStored(s3, 'resumed');
    await untilIs(world, backup, isUnderWay);
    let saved: SnapshotSummary;
    {
      using storage = new SlowServer(s3, HARDLY);
      saved = await end({ installation, repository, storage });
    }
    t.equal(saved.incomplete, reason, `the state of one that is ${name}`);
    const ranMs = Date.parse(saved.endTime) - Date.parse(saved.startTime);
    t.ok(ranMs <= LOST_MS_MAX, `it was saved ${ranMs} ms after the beginning`);
    await checkIsResumed(t, world, backup, saved);
    t.same(await savedStates(repository), [], 'the state is gone with the end');
  }
  await workload.delete();
}

/** Right after its first state was saved. */
async function killAfterCheckpoint({
  installation,
  repository,
  storage,
}: Ending): Promise<SnapshotSummary> {
  await delay(CHECKPOINT_MS);
  storage.share = SLOWLY;
  const [saved] = await untilSavedStates(repository, 1, SAVING_MS_MAX);
  storage.stand();
  await installation.killAgent();
  return some(saved);
}

/** By another pod, as when its DaemonSet is rolled out: it saves its state before it ends. */
async function replace({ installation, repository, storage }: Ending): Promise<SnapshotSummary> {
  await untilPut(installation, PUTS_MIN);
  const replaced = installation.replaceAgent();
  await delay(TOLD_AFTER_MS);
  storage.share = STEADILY;
  await replaced;
  return some((await savedStates(repository)).at(-1));
}

/** So many more than now: of a backup that has stored nothing there is no state. */
async function untilPut(installation: Installation, count: number): Promise<void> {
  const put = () => agentMetric(installation, PUT);
  const before = await put();
  const endMs = performance.now() + SAVING_MS_MAX;
  while ((await put()) < before + count) {
    if (performance.now() > endMs) throw new Error(`not ${count} blobs were stored in time`);
    await delay(LOOK_EVERY_MS);
  }
}

function some(saved: SnapshotSummary | undefined): SnapshotSummary {
  if (saved === undefined) throw new Error('no state was saved');
  return saved;
}

async function checkIsResumed(
  t: Test,
  world: World,
  backup: string,
  saved: SnapshotSummary,
): Promise<void> {
  const { installation } = world;
  const { status } = await untilIs(world, backup, hasEnded);
  t.match(status, { phase: 'Completed' });
  // velero.io/v1, PodVolumeBackupStatus; the bytes that were read are those of the last agent.
  const { progress, incrementalBytes } = status as {
    readonly progress: { readonly totalBytes: number };
    readonly incrementalBytes: number;
  };
  const { totalBytes } = progress;
  const put = await agentMetric(installation, 'stevedore_storage_bytes_total{operation="put"}');
  t.comment(`${saved.bytes} of ${totalBytes} bytes were saved; ${incrementalBytes} read after`);
  t.comment(`${put} bytes stored after`);
  t.ok(saved.bytes > 0, 'something was saved');
  t.ok(saved.bytes < totalBytes, 'it was in the middle');
  // Less, where more was stored between the look at the state and the end.
  t.ok(incrementalBytes <= totalBytes - saved.bytes, 'no byte that was saved is read again');
  const most = incrementalBytes * SEALED_SHARE_MAX + OTHER_BYTES_MAX;
  t.ok(put <= most, 'nor stored again');
  const end = await untilEnded(installation, pathOfMove('backups', backup));
  t.match(end, { status: { phase: 'Completed' } });
}
