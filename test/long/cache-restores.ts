// Two volumes in a repository on the disk, restored side by side in a process of its own, with a
// cache and without one.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { backup, createRepository, openRepository } from '#engine/index.ts';
import { MIB } from '#test/engine/cache/scratch-cache.ts';
import { SeededRandom } from '#test/support/random.ts';
import type { RunnerReport } from './cache-restores-runner.ts';

export const PASSWORD = 'restores';
const OWNER = { user: 'restores', host: 'restores' };
const LARGE_BYTES_MAX = 32 * MIB;
const SMALL_BYTES_MAX = 50_000;

export interface RestoresPlace {
  /** For the repository, what is restored, and the cache. */
  readonly directory: string;
  readonly snapshots: readonly string[];
}

/** A repository with two volumes of `mib` each that have nothing in common. */
export async function makeVolumes(
  directory: string,
  { mib, seed }: { readonly mib: number; readonly seed: number },
): Promise<RestoresPlace> {
  const url = `file://${directory}/repository`;
  await createRepository({ url, password: PASSWORD, owner: OWNER });
  const snapshots: string[] = [];
  for (const volume of [1, 2]) {
    const source = `${directory}/source`;
    fill(source, new SeededRandom(seed + volume), mib * MIB);
    await using repository = await openRepository({ url, password: PASSWORD, owner: OWNER });
    const { snapshotId } = await backup(repository, { path: source });
    snapshots.push(snapshotId);
    rmSync(source, { recursive: true });
  }
  return { directory, snapshots };
}

/** @param cacheBytes 0: without a cache; else one that is empty at the start */
export async function restoreBoth(
  { directory, snapshots }: RestoresPlace,
  cacheBytes: number,
): Promise<RunnerReport> {
  const runner = fileURLToPath(new URL('cache-restores-runner.ts', import.meta.url));
  const child = fork(runner, [directory, String(cacheBytes), ...snapshots]);
  const exited = once(child, 'exit');
  const [report] = (await Promise.race([once(child, 'message'), exited])) as [RunnerReport];
  const [status] = (await exited) as [number | null];
  if (status !== 0) throw new Error(`the restores ended with ${status}`);
  return report;
}

function fill(directory: string, random: SeededRandom, bytes: number): void {
  mkdirSync(directory);
  for (let written = 0, file = 0; written < bytes; file++) {
    const length = 1 + random.below(random.once(20) ? LARGE_BYTES_MAX : SMALL_BYTES_MAX);
    writeFileSync(`${directory}/${file}`, random.bytes(length));
    written += length;
  }
}
