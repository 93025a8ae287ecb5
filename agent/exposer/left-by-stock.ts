// What a stock agent has made for a move that one of ours has ended in its place: nobody else takes
// it away, and its content would delete the snapshot of the storage with it, as ours must not. It
// has no label; claim and pod have the move as their owner, and snapshot and content name each
// other by the name of the move (Velero 1.18.1 pkg/exposer/csi_snapshot.go, where CleanUp goes by
// names alone).

import type { KubeObject } from '#kube/kube-object.ts';
import type { VolumeSnapshot, VolumeSnapshotContent } from './exposed-objects.ts';
import { isMadeFor } from './made-for.ts';
import { type ExposedMove, MADE_FOR } from './made-objects.ts';

/** Claims and pods, whoever has made them. */
export function isOfMove(object: KubeObject, move: Pick<ExposedMove, 'uid'>): boolean {
  const { ownerReferences = [] } = object.metadata;
  return isMadeFor(object, move) || ownerReferences.some(({ uid }) => uid === move.uid);
}

export function isStockSnapshot(
  { metadata, spec }: VolumeSnapshot,
  { name }: Pick<ExposedMove, 'name'>,
): boolean {
  return !isOurs(metadata) && spec.source.volumeSnapshotContentName === name;
}

export function isStockContent(
  { metadata, spec }: VolumeSnapshotContent,
  { name, namespace }: Pick<ExposedMove, 'name' | 'namespace'>,
): boolean {
  const { volumeSnapshotRef: of } = spec;
  return !isOurs(metadata) && of.namespace === namespace && of.name === name;
}

/** Of this move or another. */
function isOurs({ labels }: KubeObject['metadata']): boolean {
  return labels?.[MADE_FOR] !== undefined;
}
