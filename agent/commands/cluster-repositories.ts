// Repositories and storage locations of a cluster, opened from outside of its agents: with the keys
// and passwords of Velero's objects, and never to write.

import type { Clock } from '#engine/base/clock.ts';
import type { EngineError } from '#engine/base/errors.ts';
import { openStorageAt, type Storage } from '#engine/index.ts';
import { findLocation } from '#agent/repositories/find-location.ts';
import { placeOf, withCertificates } from '#agent/repositories/location-place.ts';
import { planLocation } from '#agent/repositories/location-plan.ts';
import type { StorageLocation } from '#agent/repositories/repository-objects.ts';
import { readSecret } from '#agent/repositories/secrets.ts';
import type { ReadingClient } from './cluster-verb.ts';

/** Velero's one for all repositories (velero pkg/repository/keys/keys.go). */
export const PASSWORD_SECRET = Object.freeze({
  name: 'velero-repo-credentials',
  key: 'repository-password',
});

export interface RepositoryAccess {
  readonly kube: ReadingClient;
  readonly namespace: string;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onWarning: (warning: EngineError) => void;
  readonly onSecret?: (text: string) => void;
  readonly signal: AbortSignal;
}

/** @throws SECRET_NOT_FOUND, SECRET_KEY_MISSING, KUBE_FORBIDDEN */
export async function repositoryPassword(access: RepositoryAccess): Promise<string> {
  const what = 'the password of the repositories';
  // Velero trims it, too.
  const password = (await readSecret(access, PASSWORD_SECRET, what, access.signal)).trim();
  access.onSecret?.(password);
  return password;
}

/** The storage of one namespace; the caller closes it. @throws STORAGE_…, SECRET_…, KUBE_… */
export async function openLocation(
  access: RepositoryAccess,
  location: StorageLocation | string,
  volumeNamespace: string,
): Promise<Storage> {
  const found =
    typeof location === 'string'
      ? await findLocation(access, location, 'read', access.signal)
      : location;
  const plan = await withCertificates(access, planLocation(found, volumeNamespace), access.signal);
  const credentialsFile = access.environment.AWS_SHARED_CREDENTIALS_FILE;
  const place = await placeOf({ ...access, credentialsFile }, plan);
  return await openStorageAt(place, { isReadOnly: true, clock: access.clock });
}
