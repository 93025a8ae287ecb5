// How long moves take and what they need. With STEVEDORE_TEST_FIGURES=1 a volume of 3.2 GB, too;
// with STEVEDORE_TEST_LARGE=1 one of 20 GiB beside a file of 100 GiB that is empty: 45 GB of disk.

import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { REPOSITORY_IDLE_MS } from '#agent/repositories/shared-repositories.ts';
import { isTidied } from './done-files.ts';
import { OUR_PROCESS } from './installation.ts';
import {
  createBackup,
  createRestore,
  pathOfMove,
  untilEnded,
  untilVolumeMoves,
  volumeMoves,
} from './moves.ts';
import { MemoryWatch } from './memory-watch.ts';
import { programFigures } from './program-figures.ts';
import type { Scenario, World } from './scenario.ts';
import { fillWithBytes, makeSparse } from './volume-content.ts';
import { Workload } from './workload.ts';

const IDLE_MIB_MAX = 120;
const IDLE_CPU_SHARE_MAX = 0.005;
const IDLE_LOOK_MS = 60_000;
/** After which what came before is over, the closing of repositories included. */
const REST_MS = REPOSITORY_IDLE_MS + 15_000;

export const FIGURES: readonly Scenario[] = [
  {
    title: 'a volume of 1 MiB is backed up and restored; how long that takes',
    isTrueOfStock: true,
    play: (t, world) => measure(t, world, { name: 'small', large: 1 << 20, smallCount: 0 }),
  },
  ...(process.env.STEVEDORE_TEST_FIGURES === '1' ? [largeVolume()] : []),
  ...(process.env.STEVEDORE_TEST_LARGE === '1' ? [largestVolume()] : []),
  {
    title: 'an agent that has nothing to do, or nothing any more, takes little of its node',
    isTrueOfStock: false,
    play: rest,
  },
];

function largeVolume(): Scenario {
  return {
    title: 'a volume of 3.2 GB is backed up and restored; how long that takes',
    isTrueOfStock: true,
    play: (t, world) => measure(t, world, { name: 'large', large: 3e9, smallCount: 2000 }),
  };
}

async function rest(t: Test, world: World): Promise<void> {
  await delay(REST_MS);
  await lookAtRest(t);
  await measure(t, world, { name: 'rest', large: 100 << 20, smallCount: 2000 });
  await delay(REST_MS);
  await lookAtRest(t);
}

async function lookAtRest(t: Test): Promise<void> {
  const before = programFigures(OUR_PROCESS);
  await delay(IDLE_LOOK_MS);
  const { residentMib, cpuSeconds } = programFigures(OUR_PROCESS);
  const share = (cpuSeconds - before.cpuSeconds) / (IDLE_LOOK_MS / 1000);
  t.comment(`${residentMib.toFixed(0)} MiB resident, ${(share * 100).toFixed(2)} % of a CPU`);
  t.ok(residentMib <= IDLE_MIB_MAX, `at most ${IDLE_MIB_MAX} MiB`);
  t.ok(share <= IDLE_CPU_SHARE_MAX, `at most ${IDLE_CPU_SHARE_MAX * 100} % of a CPU`);
}

const GIB = 2 ** 30;
const LARGEST = { real: 20 * GIB, sparse: 100 * GIB, word: 'in the middle' };

function largestVolume(): Scenario {
  return {
    title: 'a volume of 20 GiB and one empty file of 100 GiB come to their end',
    isTrueOfStock: true,
    play: moveLargest,
  };
}

