// The Lease by which one of several controllers leads (coordination.k8s.io/v1), and what follows
// from what was seen of it. Pure. The rules are those of client-go (tools/leaderelection): a Lease
// is free when it has not changed for its duration by the watcher's own clock, so that clocks need
// not agree.

import type { KubeObject, ObjectName, Resource } from '#kube/kube-object.ts';

/** What of it is read. Fields that are not named here survive a rewrite. */
export interface Lease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

export const LEASES: Resource = Object.freeze({
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  isNamespaced: true,
});

export interface LeaseTimes {
  /** Others wait for so long after the last sign of life. */
  readonly leaseMs: number;
  /** Who leads stops so long after it sent the last renewal that came through. */
  readonly renewWithinMs: number;
  /** Between two renewals, and between two looks of others. */
  readonly retryMs: number;
  /** For one question to the API server. */
  readonly attemptMs: number;
}

/** client-go's 15, 10 and 2 s, in proportion; so that four renewals may fail in a row. */
export function leaseTimes(leaseMs: number): LeaseTimes {
  return {
    leaseMs,
    renewWithinMs: (leaseMs * 2) / 3,
    retryMs: leaseMs / 8,
    attemptMs: leaseMs / 4,
  };
}

/** What is there, and since when it has looked so. */
export interface SeenLease {
  readonly lease: Lease | undefined;
  readonly sinceMs: number;
  /** There was one before that has gone: whoever held it may not know yet. */
  readonly hasVanished: boolean;
}

export function seeLease(
  before: SeenLease | undefined,
  lease: Lease | undefined,
  nowMs: number,
): SeenLease {
  if (before === undefined) return { lease, sinceMs: nowMs, hasVanished: false };
  if (recordOf(before.lease) === recordOf(lease)) return { ...before, lease };
  return { lease, sinceMs: nowMs, hasVanished: lease === undefined };
}

/** When it may be taken; in the past where it is free. `identity` is who asks. */
export function freeAtMs(seen: SeenLease, identity: string, leaseMs: number): number {
  const { lease, sinceMs, hasVanished } = seen;
  if (lease === undefined) return hasVanished ? sinceMs + leaseMs : Number.NEGATIVE_INFINITY;
  const { holderIdentity: holder = '', leaseDurationSeconds } = lease.spec ?? {};
  if (holder === '' || holder === identity) return Number.NEGATIVE_INFINITY;
  const ownMs = leaseDurationSeconds === undefined ? leaseMs : leaseDurationSeconds * 1000;
  return sinceMs + ownMs;
}

/** Who leads by what was seen; empty for nobody: it was given back, or not renewed in time. */
export function leaderOf({ lease, sinceMs }: SeenLease, leaseMs: number, nowMs: number): string {
  const { holderIdentity: holder = '', leaseDurationSeconds } = lease?.spec ?? {};
  const ownMs = leaseDurationSeconds === undefined ? leaseMs : leaseDurationSeconds * 1000;
  return nowMs < sinceMs + leaseTimes(ownMs).renewWithinMs ? holder : '';
}

/** Of who leads by it: 0 where nobody ever has. */
export function epochOf(lease: Lease | undefined): number {
  return lease?.spec?.leaseTransitions ?? 0;
}

/**
 * After the latest that is known. It is at least the number of minutes since 1970, so that it grows
 * even where somebody has deleted the Lease: agents that know a later epoch than their controller's
 * would take no grant, for ever.
 */
export function nextEpoch(latestEpoch: number, nowMs: number): number {
  return Math.max(latestEpoch + 1, Math.floor(nowMs / 60_000));
}

export interface Claim {
  readonly name: ObjectName;
  readonly identity: string;
  readonly leaseMs: number;
  /** Of any Lease of this name that was ever seen. */
  readonly latestEpoch: number;
  /** Since 1970. */
  readonly nowMs: number;
}

/** To be written in place of `lease`, or to be created where there is none. */
export function claimedLease(lease: Lease | undefined, claim: Claim): Lease {
  const { name, identity, leaseMs, nowMs } = claim;
  const latestEpoch = Math.max(claim.latestEpoch, epochOf(lease));
  const now = microTime(nowMs);
  return {
    ...lease,
    metadata: { ...(lease?.metadata ?? name) },
    spec: {
      ...lease?.spec,
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseMs / 1000),
      acquireTime: now,
      renewTime: now,
      leaseTransitions: nextEpoch(latestEpoch, nowMs),
    },
  };
}

export function renewedLease(lease: Lease, nowMs: number): Lease {
  return { ...lease, spec: { ...lease.spec, renewTime: microTime(nowMs) } };
}

/** Free for the next one, at once. */
export function releasedLease(lease: Lease, nowMs: number): Lease {
  const renewTime = microTime(nowMs);
  return { ...lease, spec: { ...lease.spec, holderIdentity: '', renewTime } };
}

/** metav1.MicroTime, which has six digits and takes no fewer. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}

function recordOf(lease: Lease | undefined): string | undefined {
  return lease && JSON.stringify(lease.spec ?? {});
}
