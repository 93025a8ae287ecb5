// Waits until the server has initialised a BackupRepository, which nobody else may do: Velero
// refuses a prefix in which something lies before it has been there (velero 1.18.1
// pkg/repository/{ensurer,backup_repo_op}.go). The object itself is made by the server before it
// asks for the volume of a pod, and by whoever moves the first snapshot of a namespace.

import type { Clock } from '#engine/base/clock.ts';
import { EngineError, isEngineError } from '#engine/base/errors.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import { labelValue } from '#agent/moves/objects/label-value.ts';
import type { RepositoryName } from '#agent/moves/volume-mover.ts';
import { type BackupRepository, REPOSITORIES } from './repository-objects.ts';

export interface ReadyParts {
  readonly kube: Pick<KubeClient, 'list'>;
  readonly clock: Clock;
  /** Velero's. */
  readonly namespace: string;
  /** How long the server may take (--resource-timeout). */
  readonly timeoutMs: number;
}

/** As stock asks. */
const POLL_MS = 500;
/** The server makes the object before it asks for a move; a cache may be late by this much. */
export const REPOSITORY_ABSENT_MS_MAX = 30_000;

/**
 * Gives it as it is then. @throws REPOSITORY_UNKNOWN, REPOSITORY_NOT_READY, ABORTED,
 * KUBE_FORBIDDEN, …
 */
export async function waitUntilReady(
  parts: ReadyParts,
  name: RepositoryName,
  signal?: AbortSignal,
): Promise<BackupRepository> {
  const { clock, timeoutMs } = parts;
  const startMs = clock.monotonic();
  for (;;) {
    const found = await find(parts, name, signal);
    const elapsedMs = clock.monotonic() - startMs;
    const { phase = '', message = '' } = found?.status ?? {};
    if (found && phase === 'Ready') return found;
    if (phase === 'NotReady') {
      throw notReady(name, `the server says: ${message || 'nothing'}`);
    }
    if (!found && elapsedMs >= Math.min(timeoutMs, REPOSITORY_ABSENT_MS_MAX)) throw absent(name);
    if (elapsedMs >= timeoutMs) {
      const seconds = Math.round(timeoutMs / 1000);
      throw notReady(name, `its phase is ${phase || 'not set'} after ${seconds} s`);
    }
    await clock.sleep(POLL_MS, signal);
  }
}

/**
 * Makes the object where there is none, for the server to initialise.
 * @throws REPOSITORY_UNKNOWN where there are several, KUBE_FORBIDDEN, …
 */
export async function ensureRepository(
  parts: Pick<ReadyParts, 'namespace'> & { readonly kube: Pick<KubeClient, 'list' | 'create'> },
  name: RepositoryName,
  signal?: AbortSignal,
): Promise<void> {
  if (await find(parts, name, signal)) return;
  const { volumeNamespace, backupStorageLocation } = name;
  const object: BackupRepository = {
    metadata: {
      // Stock's name, so that of several who make it one does.
      name: `${volumeNamespace}-${backupStorageLocation}-kopia`,
      namespace: parts.namespace,
      labels: labelsOf(name),
    },
    spec: {
      volumeNamespace,
      backupStorageLocation,
      repositoryType: 'kopia',
      // Needed by its CRD, and empty as stock's are; the server fills them in.
      maintenanceFrequency: '0s',
      resticIdentifier: '',
    },
  };
  try {
    await parts.kube.create(REPOSITORIES, object, { signal });
  } catch (error) {
    if (!isEngineError(error, 'KUBE_EXISTS')) throw error;
  }
}

function labelsOf({ volumeNamespace, backupStorageLocation }: RepositoryName) {
  return {
    'velero.io/volume-namespace': labelValue(volumeNamespace),
    'velero.io/storage-location': labelValue(backupStorageLocation),
    'velero.io/repository-type': 'kopia',
  };
}

async function find(
  { kube, namespace }: Pick<ReadyParts, 'kube' | 'namespace'>,
  name: RepositoryName,
  signal: AbortSignal | undefined,
): Promise<BackupRepository | undefined> {
  const labelSelector = Object.entries(labelsOf(name))
    .map(label => label.join('='))
    .join(',');
  const query = { namespace, labelSelector };
  const { items } = await kube.list<BackupRepository>(REPOSITORIES, query, { signal });
  if (items.length < 2) return items[0];
  const names = items.map(({ metadata }) => metadata.name).join(' and ');
  const text = `cannot tell which repository is ${describe(name)}: there are ${names}`;
  throw new EngineError('REPOSITORY_UNKNOWN', `${text}; delete one of these BackupRepositories`);
}

function absent(name: RepositoryName): EngineError {
  const text = `cannot find the repository of ${describe(name)}: there is no BackupRepository`;
  return new EngineError('REPOSITORY_UNKNOWN', `${text}; the server has to make it`);
}

function notReady(name: RepositoryName, why: string): EngineError {
  const text = `cannot use the repository of ${describe(name)}: ${why}`;
  return new EngineError('REPOSITORY_NOT_READY', `${text}; look at \`velero repo get\``);
}

function describe({ volumeNamespace, backupStorageLocation }: RepositoryName): string {
  return `namespace ${volumeNamespace} in storage location ${backupStorageLocation}`;
}