/** Nothing that takes long is given up. */
async function moveLargest(t: Test, world: World): Promise<void> {
  const { installation, agent } = world;
  const { real, sparse, word } = LARGEST;
  const options = { namespace: 'largest', volumes: ['data'] as const };
  const workload = await Workload.start(installation.client, options);
  const before = await workload.volumePath('data');
  fillWithBytes(before, real);
  makeSparse(join(before, 'sparse'), sparse, Buffer.from(word));
  await createBackup(installation, 'largest', { namespace: 'largest' });
  t.match(await observe(t, world, 'backup', 'largest'), { status: { phase: 'Completed' } });
  await untilEnded(installation, pathOfMove('backups', 'largest'));
  // What a claim held stays on the disk for a while, and there is no room for it twice.
  rmSync(join(before, 'bytes'));
  await workload.delete();
  await createRestore(installation, 'largest', 'largest');
  t.match(await observe(t, world, 'restore', 'largest'), { status: { phase: 'Completed' } });
  await untilEnded(installation, pathOfMove('restores', 'largest'));
  await workload.untilRunning();
  const after = await workload.volumePath('data');
  if (agent === 'ours') t.ok(await isTidied(after), 'no .velero is left behind');
  t.equal(statSync(join(after, 'bytes')).size, real);
  const { size, blocks } = statSync(join(after, 'sparse'));
  t.equal(size, sparse);
  t.ok(blocks * 512 < 1 << 20, `it takes ${blocks * 512} bytes`);
  t.equal(textAt(join(after, 'sparse'), sparse / 2, word.length), word);
  await workload.delete();
}

function textAt(path: string, position: number, length: number): string {
  const file = openSync(path, 'r');
  const bytes = Buffer.alloc(length);
  readSync(file, bytes, 0, length, position);
  closeSync(file);
  return bytes.toString();
}

interface Volume {
  readonly name: string;
  readonly large: number;
  readonly smallCount: number;
}

/** Twice, since the first backup of a namespace makes its repository. */
async function measure(t: Test, world: World, volume: Volume): Promise<void> {
  const { installation, agent } = world;
  const { name, large, smallCount } = volume;
  const options = { namespace: name, volumes: ['data'] as const };
  const workload = await Workload.start(installation.client, options);
  for (const time of ['first', 'second']) {
    fillWithBytes(await workload.volumePath('data'), large, smallCount);
    // Else etcd, and with it each step of a move, waits for the disk to take all of it.
    execFileSync('sync');
    const backup = `${name}-${time}`;
    await createBackup(installation, backup, { namespace: name });
    t.match(await observe(t, world, 'backup', backup), { status: { phase: 'Completed' } });
    await untilEnded(installation, pathOfMove('backups', backup));
  }
  await workload.delete();
  await createRestore(installation, name, `${name}-second`);
  t.match(await observe(t, world, 'restore', name), { status: { phase: 'Completed' } });
  await untilEnded(installation, pathOfMove('restores', name));
  await workload.untilRunning();
  const path = await workload.volumePath('data');
  if (agent === 'ours') t.ok(await isTidied(path), 'no .velero is left behind');
  await workload.delete();
}

/** From the moment when the move is there to the moment when it is at an end. */
async function observe(
  t: Test,
  { installation }: World,
  kind: 'backup' | 'restore',
  name: string,
): Promise<unknown> {
  using memory = MemoryWatch.start();
  await untilVolumeMoves(installation, { kind, name }, () => true);
  const began = performance.now();
  await untilVolumeMoves(installation, { kind, name }, hasCompletionTime);
  const seconds = ((performance.now() - began) / 1000).toFixed(2);
  const [move] = await volumeMoves(installation, kind, name);
  const moving = `${secondsInProgress(move).toFixed(0)} s in progress`;
  t.comment(`${kind} ${name}: ${seconds} s, ${moving}; peak memory: ${memory.text()}`);
  return move;
}

/** In whole seconds; the rest is the wait for a slot and, in a restore, for the pod. */
function secondsInProgress(move: { readonly status?: Record<string, unknown> } | undefined) {
  const { startTimestamp, completionTimestamp } = move?.status ?? {};
  return (Date.parse(String(completionTimestamp)) - Date.parse(String(startTimestamp))) / 1000;
}

function hasCompletionTime({ status }: { readonly status?: Record<string, unknown> }): boolean {
  return status?.completionTimestamp !== undefined;
}
