// Which copies ahead of backups are to be stopped because a move waits for their slots: they are
// done again when there is room, and nobody is frozen meanwhile. Pure.

import { PRE_COPY_ID_PREFIX } from '#proto/wire-limits.ts';
import { describeQueue } from './describe-queue.ts';
import type { GaugeName } from './gauge.ts';
import type { Slot, SlotTable } from './slot-table.ts';

/** Ids; as many as there are moves that wait at a limit, those that have begun last in front. */
export function preCopiesInTheWay(table: SlotTable, nowMs: number): string[] {
  const copies = table
    .uses()
    .filter(({ kind, used }) => kind === 'node' && used > 0)
    .flatMap(({ name }) => table.heldBy(name))
    .filter(({ volume }) => isPreCopy(volume.id))
    .sort((one, other) => other.sinceMs - one.sinceMs);
  // Describing the queue takes milliseconds where thousands wait.
  if (copies.length === 0 || table.waitingCount === 0) return [];
  const waiting = new Map<string, number>();
  for (const { id, cause } of describeQueue(table, nowMs, false)) {
    if (isPreCopy(id) || cause.kind !== 'full') continue;
    const limit = keyOf(cause.limit);
    waiting.set(limit, (waiting.get(limit) ?? 0) + 1);
  }
  return copies.filter(copy => takesFrom(waiting, copy)).map(({ volume }) => volume.id);
}

function takesFrom(waiting: Map<string, number>, { volume, node }: Slot): boolean {
  const { location, storageClass } = volume.gauges;
  const cluster = { kind: 'cluster', name: '' } as const;
  const limits = [node, location, storageClass, cluster].map(keyOf);
  const at = limits.find(limit => (waiting.get(limit) ?? 0) > 0);
  if (at === undefined) return false;
  waiting.set(at, (waiting.get(at) ?? 0) - 1);
  return true;
}

function isPreCopy(id: string): boolean {
  return id.startsWith(PRE_COPY_ID_PREFIX);
}

function keyOf({ kind, name }: GaugeName): string {
  return `${kind} ${name}`;
}
