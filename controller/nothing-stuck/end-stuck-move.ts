// Writes the end of a stuck move: under the version that was read a moment ago, after one more look
// at everything that speaks against it. Who was faster, be it the agent, the server or another
// controller, is right.

import { ASSUMED_RULES } from '#agent/moves/crd-phases.ts';
import { isDataMove } from '#agent/moves/exposed-moves.ts';
import { messageLine } from '#agent/moves/move-message.ts';
import type { MoveObject } from '#agent/moves/objects/move-object.ts';
import { DATA_MOVE_FINALIZER } from '#agent/moves/objects/well-known-names.ts';
import { withEnd } from '#agent/moves/status-writes.ts';
import type { Clock } from '#engine/base/clock.ts';
import { isEngineError } from '#engine/base/errors.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { MoveRecord } from './move-record.ts';

export interface EndParts<Item> {
  readonly client: Pick<KubeClient, 'get' | 'replace'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly signal: AbortSignal;
  /** Asked of the object as it is now. */
  readonly isStillStuck: (now: Item) => Promise<boolean>;
}

/** Whether it was written. @throws KUBE_UNAVAILABLE, KUBE_FORBIDDEN, … */
export async function endStuckMove<Item extends MoveObject>(
  { resource, metadata }: MoveRecord,
  message: string,
  { client, clock, signal, isStillStuck }: EndParts<Item>,
): Promise<boolean> {
  const { name, namespace, uid } = metadata;
  try {
    const now = await client.get<Item>(resource, { name, namespace }, { signal });
    if (now.metadata.uid !== uid || !(await isStillStuck(now))) return false;
    // What the CRD of an old server does not have it leaves out.
    const end = { phase: 'Failed', nowMs: clock.now(), rules: ASSUMED_RULES } as const;
    // Any agent takes away first what was made for it, and be it its snapshot alone.
    const finalizer = isDataMove(resource) ? DATA_MOVE_FINALIZER : undefined;
    const ended = withEnd(now, { ...end, finalizer, message: messageLine(message) });
    await client.replace<Item>(resource, ended, { signal });
    return true;
  } catch (error) {
    if (isEngineError(error, 'KUBE_CONFLICT', 'KUBE_NOT_FOUND')) return false;
    throw error;
  }
}
