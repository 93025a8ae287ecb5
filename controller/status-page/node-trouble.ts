// How near a node is to trouble, in words and as an order: what already hurts first, then what will
// soon, then the nodes with the least room between their disk and the line at which the kubelet
// evicts pods.

import { formatBytes } from '#engine/cli/quantity.ts';
import type { NodeOverview } from '#proto/overview-messages.ts';

export interface NodeTrouble {
  /** 2: it hurts. 1: look at it. 0: all is well. */
  readonly level: 0 | 1 | 2;
  readonly text: string;
  /** Room to the line by its height, else by the share of the cache that is free; less is worse. */
  readonly room: number;
}

/** Room above the line, as a share of its height. The cache keeps away from it by more. */
const NEAR_LINE = 0.05;
const MEMORY_SHARE = 0.9;

export function troubleOf(node: NodeOverview): NodeTrouble {
  const { heartbeat, isConnected, slotsMax } = node;
  const room = roomOf(node);
  const distance = distanceToLine(node);
  if (!isConnected) return { level: 2, text: 'no session: its agent is not heard', room };
  if (heartbeat === undefined) return { level: 0, text: 'has just come', room };
  if (distance !== undefined && distance <= 0) {
    return { level: 2, text: 'disk is beyond the line: the kubelet evicts pods', room };
  }
  if (distance !== undefined && room < NEAR_LINE) {
    return { level: 1, text: `disk is ${formatBytes(distance)} from the line`, room };
  }
  if (heartbeat.cache?.limitBytes === 0) {
    return { level: 1, text: 'no room for its cache', room };
  }
  const { usedBytes, limitBytes = Infinity } = heartbeat.memory;
  if (usedBytes > limitBytes * MEMORY_SHARE) return { level: 1, text: 'little memory left', room };
  if (slotsMax === 0) return { level: 1, text: 'takes no moves', room };
  return { level: 0, text: 'well', room };
}

/** Above it; undefined where there is none, or nobody says so. */
export function distanceToLine({ heartbeat }: NodeOverview): number | undefined {
  const line = heartbeat?.cache?.evictionLineBytes;
  const free = heartbeat?.diskFreeBytes;
  return line === undefined || free === undefined ? undefined : free - line;
}

/** The worst first. */
export function byTrouble(nodes: readonly NodeOverview[]): [NodeOverview, NodeTrouble][] {
  return nodes
    .map((node): [NodeOverview, NodeTrouble] => [node, troubleOf(node)])
    .sort(([one, its], [other, others]) => {
      const order = others.level - its.level || compare(its.room, others.room);
      return order || (one.name < other.name ? -1 : 1);
    });
}

function roomOf(node: NodeOverview): number {
  const cache = node.heartbeat?.cache;
  const distance = distanceToLine(node);
  const line = cache?.evictionLineBytes ?? 0;
  if (distance !== undefined && line > 0) return distance / line;
  if (cache === undefined || cache.limitBytes === 0) return Infinity;
  const taken = cache.usedBytes + (cache.reservedBytes ?? 0);
  // A full cache is no trouble by itself: behind all that have a line.
  return 1_000 + (cache.limitBytes - taken) / cache.limitBytes;
}

/** Infinite ones are equal. */
function compare(one: number, other: number): number {
  return one === other ? 0 : one - other;
}
