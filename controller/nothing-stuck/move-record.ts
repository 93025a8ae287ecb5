// What is kept of a move while it is followed.

import type { MoveObject, PodReference } from '#agent/moves/objects/move-object.ts';
import { isTerminal, phaseOf } from '#agent/moves/phases.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';

export interface MoveRecord extends KubeObject {
  readonly resource: Resource;
  readonly phase: string | undefined;
  readonly node: string | undefined;
  readonly pod: PodReference | undefined;
}

/** Not at its end, and not being deleted. */
export function isOpen({ phase, metadata }: MoveRecord): boolean {
  const known = phaseOf(phase);
  return known !== undefined && !isTerminal(known) && metadata.deletionTimestamp === undefined;
}

/** Little of each: of ten thousand there are mostly such that have ended. */
export function recordOf(resource: Resource, object: KubeObject): MoveRecord {
  // What lists and watches of that resource give.
  const { metadata, spec, status } = object as MoveObject & {
    readonly spec: { readonly node?: string };
    readonly status?: { readonly node?: string };
  };
  const { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp } = metadata;
  const kept = { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp };
  const node = spec.node ?? status?.node;
  return {
    apiVersion: `${resource.group}/${resource.version}`,
    kind: resource.kind,
    metadata: kept,
    resource,
    phase: status?.phase,
    node: node === '' ? undefined : node,
    pod: spec.pod,
  };
}
