// The BackupStorageLocation that a move names, in a state in which the move may use it.

import { EngineError, isEngineError } from '#engine/base/errors.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import { STORAGE_LOCATIONS, type StorageLocation } from './repository-objects.ts';

export type Access = 'read' | 'write';

/**
 * @throws STORAGE_LOCATION_NOT_FOUND; for writing STORAGE_LOCATION_READ_ONLY and
 *   STORAGE_LOCATION_UNAVAILABLE. Reading tries all the same: the server may not know yet that a
 *   location is back.
 */
export async function findLocation(
  { kube, namespace }: { readonly kube: Pick<KubeClient, 'get'>; readonly namespace: string },
  name: string,
  access: Access,
  signal?: AbortSignal,
): Promise<StorageLocation> {
  const location = await get(kube, namespace, name, signal);
  if (access === 'read') return location;
  const { spec = {}, status = {} } = location;
  const text = `cannot back up to storage location ${name}`;
  if (spec.accessMode === 'ReadOnly') {
    const advice = 'change that or name another location';
    throw new EngineError(
      'STORAGE_LOCATION_READ_ONLY',
      `${text}: accessMode is ReadOnly; ${advice}`,
    );
  }
  if (status.phase === 'Unavailable') {
    const why = `the server says that it is unavailable: ${status.message || 'and not why'}`;
    throw new EngineError('STORAGE_LOCATION_UNAVAILABLE', `${text}: ${why}`);
  }
  return location;
}

async function get(
  kube: Pick<KubeClient, 'get'>,
  namespace: string,
  name: string,
  signal: AbortSignal | undefined,
): Promise<StorageLocation> {
  try {
    return await kube.get<StorageLocation>(STORAGE_LOCATIONS, { namespace, name }, { signal });
  } catch (error) {
    if (!isEngineError(error, 'KUBE_NOT_FOUND')) throw error;
    const text = `cannot find backup storage location ${name} in namespace ${namespace}`;
    const advice = 'see `velero backup-location get`';
    throw new EngineError('STORAGE_LOCATION_NOT_FOUND', `${text}; ${advice}`);
  }
}
