// Why a move waits, in words for an event: what to do about it is in docs/controller.md.

import type { SlotWait } from '#proto/slot-messages.ts';

const LIMITS: Readonly<Record<string, string>> = Object.freeze({
  node: 'of node',
  'storage-class': 'of storage class',
  location: 'of storage location',
  cluster: 'of the cluster',
});

export function waitText(wait: SlotWait): string {
  return `waits for a slot at place ${wait.place} of the queue: ${causeText(wait)}`;
}

/** `first`: whom room is kept for. */
export function causeText({ cause, limit }: SlotWait, first = 'one that goes first'): string {
  const named = `the limit ${LIMITS[limit?.kind ?? ''] ?? ''} ${limit?.name ?? ''}`.trim();
  const why: Readonly<Record<SlotWait['cause'], string>> = {
    full: `${named} is reached`,
    kept: `room at ${named} is kept for ${first}`,
    stopped: `${named} is 0`,
    gathering: 'further volumes of its group may come',
    starting: 'the controller has just started',
    next: 'it is about to begin',
    later: 'the controller says no more',
  };
  return why[cause];
}
