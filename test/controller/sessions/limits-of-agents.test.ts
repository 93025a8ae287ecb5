// The rules of who may say how much, and of whose a token is, as tables.

import t from 'tap';
import { FLOOD_LIMITS, FloodGate } from '#controller/sessions/flood-gate.ts';
import { HoldOff } from '#controller/sessions/hold-off.ts';
import { asRefusal, refusalOf, REFUSALS } from '#controller/sessions/refusals.ts';
import { identityOf, type TokenReviewStatus } from '#controller/sessions/token-identity.ts';
import { EngineError } from '#engine/base/errors.ts';

t.test('a burst of messages is let in, then as many as the rate allows', async t => {
  const gate = new FloodGate(FLOOD_LIMITS, 0);
  const admitted = (nowMs: number, count: number) =>
    Array.from({ length: count }, () => gate.admits(10, nowMs)).filter(Boolean).length;
  t.equal(admitted(0, 100), 100);
  t.equal(admitted(0, 1), 0);
  const steady = new FloodGate(FLOOD_LIMITS, 0);
  let nowMs = 0;
  const verdicts = Array.from({ length: 1_000 }, () => steady.admits(10, (nowMs += 100)));
  t.ok(verdicts.every(Boolean));
});

t.test('bytes count by themselves, and a clock that steps back gives nothing', async t => {
  const gate = new FloodGate(FLOOD_LIMITS, 1_000);
  t.ok(gate.admits(16 * 2 ** 20, 1_000));
  t.notOk(gate.admits(2, 1_000));
  t.notOk(gate.admits(1, 0));
  t.ok(gate.admits(1, 5_000));
});

t.test('who fails too often is held, and forgotten when the time is over', async t => {
  const held = new HoldOff({ failuresMax: 3, holdMs: 60_000, keysMax: 2 });
  for (const nowMs of [0, 1_000]) held.failed('a', nowMs);
  t.equal(held.heldMs('a', 1_000), 0);
  held.failed('a', 2_000);
  t.equal(held.heldMs('a', 2_000), 60_000);
  t.equal(held.heldMs('b', 2_000), 0);
  t.equal(held.heldMs('a', 62_000), 0);
  t.equal(held.keyCount, 0);
  for (const nowMs of [0, 30_000, 61_000]) held.failed('c', nowMs);
  t.equal(held.heldMs('c', 61_000), 0, 'failures of long ago do not count');
  for (const key of ['x', 'y', 'z']) held.failed(key, 0);
  t.equal(held.keyCount, 2, 'no more than so many are remembered');
});

const EXPECTED = { audience: 'aud', namespace: 'velero', serviceAccount: 'agent' };
const USERNAME = 'system:serviceaccount:velero:agent';
const NODE = 'authentication.kubernetes.io/node-name';
const GOOD: TokenReviewStatus = {
  authenticated: true,
  audiences: ['aud'],
  user: { username: USERNAME, extra: { [NODE]: ['n1'] } },
};

t.test('a token speaks for the node that the API server names', async t => {
  t.strictSame(identityOf(GOOD, EXPECTED), { kind: 'node', node: 'n1' });
});

const REFUSED: readonly (readonly [string, TokenReviewStatus | undefined, string])[] = [
  ['without an answer', undefined, 'token-refused'],
  ['that is not known', { ...GOOD, authenticated: false }, 'token-refused'],
  ['that nobody has looked at', { ...GOOD, authenticated: undefined }, 'token-refused'],
  ['for another audience', { ...GOOD, audiences: ['other'] }, 'foreign-audience'],
  ['for any audience', { ...GOOD, audiences: undefined }, 'foreign-audience'],
  [
    'of an account of that name elsewhere',
    { ...GOOD, user: { ...GOOD.user, username: 'system:serviceaccount:default:agent' } },
    'foreign-account',
  ],
  ['of a person', { ...GOOD, user: { username: 'admin' } }, 'foreign-account'],
  ['bound to nothing', { ...GOOD, user: { username: USERNAME } }, 'no-node'],
  [
    'of two nodes',
    { ...GOOD, user: { username: USERNAME, extra: { [NODE]: ['n1', 'n2'] } } },
    'no-node',
  ],
  ['of no node', { ...GOOD, user: { username: USERNAME, extra: { [NODE]: [''] } } }, 'no-node'],
];

for (const [what, status, reason] of REFUSED) {
  t.test(`a token ${what} is refused`, async t => {
    const identity = identityOf(status, EXPECTED);
    t.equal(identity.kind === 'refused' && refusalOf(identity.error), reason);
  });
}

t.test('what was thrown has a reason, and a foreign one is ours to explain', async t => {
  t.equal(refusalOf(asRefusal(new Error('oops'))), 'internal');
  t.equal(refusalOf(new EngineError('COORDINATOR_TIMEOUT', 'x')), 'slow-reader');
  const forged = new EngineError('INTERNAL', 'x', { details: { reason: 'toString' } });
  t.equal(refusalOf(forged), 'internal');
  for (const code of Object.values(REFUSALS)) t.match(code, /^COORDINATOR_/);
});
