// How many volumes may move at once, and how waiting is weighed. Can be changed while moves run:
// what is above a lowered limit runs to its end, and nothing begins until there is room again.

import { EngineError } from '#engine/base/errors.ts';
import { LEASE_MS, PRIORITY_MAX } from '#proto/slot-messages.ts';

export interface SlotLimits {
  readonly clusterMax: number;
  /** Of each node, whatever its agent says; undefined for what the agent says. */
  readonly nodeMax?: number;
  /** Per storage class; one that is not named has no limit of its own. 0 holds it back. */
  readonly storageClassMax: Readonly<Record<string, number>>;
  /** Per BackupStorageLocation, likewise. */
  readonly locationMax: Readonly<Record<string, number>>;
  /** What a step of priority is worth in waiting; see `overdueAfterMs`. */
  readonly ageingMs: number;
  /** How long a gang of unknown size waits for further members. */
  readonly gatherMs: number;
  readonly leaseMs: number;
}

export const DEFAULT_LIMITS: SlotLimits = Object.freeze({
  clusterMax: 4,
  storageClassMax: Object.freeze({}),
  locationMax: Object.freeze({}),
  ageingMs: 3_600_000,
  gatherMs: 5_000,
  leaseMs: LEASE_MS,
});

/** Requests of all agents together; what is beyond asks again with the next report. */
export const WAITING_MAX = 20_000;
/** Members of a gang that get their slots together; the next ones are a gang of their own. */
export const GANG_MEMBERS_MAX = 256;
/** More waiting than this counts as this much, whatever an agent says. */
export const WAITED_MS_MAX = 7 * 86_400_000;

/** A request that has waited for so long goes before all that are not overdue, the oldest first. */
export function overdueAfterMs(priority: number, ageingMs: number): number {
  return (PRIORITY_MAX + 1 - priority) * ageingMs;
}

export interface WaitFacts {
  readonly priority: number;
  readonly ageingMs: number;
  /** The longest move, or the lease time where that is more. */
  readonly longestMoveMs: number;
  /** Requests that become overdue before this one, and members of gangs that have begun. */
  readonly aheadCount: number;
}

/**
 * No request waits longer than this, whatever others ask for: it becomes overdue; then only
 * `aheadCount` others may go first, and whoever is first waits for at most one move at each of the
 * four limits (node, storage class, location, cluster), because what becomes free is kept for it.
 */
export function waitBoundMs(facts: WaitFacts): number {
  const { priority, ageingMs, longestMoveMs, aheadCount } = facts;
  return overdueAfterMs(priority, ageingMs) + (aheadCount + 1) * 4 * longestMoveMs;
}

/** @throws USAGE names the value that is no limit */
export function requireLimits(limits: SlotLimits): void {
  requireCount('clusterMax', limits.clusterMax, 0);
  if (limits.nodeMax !== undefined) requireCount('nodeMax', limits.nodeMax, 0);
  requireCount('ageingMs', limits.ageingMs, 1);
  requireCount('gatherMs', limits.gatherMs, 0);
  requireCount('leaseMs', limits.leaseMs, 1);
  for (const key of ['storageClassMax', 'locationMax'] as const) {
    for (const [name, count] of Object.entries(limits[key])) {
      requireCount(`${key}.${name}`, count, 0);
    }
  }
}

function requireCount(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  const message = `${name} is ${value}; it must be a whole number of at least ${least}`;
  throw new EngineError('USAGE', message);
}
