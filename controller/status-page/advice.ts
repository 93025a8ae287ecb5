// What to do about a move that failed, by its code: one sentence for whoever sees the page, where
// docs/errors.md has a paragraph.

import type { ErrorCode } from '#engine/base/error-codes.ts';

const LOCATION = 'look at the BackupStorageLocation';
const AGAIN = 'the next backup goes on from what is stored';

const BY_CODE: Readonly<Partial<Record<ErrorCode, string>>> = Object.freeze({
  ABORTED: `it was stopped; ${AGAIN}`,
  LIMIT_EXCEEDED: 'the volume has something larger than a limit; the message names it',
  INTERNAL: 'a fault of Stevedore; report it with the log of the agent',
  WORKER_DIED: 'give the agent more memory',
  CLOCK_SKEW: 'set the clock of the node (NTP)',
  STORAGE_ACCESS_DENIED: `${LOCATION}, its credentials and the policy of the bucket`,
  STORAGE_CREDENTIALS_MISSING: `${LOCATION} and its Secret`,
  STORAGE_NOT_FOUND: `${LOCATION}: the bucket it names is not there`,
  STORAGE_READ_ONLY: `${LOCATION}: it is read-only`,
  STORAGE_FULL: 'make room in the object storage',
  STORAGE_THROTTLED: 'fewer slots for the location (locationSlots), or a lower rate',
  STORAGE_UNAVAILABLE: `look at the object storage and the network of the node; ${AGAIN}`,
  STORAGE_TIMEOUT: `look at the object storage and the network of the node; ${AGAIN}`,
  REPOSITORY_NOT_READY: 'look at the BackupRepository: kubectl get backuprepositories -A',
  REPOSITORY_NOT_FOUND: 'look at the BackupRepository and its location',
  REPOSITORY_PASSWORD_WRONG: 'look at the Secret velero-repo-credentials: it must not change',
  INDEX_DAMAGED: 'run: stevedore repo check',
  PACK_MISSING: 'run: stevedore repo check; something deletes objects of the bucket',
  PACK_DAMAGED: 'run: stevedore repo check --read-data',
  CONTENT_NOT_FOUND: 'run: stevedore repo check',
  CONTENT_DAMAGED: 'run: stevedore repo check --read-data',
  SNAPSHOT_NOT_FOUND: 'the backup was deleted or has expired; restore another one',
  CACHE_LOCATION_REFUSED: 'give the cache a volume of its own, or allow the root disk',
  SOURCE_UNREADABLE: 'look at the volume on its node: files cannot be read',
  SOURCE_INCOMPLETE: 'what could not be read is in the message; look at the volume',
  TARGET_NOT_EMPTY: 'restore into a new namespace, or into an empty volume',
  TARGET_FULL: 'make the volume larger, and restore again',
  TARGET_TOO_SMALL: 'make the volume larger, and restore again',
  TARGET_NOT_WRITABLE: 'the volume is mounted read-only; look at its pod',
  POD_NOT_FOUND: 'the pod was gone when its turn came; the next backup has the new one',
  VOLUME_NOT_FOUND: 'the pod has no such volume; look at its annotation backup-volumes',
  VOLUME_NOT_MOUNTED: 'look at the events of the pod: its volume is not mounted',
  VOLUME_IS_BLOCK: 'back up block volumes with snapshots (snapshotMoveData)',
  VOLUME_TYPE_UNSUPPORTED: 'leave this volume out; its kind cannot be backed up',
  VOLUME_UNRESPONSIVE: 'look at the storage behind the volume: it does not answer',
  CLAIM_NOT_BOUND: 'look at the events of the PersistentVolumeClaim',
  STORAGE_LOCATION_NOT_FOUND: `${LOCATION}: it was deleted`,
  STORAGE_LOCATION_UNAVAILABLE: 'run: velero backup-location get',
  STORAGE_LOCATION_READ_ONLY: `${LOCATION}: it is read-only`,
  STORAGE_LOCATION_INVALID: `${LOCATION}: the message says what is wrong with it`,
  SECRET_NOT_FOUND: `${LOCATION} and the Secret that it names`,
  SECRET_KEY_MISSING: `${LOCATION} and the key of its Secret`,
  KUBE_FORBIDDEN: 'a right is missing; /readyz of the agent names it',
  KUBE_UNAVAILABLE: 'the API server did not answer; look at it and at the network',
});

const CANCELLED = 'nothing, if you cancelled it; else look at what the message says';
const IMPERFECT = 'look at what the message names; all else is there';
const UNKNOWN = 'look at the log of the agent on that node';

export function adviceOf(failure: { readonly code: string; readonly phase: string }): string {
  const { code, phase } = failure;
  const isKnown = Object.hasOwn(BY_CODE, code);
  // It is a key of the table.
  const known = isKnown ? BY_CODE[code as ErrorCode] : undefined;
  if (known !== undefined) return known;
  if (code !== '') return `docs/errors.md has a paragraph about ${code}`;
  if (phase === 'Canceled') return CANCELLED;
  return phase === 'Completed' ? IMPERFECT : UNKNOWN;
}
