// Kills a backup at one step of its commit and looks at what is left.

import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { checkRepository, listSnapshots } from '#engine/index.ts';
import { openFilesystem } from '#engine/storage/filesystem.ts';
import {
  backupTree,
  faultsOf,
  openSmall,
  snapshotIds,
  type SmallRepository,
} from './small-repository.ts';

const PROGRAM = fileURLToPath(new URL('killed-backup.ts', import.meta.url));

export interface Kill {
  readonly step: number;
  /** Whether the backup saves its state all the time. */
  readonly hasCheckpoints: boolean;
}

/** Runs until the backup stands still at `step`, kills it; false when it came to its end. */
async function killAt(
  directory: string,
  source: string,
  { step, hasCheckpoints }: Kill,
): Promise<boolean> {
  const words = [PROGRAM, directory, source, String(step), hasCheckpoints ? 'checkpoints' : ''];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise(resolve => child.once('exit', resolve));
  let isOver = false;
  for await (const line of createInterface(child.stdout)) {
    if (line.startsWith('done ')) isOver = true;
    if (line.startsWith(`${step} `)) child.kill('SIGKILL');
  }
  await exited;
  return !isOver;
}

/** False when there is no such step. */
export async function survivesKill(
  t: Test,
  template: string,
  small: SmallRepository,
  kill: Kill,
): Promise<boolean> {
  const directory = mkdtempSync(`${template}-`);
  cpSync(template, directory, { recursive: true });
  const isKilled = await killAt(directory, small.changed, kill);
  const name = isKilled ? `killed at step ${kill.step}` : 'not killed';
  await using repository = await openSmall(await openFilesystem(directory), small.format);
  const listed = await snapshotIds(repository);
  t.equal(listed[0], small.snapshotId, `${name}: the older snapshot is there`);
  t.ok(listed.length <= 2, `${name}: and the new one or not`);
  t.strictSame(await faultsOf(repository), [], `${name}: what is listed is whole`);
  const { snapshotId } = await backupTree(repository, small.changed);
  t.strictSame(await snapshotIds(repository), [...listed, snapshotId], `${name}: the next works`);
  const all = await listSnapshots(repository, { includeIncomplete: true });
  t.equal(all.length, listed.length + 1, `${name}: no checkpoint is left`);
  t.strictSame(await faultsOf(repository), [], `${name}: and all is whole`);
  const { problemCount } = await checkRepository(repository, { readData: true });
  t.equal(problemCount, 0, `${name}: check finds nothing`);
  rmSync(directory, { recursive: true });
  return isKilled;
}
