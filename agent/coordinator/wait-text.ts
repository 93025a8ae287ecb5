// Why a move waits, in words for an event: what to do about it is in docs/controller.md.

import type { SlotWait } from '#proto/slot-messages.ts';

const LIMITS: Readonly<Record<string, string>> = Object.freeze({
  node: 'of node',
  'storage-class': 'of storage class',
  location: 'of storage location',
  cluster: 'of the cluster',
});

export function waitText({ place, cause, limit }: SlotWait): string {
  const named = `the limit ${LIMITS[limit?.kind ?? ''] ?? ''} ${limit?.name ?? ''}`.trim();
  const why: Readonly<Record<SlotWait['cause'], string>> = {
    full: `${named} is reached`,
    kept: `room at ${named} is kept for one that goes first`,
    stopped: `${named} is 0`,
    gathering: 'further volumes of its group may come',
    starting: 'the controller has just started',
    next: 'it is about to begin',
    later: 'the controller says no more',
  };
  return `waits for a slot at place ${place} of the queue: ${why[cause]}`;
}
