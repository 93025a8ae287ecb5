// What is kept of a move while it is followed.

import { type ExposedItem, isOrderFor } from '#agent/moves/exposed-moves.ts';
import type { PodReference } from '#agent/moves/objects/move-object.ts';
import { isTerminal, phaseOf } from '#agent/moves/phases.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';

export interface MoveRecord extends KubeObject {
  readonly resource: Resource;
  readonly phase: string | undefined;
  readonly node: string | undefined;
  /** For a data mover of somebody else, whose rules we do not know. */
  readonly isForeign: boolean;
  readonly pod: PodReference | undefined;
}

/** Not at its end, and not being deleted. */
export function isOpen({ phase, metadata, isForeign }: MoveRecord): boolean {
  const known = phaseOf(phase);
  if (known === undefined || isTerminal(known) || isForeign) return false;
  return metadata.deletionTimestamp === undefined;
}

/** Little of each: of ten thousand there are mostly such that have ended. */
export function recordOf(resource: Resource, object: KubeObject): MoveRecord {
  // What lists and watches of that resource give.
  const move = object as ExposedItem & { readonly spec: { readonly node?: string } };
  const { metadata, spec, status } = move;
  const { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp } = metadata;
  const kept = { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp };
  const nodes = [spec.node, status?.node, status?.acceptedByNode];
  return {
    apiVersion: `${resource.group}/${resource.version}`,
    kind: resource.kind,
    metadata: kept,
    resource,
    phase: status?.phase,
    node: nodes.find(node => node !== undefined && node !== ''),
    isForeign: !isOrderFor('velero', move),
    pod: spec.pod,
  };
}
