// Whether an object was made for a move. One of that name may be anybody's, and stays.

import type { KubeObject } from '#kube/kube-object.ts';
import { type ExposedMove, MADE_FOR } from './made-objects.ts';

export function isMadeFor({ metadata }: KubeObject, { uid }: Pick<ExposedMove, 'uid'>): boolean {
  return metadata.labels?.[MADE_FOR] === uid;
}

export function isInTheWay({ kind = 'an object', metadata }: KubeObject): string {
  const { name } = metadata;
  return `${kind} ${name} is in the way: it was not made for this; delete it, and try again`;
}
