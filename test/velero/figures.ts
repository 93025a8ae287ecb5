// How long moves take and what they need. With STEVEDORE_TEST_FIGURES=1 a volume of 3.2 GB, too.

import type { Test } from 'tap';
import {
  createBackup,
  createRestore,
  pathOfMove,
  untilEnded,
  untilVolumeMoves,
  volumeMoves,
} from './moves.ts';
import { MemoryWatch } from './memory-watch.ts';
import type { Scenario, World } from './scenario.ts';
import { fillWithBytes } from './volume-content.ts';
import { Workload } from './workload.ts';

export const FIGURES: readonly Scenario[] = [
  {
    title: 'a volume of 1 MiB is backed up and restored; how long that takes',
    isTrueOfStock: true,
    play: (t, world) => measure(t, world, { name: 'small', large: 1 << 20, smallCount: 0 }),
  },
  ...(process.env.STEVEDORE_TEST_FIGURES === '1' ? [largeVolume()] : []),
];

function largeVolume(): Scenario {
  return {
    title: 'a volume of 3.2 GB is backed up and restored; how long that takes',
    isTrueOfStock: true,
    play: (t, world) => measure(t, world, { name: 'large', large: 3e9, smallCount: 2000 }),
  };
}

interface Volume {
  readonly name: string;
  readonly large: number;
  readonly smallCount: number;
}

/** Twice, since the first backup of a namespace makes its repository. */
async function measure(t: Test, world: World, volume: Volume): Promise<void> {
  const { installation } = world;
  const { name, large, smallCount } = volume;
  const options = { namespace: name, volumes: ['data'] as const };
  const workload = await Workload.start(installation.client, options);
  for (const time of ['first', 'second']) {
    fillWithBytes(await workload.volumePath('data'), large, smallCount);
    const backup = `${name}-${time}`;
    await createBackup(installation, backup, { namespace: name });
    t.match(await observe(t, world, 'backup', backup), { status: { phase: 'Completed' } });
    await untilEnded(installation, pathOfMove('backups', backup));
  }
  await workload.delete();
  await createRestore(installation, name, `${name}-second`);
  t.match(await observe(t, world, 'restore', name), { status: { phase: 'Completed' } });
  await untilEnded(installation, pathOfMove('restores', name));
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
  t.comment(`${kind} ${name}: ${seconds} s; peak memory: ${memory.text()}`);
  const [move] = await volumeMoves(installation, kind, name);
  return move;
}

function hasCompletionTime({ status }: { readonly status?: Record<string, unknown> }): boolean {
  return status?.completionTimestamp !== undefined;
}
