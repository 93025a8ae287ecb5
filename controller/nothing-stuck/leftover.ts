// What was made for a move and is there when the move has ended. Velero's agents make a pod for
// each move, and claims for it: they delete them when they write the end, so what remains is of an
// agent that is gone, or of a move that somebody else has ended. Kubernetes deletes it with the
// move, which stays as long as its Backup.
//
// Only what is beyond doubt counts: in Velero's namespace, named and labelled as Velero's exposers
// do it, and with that one move, and nothing else, as its owner (Velero pkg/exposer
// pod_volume.go, csi_snapshot.go, generic_restore.go, cache_volume.go, 1.16 to 1.18).

import { LABELS } from '#agent/moves/objects/well-known-names.ts';
import { isTerminal, phaseOf } from '#agent/moves/phases.ts';
import { CLAIMS, PODS } from '#kube/core-resources.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import type { MoveRecord } from './move-record.ts';

export interface Leftover extends KubeObject {
  readonly resource: Resource;
  /** At its end. */
  readonly move: MoveRecord;
  /** Whose agent would care for it; undefined where that is not known. */
  readonly node: string | undefined;
}

/** Of the pods for moves of that kind; its value is the name of the move. */
export const MOVER_LABELS: Readonly<Record<string, string>> = Object.freeze({
  PodVolumeBackup: LABELS.podVolumeBackup,
  PodVolumeRestore: LABELS.podVolumeRestore,
  DataUpload: 'velero.io/data-upload',
  DataDownload: 'velero.io/data-download',
});
/** The volume that is read or filled, and the cache of a restore. */
const CLAIM_ENDINGS = ['', '-cache'];

/** `moves`: by uid, all that have ended. */
export function leftoverOf(
  resource: Resource,
  object: KubeObject & { readonly spec?: { readonly nodeName?: string } },
  moves: ReadonlyMap<string, MoveRecord>,
): Leftover | undefined {
  const { metadata, spec } = object;
  const [owner, another] = metadata.ownerReferences ?? [];
  const move = moves.get(owner?.uid ?? '');
  if (move === undefined || another !== undefined || owner?.controller !== true) return undefined;
  const { name, namespace } = move.metadata;
  const isOwned = owner.kind === move.resource.kind && owner.name === name;
  const isOfVelero = owner.apiVersion.startsWith('velero.io/');
  if (!isOwned || !isOfVelero || namespace !== metadata.namespace) return undefined;
  if (metadata.deletionTimestamp !== undefined) return undefined;
  if (!isMadeFor(name, resource, object, MOVER_LABELS[move.resource.kind])) return undefined;
  return { resource, metadata, move, node: spec?.nodeName ?? move.node };
}

/** By one of ours or of Velero's; what others do with theirs is their affair. */
export function isEnded({ phase, isForeign }: MoveRecord): boolean {
  const known = phaseOf(phase);
  return known !== undefined && isTerminal(known) && !isForeign;
}

function isMadeFor(
  move: string,
  { plural }: Resource,
  { metadata: { name, labels = {} } }: KubeObject,
  label: string | undefined,
): boolean {
  if (plural === CLAIMS.plural) return CLAIM_ENDINGS.some(ending => name === move + ending);
  return plural === PODS.plural && name === move && labels[label ?? ''] === move;
}
