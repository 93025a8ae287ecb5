// Where the BackupRepositories are that were used in this process, by the name that the cache knows
// them by: when one is deleted, its storage location often is gone before.

import { isEngineError } from '#engine/base/errors.ts';
import { s3NameOf } from '#engine/storage/storage-url.ts';
import type { LocationPlan } from './location-plan.ts';
import type { BackupRepository } from './repository-objects.ts';

/** One for each namespace and storage location; of more the cache has to find out itself. */
const PLACES_MAX = 10_000;

export class RepositoryPlaces {
  /** By the uid of the BackupRepository. */
  readonly #names = new Map<string, string>();

  note(uid: string | undefined, plan: LocationPlan): void {
    const name = nameOf(plan);
    if (uid === undefined || name === undefined) return;
    if (this.#names.size < PLACES_MAX || this.#names.has(uid)) this.#names.set(uid, name);
  }

  /**
   * Where it was, for one that is gone; undefined where nobody knows, where nothing is cached, or
   * where another one has taken its place.
   * @throws what `plan` throws, but for a location that is gone, too
   */
  async leave(
    { metadata: { uid = '' } }: BackupRepository,
    plan: () => Promise<LocationPlan>,
  ): Promise<string | undefined> {
    const name = this.#names.get(uid) ?? (await nameIfThere(plan));
    this.#names.delete(uid);
    return [...this.#names.values()].includes(name ?? '') ? undefined : name;
  }
}

async function nameIfThere(plan: () => Promise<LocationPlan>): Promise<string | undefined> {
  try {
    return nameOf(await plan());
  } catch (error) {
    if (isEngineError(error, 'STORAGE_LOCATION_NOT_FOUND')) return undefined;
    throw error;
  }
}

/** Directories are not cached. */
function nameOf(plan: LocationPlan): string | undefined {
  return plan.kind === 'bucket' ? s3NameOf(plan.s3) : undefined;
}
