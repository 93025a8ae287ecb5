// That an object belongs to a move: the API server takes it away after the move.

import { apiVersionOf, type OwnerReference, type Resource } from '#kube/kube-object.ts';
import type { MoveObject } from './objects/move-object.ts';

export function ownerOf({ metadata }: MoveObject, resource: Resource): OwnerReference {
  const { name, uid = '' } = metadata;
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, name, uid, controller: true };
}
