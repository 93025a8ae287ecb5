// The names under which Velero's own agent stores a volume, so that its restores find our
// snapshots, its backups take them for their parents, and the server deletes them (velero 1.18.1
// pkg/podvolume/backup_micro_service.go, pkg/datamover/backup_micro_service.go,
// pkg/uploader/kopia/snapshot.go). Pure.

import type { BackupRequest } from '#engine/index.ts';
import type { BackupOrder } from '#agent/moves/volume-mover.ts';

/** What a backup is called, and which earlier ones are of the same volume. */
export type VeleroNames = Required<
  Pick<BackupRequest, 'source' | 'description' | 'tags' | 'pins' | 'rootName'>
> &
  Pick<BackupRequest, 'relatedTags'>;

interface VolumeClaim {
  readonly name: string;
  readonly uid: string;
}

const UPLOADER = Object.freeze({ 'snapshot-uploader': 'kopia' });
/**
 * Who asks for the snapshot of a pod's volume, or of one that was made of a volume snapshot: the
 * first part of a path, and a tag.
 */
export const REQUESTERS = ['snapshot-pod-volume', 'snapshot-data-upload-download'] as const;
type Requester = (typeof REQUESTERS)[number];

/**
 * The path has the name of the pod in it, which is another one after each roll-out of a Deployment.
 * So we add tags that lead to the claim; stock looks at its own two alone.
 */
export function veleroNames(
  { volume, moveUid, snapshotOf }: Pick<BackupOrder, 'volume' | 'moveUid' | 'snapshotOf'>,
  claim: VolumeClaim | undefined,
): VeleroNames {
  const { podNamespace, podName } = volume;
  const requester: Requester = snapshotOf ? 'snapshot-data-upload-download' : 'snapshot-pod-volume';
  const namespace = snapshotOf?.namespace ?? podNamespace;
  const names = snapshotOf ? [snapshotOf.claim] : [podName, claim?.name ?? volume.volume];
  const path = [requester, 'kopia', namespace, ...names].join('/');
  const isKnown = claim !== undefined && claim.uid !== '';
  // Kept as labels of the manifest, without the `tag:` that kopia's command puts before them.
  const tags = { 'snapshot-requester': requester, ...UPLOADER, ns: namespace };
  return {
    source: { user: 'default', host: 'default', path },
    description: 'Kopia Uploader',
    tags: isKnown ? { ...tags, pvc: claim.name, 'pvc-uid': claim.uid } : tags,
    // Keeps retention of kopia's command away from it: Velero alone decides how long it lives.
    pins: ['velero-pin'],
    // Velero's mover has the device at `/<uid>`, and names it by its path, not by its last name
    // (pkg/util/kube/pvc_pv.go MakePodPVCAttachment, pkg/uploader/kopia/block_backup.go).
    rootName: volume.volumeMode === 'Block' ? `/${moveUid}` : moveUid,
    // Whoever asked for it: a stock agent of 1.16 has another requester, another path, and the tags
    // of the PodVolumeBackup, with this one (v1.16.2 pkg/controller/pod_volume_backup_controller.go
    // pVBRRequestor, pkg/podvolume/backupper.go newPodVolumeBackup).
    relatedTags: isKnown ? { ...UPLOADER, 'pvc-uid': claim.uid } : undefined,
  };
}
