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

/** Kept as labels of the manifest, without the `tag:` that kopia's command puts before them. */
const TAGS = Object.freeze({
  'snapshot-requester': 'snapshot-pod-volume',
  'snapshot-uploader': 'kopia',
});

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
    relatedTags: isKnown ? { ...TAGS, 'pvc-uid': claim.uid } : undefined,
  };
}
