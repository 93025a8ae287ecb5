// What a reconciler asks of the engine: one volume into a repository, or out of it. Knows paths,
// repositories and snapshots, and nothing of custom resources; the reconcilers know nothing of
// files.

import type { MoveTrace } from './move-trace.ts';

/** A BackupRepository: one for each namespace, storage location and type. */
export interface RepositoryName {
  /** Namespace of the volumes at backup time. */
  readonly volumeNamespace: string;
  readonly backupStorageLocation: string;
}

export interface MoveProgress {
  readonly totalBytes: number;
  readonly bytesDone: number;
}

export interface MoveOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: MoveProgress) => void;
  /** A snapshot is about to be published: from now on there may be one, however the call ends. */
  readonly onPublish?: () => void;
  /** Of a move that is traced: told of stages as they begin. */
  readonly trace?: MoveTrace;
}

export interface PodVolume {
  readonly podUid: string;
  readonly podNamespace: string;
  readonly podName: string;
  /** Name in `pod.spec.volumes[]`. */
  readonly volume: string;
  /**
   * A device is read and written as it is; there is no done file on one. `Filesystem` if absent.
   */
  readonly volumeMode?: 'Filesystem' | 'Block';
}

export interface BackupOrder {
  readonly repository: RepositoryName;
  readonly volume: PodVolume;
  /**
   * Name and uid of the claim, where there is one: how a parent is found when the pod is another.
   */
  readonly claim?: { readonly name: string; readonly uid: string };
  /** The volume was made of a snapshot of this claim, which `claim` is then, too. */
  readonly snapshotOf?: { readonly namespace: string; readonly claim: string };
  /** Of the custom resource; the root entry's name and `status.path`. */
  readonly moveUid: string;
  /** Velero's `ParallelFilesUpload`: a wish, which a mover may leave aside and then says so. */
  readonly parallelFiles?: number;
}

export interface BackupResult {
  readonly snapshotId: string;
  readonly totalBytes: number;
  /** Bytes that were not served from the parent. */
  readonly incrementalBytes: number;
  readonly isEmpty: boolean;
  /** In the snapshot. */
  readonly fileCount?: number;
  /** Entries that are not in the snapshot, or not as they were. */
  readonly skippedCount: number;
  /** Directories among them, each with all that is in it. */
  readonly skippedDirectoryCount: number;
  /** The first few of them, directories before others, `path: what`, for status.message. */
  readonly skipped: readonly string[];
}

export interface PreCopyResult {
  readonly totalBytes: number;
  /** The rest was in earlier snapshots. */
  readonly bytesRead: number;
}

export interface RestoreOrder {
  readonly repository: RepositoryName;
  readonly volume: PodVolume;
  readonly snapshotId: string;
  /** Name of the done file: the uid of the Restore; where no pod waits for it there is none. */
  readonly doneFile?: string;
  readonly moveUid: string;
  readonly parallelFiles?: number;
}

export interface RestoreResult {
  /** The done file of this Restore was there: nothing was touched, and nothing was counted. */
  readonly wasDone?: boolean;
  readonly totalBytes: number;
  readonly fileCount?: number;
  /** Entries that are not there, a directory with all that is in it. */
  readonly missingCount: number;
  /** The first few of them, `path: why`. */
  readonly missing: readonly string[];
  /** What is not as it was of entries that are there. */
  readonly differenceCount: number;
  readonly differences: readonly string[];
}

/** What the object of a backup says in the end. */
export interface BackupEnd {
  /** The snapshot that it names, if any. */
  readonly reportedId: string | undefined;
  /** Nobody goes on with it: the states that its runs have saved go, too. */
  readonly isGivenUp: boolean;
}

export interface VolumeMover {
  /**
   * Durable, indexed and read again when it resolves. A later call with the same `moveUid`, or for
   * the same claim, goes on from the last checkpoint of one that was ended.
   * @throws SOURCE_UNREADABLE when the root, or all that is in it, cannot be read;
   *   VOLUME_NOT_FOUND, REPOSITORY_NOT_READY, REPOSITORY_PASSWORD_WRONG, ABORTED, …
   */
  backup(order: BackupOrder, options: MoveOptions): Promise<BackupResult>;

  /**
   * For when the object of a backup has come to its end, which is for good: takes away what runs of
   * that move have published and the object does not name. Best effort: never rejects.
   */
  forgetUnreported(order: BackupOrder, end: BackupEnd, signal: AbortSignal): Promise<void>;

  /**
   * The data is synced and the done file is there, synced too, when it resolves. Where it was there
   * before, the volume is its pod's already, and is left alone.
   * @throws TARGET_ENTRY_FAILED when there was something to restore and nothing of it is there
   */
  restore(order: RestoreOrder, options: MoveOptions): Promise<RestoreResult>;
}

/** Beside a VolumeMover: what comes before a scheduled backup. */
export interface PreCopier {
  /**
   * Publishes a checkpoint of the volume, from which its next backup goes on, and which goes with
   * that. One that is aborted leaves a checkpoint as a backup does. Waits for no repository.
   * @throws REPOSITORY_UNKNOWN where there was no backup yet, and what backup() throws
   */
  preCopy(
    order: Pick<BackupOrder, 'repository' | 'volume'>,
    options: Pick<MoveOptions, 'signal'>,
  ): Promise<PreCopyResult>;
}
