// A slot table with few words: nodes, requests and what was granted, by their ids.

import { SlotTable } from '#controller/slots/slot-table.ts';
import { DEFAULT_LIMITS, type SlotLimits } from '#controller/slots/slot-limits.ts';
import { PRIORITY_DEFAULT, type SlotGrant, type SlotRequest } from '#proto/slot-messages.ts';

export function newTable(
  limits: Partial<SlotLimits>,
  nodes: Readonly<Record<string, number>>,
): SlotTable {
  const table = new SlotTable(1, { ...DEFAULT_LIMITS, gatherMs: 0, ...limits });
  for (const [node, slotsMax] of Object.entries(nodes)) table.join(node, slotsMax);
  return table;
}

export function requestOf(id: string, facts: Partial<SlotRequest> = {}): SlotRequest {
  return {
    id,
    number: 1,
    namespace: 'default',
    pod: `pod-of-${id}`,
    storageClass: 'fast',
    location: 'bucket',
    priority: PRIORITY_DEFAULT,
    waitedMs: 0,
    ...facts,
  };
}

/** Members of a gang with a request each. */
export function gangOf(
  key: string,
  count: number,
  facts: Partial<SlotRequest> = {},
): SlotRequest[] {
  const gang = { key, count };
  return Array.from({ length: count }, (_, index) =>
    requestOf(`${key}${index + 1}`, { gang, ...facts }),
  );
}

export function idsOf(grants: readonly SlotGrant[]): string[] {
  return grants.map(({ id }) => id);
}
