// A volume that the controller wants to be copied ahead of its scheduled backup
// (proto/coordinator.proto PreCopy), and what such a copy is called where moves are counted.

export interface WantedVolume {
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  /** In its pod. */
  readonly volumeName: string;
  /** Name of the claim that it is made from; empty where there is none, or none is known. */
  readonly claim: string;
  /** Name of the BackupStorageLocation. */
  readonly location: string;
  /** Names the backup that is due. */
  readonly dueMs: number;
  /** When it is told. */
  readonly leftMs: number;
}

/**
 * In place of the uid of a custom resource; the controller knows by its beginning that the slot may
 * be wanted back (proto/wire-limits.ts PRE_COPY_ID_PREFIX).
 */
export function idOf({ podUid, volumeName, location }: WantedVolume): string {
  return `pre-copy/${podUid}/${volumeName}/${location}`;
}
