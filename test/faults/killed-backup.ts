// A program for the tests that kill backups: backs up SOURCE into the file storage REPOSITORY,
// prints a line at each operation on the storage (before and after it), and stands still at the one
// that it was told to, waiting to be killed. With `checkpoints` it saves its state all the time.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, systemClock } from '#engine/base/clock.ts';
import { backup, openRepository } from '#engine/index.ts';
import { openFilesystem } from '#engine/storage/filesystem.ts';
import { OWNER, PASSWORD, SOURCE } from './small-repository.ts';
import { type Operation, watched } from './troubled-storage.ts';

const [directory = '', source = '', stop = '0', mode = ''] = process.argv.slice(2);
let step = 0;
let isArmed = false;

async function pass({ kind, id }: Operation): Promise<void> {
  if (!isArmed) return;
  step++;
  process.stdout.write(`${step} ${kind} ${id}\n`);
  if (step === Number(stop)) await new Promise(resolve => setTimeout(resolve, 600_000));
}

/** Never sleeps. */
function eagerClock(): Clock {
  const sleep = async (_ms: number, signal?: AbortSignal): Promise<void> => {
    await nextTurn();
    signal?.throwIfAborted();
  };
  return { ...systemClock, sleep };
}

const inner = await openFilesystem(directory);
const storage = watched(inner, { before: pass, after: pass });
await using repository = await openRepository({
  storage,
  password: PASSWORD,
  threads: 1,
  owner: OWNER,
  clock: mode === 'checkpoints' ? eagerClock() : systemClock,
});
isArmed = true;
const { snapshotId } = await backup(repository, { path: source, source: SOURCE });
process.stdout.write(`done ${snapshotId}\n`);
