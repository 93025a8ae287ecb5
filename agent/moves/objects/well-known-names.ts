// Names that a Velero server, its agents and its helper have agreed on (Velero
// pkg/apis/velero/v1/labels_annotations.go, pkg/controller/pod_volume_backup_controller.go).

export const LABELS = Object.freeze({
  backupName: 'velero.io/backup-name',
  backupUid: 'velero.io/backup-uid',
  restoreName: 'velero.io/restore-name',
  restoreUid: 'velero.io/restore-uid',
  podUid: 'velero.io/pod-uid',
  claimUid: 'velero.io/pvc-uid',
  /** On mover pods of a stock agent, with the name of the custom resource as value. */
  podVolumeBackup: 'velero.io/pod-volume-backup',
  podVolumeRestore: 'velero.io/pod-volume-restore',
  dataUpload: 'velero.io/data-upload',
  dataDownload: 'velero.io/data-download',
  /** Stock agents set it while an object is Accepted or Prepared, and count those that have it. */
  exposeOnGoing: 'velero.io/expose-on-going',
});

export const ANNOTATIONS = Object.freeze({
  claimName: 'velero.io/pvc-name',
  /** On pods: names of the volumes to be backed up, with commas between them. */
  backupVolumes: 'backup.velero.io/backup-volumes',
  /** Ours, on pods: those with the same value are frozen and moved together. */
  group: 'stevedore.io/group',
  /** Ours, on pods: who goes first, 0 to 9. */
  priority: 'stevedore.io/priority',
  /** Ours, on moves that are traced: 32 digits. */
  traceId: 'stevedore.io/trace-id',
  /** On moves, by whoever wants them in a trace of his (W3C Trace Context). */
  traceParent: 'traceparent',
});

/** A stock agent puts it on every object that is not terminal, and removes it from the others. */
export const POD_VOLUME_FINALIZER = 'velero.io/pod-volume-finalizer';

/** The same for DataUploads and DataDownloads (pkg/controller/data_upload_controller.go). */
export const DATA_MOVE_FINALIZER = 'velero.io/data-upload-download-finalizer';

/** The init container in which a restored pod waits for its volumes. */
export const RESTORE_WAIT_CONTAINER = 'restore-wait';

/**
 * What the server writes into `status.message` beside `spec.cancel` when it finds a move of a run
 * that it does not remember (pkg/cmd/server/server.go). Nobody waits for such a move.
 */
export const SERVER_RESTART_MESSAGE = 'during the velero server starting';
