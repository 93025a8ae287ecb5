// What a restore leaves in a volume: the file in `.velero` that tells a pod that waits. Our agent
// takes it away when the pod has gone on; stock's stays, as its helper in the pod runs as user 1000
// and may not remove it.

import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { OLD_DONE_FILE } from './volume-content.ts';
import { LOCAL_VOLUMES } from './workload.ts';

const TIDY_MS_MAX = 15_000;
const POLL_EVERY_MS = 100;
const FOLDER = '.velero';

/** Once the pod has seen the done file, which it has as soon as it runs. */
export async function isTidied(volumePath: string): Promise<boolean> {
  for (const end = performance.now() + TIDY_MS_MAX; performance.now() < end;) {
    if (!existsSync(join(volumePath, FOLDER))) return true;
    await delay(POLL_EVERY_MS);
  }
  return false;
}

/** In a volume that the stock agent has restored. */
export function removeDoneFiles(volumePath: string): void {
  rmSync(join(volumePath, FOLDER), { recursive: true, force: true });
}

/** Paths, in all local volumes that there have been: they outlive their claims. */
export function doneFilesLeft(): string[] {
  return below(LOCAL_VOLUMES)
    .flatMap(namespace => below(namespace))
    .flatMap(volume => below(join(volume, FOLDER)))
    .filter(path => !path.endsWith(`/${OLD_DONE_FILE}`));
}

function below(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory).map(name => join(directory, name));
}
