// What is in the repository of a namespace, states of backups that have not ended among it, as
// another client sees it.

import { setTimeout as delay } from 'node:timers/promises';
import {
  listSnapshots,
  openRepository,
  type Repository,
  type SnapshotSummary,
} from '#engine/index.ts';
import type { RunningServer } from '#test/servers/start.ts';

/** What Velero itself makes of `velero-repo-credentials` (pkg/repository/keys). */
export const REPOSITORY_PASSWORD = 'static-passw0rd';
const LOOK_EVERY_MS = 200;

/** Which Velero has made by then. */
export function openStored(s3: RunningServer, namespace: string): Promise<Repository> {
  const place = new URL(`s3://velero/kopia/${namespace}/`);
  place.search = new URLSearchParams({
    endpoint: s3.url,
    region: 'us-east-1',
    pathStyle: 'true',
  }).toString();
  return openRepository({
    url: place.href,
    storageOptions: { s3Credentials: s3.credentials },
    password: REPOSITORY_PASSWORD,
    isReadOnly: true,
    threads: 1,
  });
}

/** Of backups that have not ended, the oldest first. */
export async function savedStates(repository: Repository): Promise<SnapshotSummary[]> {
  await repository.refresh();
  const all = await listSnapshots(repository, { includeIncomplete: true });
  return all.filter(({ incomplete }) => incomplete !== '');
}

/** As soon as there are so many. */
export async function untilSavedStates(
  repository: Repository,
  count: number,
  msMax: number,
): Promise<SnapshotSummary[]> {
  for (const end = performance.now() + msMax; ;) {
    const states = await savedStates(repository);
    if (states.length === count) return states;
    if (performance.now() > end) {
      throw new Error(`there are ${states.length} states and not ${count} after ${msMax} ms`);
    }
    await delay(LOOK_EVERY_MS);
  }
}
