// The names under which Velero's own agent stores a volume, so that its restores find our
// snapshots, its backups take them for their parents, and the server deletes them (velero 1.18.1
// pkg/podvolume/backup_micro_service.go, pkg/uploader/kopia/snapshot.go). Pure.

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
/** Kept as labels of the manifest, without the `tag:` that kopia's command puts before them. */
const TAGS = Object.freeze({ 'snapshot-requester': 'snapshot-pod-volume', ...UPLOADER });

/**
 * The path has the name of the pod in it, which is another one after each roll-out of a Deployment.
 * So we add tags that lead to the claim; stock looks at its own two alone.
 */
export function veleroNames(
  { volume, moveUid }: Pick<BackupOrder, 'volume' | 'moveUid'>,
  claim: VolumeClaim | undefined,
): VeleroNames {
  const { podNamespace, podName } = volume;
  const name = claim?.name ?? volume.volume;
  const path = `snapshot-pod-volume/kopia/${podNamespace}/${podName}/${name}`;
  const isKnown = claim !== undefined && claim.uid !== '';
  return {
    source: { user: 'default', host: 'default', path },
    description: 'Kopia Uploader',
    tags: isKnown
      ? { ...TAGS, ns: podNamespace, pvc: claim.name, 'pvc-uid': claim.uid }
      : { ...TAGS, ns: podNamespace },
    // Keeps retention of kopia's command away from it: Velero alone decides how long it lives.
    pins: ['velero-pin'],
    rootName: moveUid,
    // Whoever asked for it: a stock agent of 1.16 has another requester, another path, and the tags
    // of the PodVolumeBackup, with this one (v1.16.2 pkg/controller/pod_volume_backup_controller.go
    // pVBRRequestor, pkg/podvolume/backupper.go newPodVolumeBackup).
    relatedTags: isKnown ? { ...UPLOADER, 'pvc-uid': claim.uid } : undefined,
  };
}
