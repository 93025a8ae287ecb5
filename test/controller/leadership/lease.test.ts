// When a Lease may be taken, and what is written then, as tables.

import t from 'tap';
import {
  claimedLease,
  freeAtMs,
  type Lease,
  leaseTimes,
  nextEpoch,
  releasedLease,
  renewedLease,
  seeLease,
} from '#controller/leadership/lease.ts';

const LEASE_MS = 10_000;
const NAME = { namespace: 'velero', name: 'stevedore-controller' };
const NOW_MS = Date.UTC(2026, 10, 27);
const NOW_MINUTES = NOW_MS / 60_000;

function lease(spec: Lease['spec']): Lease {
  return { metadata: { ...NAME, resourceVersion: '7' }, spec };
}

t.test('a Lease is free when nobody holds it or when it has not changed for long', async t => {
  const held = lease({ holderIdentity: 'other', leaseDurationSeconds: 4, renewTime: 'a' });
  const freeAfter = (found: Lease | undefined) =>
    freeAtMs(seeLease(undefined, found, 1_000), 'me', LEASE_MS);
  t.equal(freeAfter(undefined), -Infinity, 'there is none');
  t.equal(freeAfter(lease({ holderIdentity: '' })), -Infinity, 'given back');
  t.equal(freeAfter(lease({})), -Infinity, 'made by a person');
  t.equal(freeAfter(lease({ holderIdentity: 'me' })), -Infinity, 'ours, of a term before');
  t.equal(freeAfter(held), 5_000, 'so long as its holder has said');
  t.equal(freeAfter(lease({ holderIdentity: 'other' })), 11_000, 'or as we would');
});

t.test('each change of what it says begins its time anew, a new version does not', async t => {
  const first = lease({ holderIdentity: 'other', renewTime: 'a' });
  const touched: Lease = { ...first, metadata: { ...NAME, resourceVersion: '8' } };
  const renewed = lease({ holderIdentity: 'other', renewTime: 'b' });
  let seen = seeLease(undefined, first, 0);
  seen = seeLease(seen, touched, 1_000);
  t.equal(freeAtMs(seen, 'me', LEASE_MS), 10_000);
  t.equal(seen.lease, touched, 'the newest is what is written over');
  seen = seeLease(seen, renewed, 2_000);
  t.equal(freeAtMs(seen, 'me', LEASE_MS), 12_000);
});

t.test('one that has vanished is waited for: its holder may not know', async t => {
  let seen = seeLease(undefined, lease({ holderIdentity: 'other' }), 0);
  seen = seeLease(seen, undefined, 1_000);
  t.equal(freeAtMs(seen, 'me', LEASE_MS), 11_000);
  seen = seeLease(seen, undefined, 5_000);
  t.equal(freeAtMs(seen, 'me', LEASE_MS), 11_000, 'from when it was missed first');
});

t.test('epochs grow with each leader, and where the Lease was deleted', async t => {
  t.equal(nextEpoch(0, NOW_MS), NOW_MINUTES);
  t.equal(nextEpoch(3, NOW_MS), NOW_MINUTES);
  t.equal(nextEpoch(NOW_MINUTES + 5, NOW_MS), NOW_MINUTES + 6);
  t.ok(nextEpoch(0, NOW_MS) < 2 ** 31, 'it is an int32');
});

t.test('what is written is a Lease as the API server takes it', async t => {
  const claim = { name: NAME, identity: 'me', leaseMs: 2_500, latestEpoch: 0, nowMs: NOW_MS };
  const annotated: Lease = {
    metadata: { ...NAME, resourceVersion: '7', annotations: { a: 'b' } },
    spec: { holderIdentity: 'other', leaseTransitions: NOW_MINUTES },
  };
  const claimed = claimedLease(annotated, claim);
  const now = '2026-11-27T00:00:00.000000Z';
  t.strictSame(claimed, {
    metadata: annotated.metadata,
    spec: {
      holderIdentity: 'me',
      leaseDurationSeconds: 3,
      acquireTime: now,
      renewTime: now,
      leaseTransitions: NOW_MINUTES + 1,
    },
  });
  t.strictSame(claimedLease(undefined, claim).metadata, NAME);
  const latestEpoch = NOW_MINUTES + 9;
  const again = claimedLease(annotated, { ...claim, latestEpoch }).spec;
  t.equal(again?.leaseTransitions, latestEpoch + 1, 'one that was deleted meanwhile counts');
  t.match(renewedLease(claimed, NOW_MS + 1).spec, { renewTime: '2026-11-27T00:00:00.001000Z' });
  const released = releasedLease(claimed, NOW_MS).spec;
  t.match(released, { holderIdentity: '', leaseTransitions: NOW_MINUTES + 1 });
});

t.test('a leader has stopped before others may take over', async t => {
  for (const leaseMs of [1_000, LEASE_MS, 60_000]) {
    const { renewWithinMs, retryMs, attemptMs } = leaseTimes(leaseMs);
    t.ok(renewWithinMs < leaseMs);
    t.ok(retryMs + attemptMs < renewWithinMs, 'and it has time for more than one attempt');
  }
});
