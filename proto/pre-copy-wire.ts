// Which volumes of a node are to be copied ahead of their backups, as the wire carries it.

import type { PreCopies as WirePreCopies } from './generated/stevedore/v1/PreCopies.ts';
import type { PreCopies__Output as ReadPreCopies } from './generated/stevedore/v1/PreCopies.ts';
import type { PreCopy__Output as ReadPreCopy } from './generated/stevedore/v1/PreCopy.ts';
import { requireCount, requireList, requireName, requireText } from './wire-fields.ts';
import { PRE_COPIES_MAX } from './wire-limits.ts';

/** A volume that is wanted ahead of a backup. */
export interface PreCopy {
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  /** In its pod. */
  readonly volumeName: string;
  /** Name of the claim that it is made from; empty where there is none, or none is said. */
  readonly claim: string;
  /** Name of the BackupStorageLocation. */
  readonly location: string;
  /** By the controller's clock. */
  readonly dueMs: number;
  /** Until then. */
  readonly leftMs: number;
}

/** What is more than a message may carry comes when the first of them are over. */
export function preCopiesToWire(volumes: readonly PreCopy[]): WirePreCopies {
  return { volumes: volumes.slice(0, PRE_COPIES_MAX) };
}

/** @throws COORDINATOR_MESSAGE_INVALID */
export function preCopiesFromWire({ volumes }: ReadPreCopies): PreCopy[] {
  return requireList(volumes, 'pre-copies', PRE_COPIES_MAX).map(preCopyFromWire);
}

function preCopyFromWire(wire: ReadPreCopy): PreCopy {
  return {
    namespace: requireName(wire.namespace, 'namespace'),
    pod: requireName(wire.pod, 'pod'),
    podUid: requireName(wire.podUid, 'pod_uid'),
    volumeName: requireName(wire.volumeName, 'volume_name'),
    claim: requireText(wire.claim, 'claim'),
    location: requireName(wire.location, 'location'),
    dueMs: requireCount(wire.dueMs, 'due_ms'),
    leftMs: requireCount(wire.leftMs, 'left_ms'),
  };
}
