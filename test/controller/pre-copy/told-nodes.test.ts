import t from 'tap';
import type { DuePreCopy } from '#controller/pre-copy/decide-pre-copies.ts';
import { ToldNodes } from '#controller/pre-copy/told-nodes.ts';
import type { PreCopy } from '#proto/pre-copy-wire.ts';
import { PRE_COPY_CAPABILITY } from '#proto/wire-limits.ts';
import { ManualClock } from '#test/kube/manual-clock.ts';

const DUE_MS = new ManualClock().now() + 60_000;

function volume(volumeName: string): DuePreCopy {
  const pod = { namespace: 'shop', pod: 'db-0', podUid: 'uid' };
  return { ...pod, volumeName, claim: '', location: 'default', dueMs: DUE_MS };
}

/** Sessions of one node, each of which notes what it is told, as it is when it is sent. */
function sessionsOf(capabilities: readonly string[]) {
  const told: (() => readonly PreCopy[])[] = [];
  const hello = { node: 'n1', version: 'test', wireVersion: 1, capabilities, session: 1 };
  const session = {
    hello,
    tellPreCopies: (made: () => readonly PreCopy[]) => void told.push(made),
  };
  return { told, sessions: { nodes: ['n1'], session: () => session } };
}

t.test('a node is told at each change, and by each session once', async t => {
  const nodes = new ToldNodes(new ManualClock());
  const first = sessionsOf([PRE_COPY_CAPABILITY]);
  const data = new Map([['n1', [volume('data')]]]);
  nodes.tell(new Map(), first.sessions);
  t.strictSame(first.told[0](), [], 'what an earlier controller wanted is not wanted any more');
  nodes.tell(data, first.sessions);
  nodes.tell(new Map([['n1', [volume('data')]]]), first.sessions);
  t.equal(first.told.length, 2);
  nodes.tell(new Map([['n2', [volume('log')]]]), first.sessions);
  t.strictSame(first.told[2](), []);
  nodes.tell(data, first.sessions);
  const next = sessionsOf([PRE_COPY_CAPABILITY]);
  nodes.tell(data, next.sessions);
  t.match(next.told[0](), [{ volumeName: 'data' }]);
});

t.test('how long is left is said as it is when it is sent', async t => {
  const clock = new ManualClock();
  const nodes = new ToldNodes(clock);
  const { told, sessions } = sessionsOf([PRE_COPY_CAPABILITY]);
  nodes.tell(new Map([['n1', [volume('data')]]]), sessions);
  await clock.pass(20_000);
  t.match(told[0](), [{ dueMs: DUE_MS, leftMs: 40_000 }]);
  await clock.pass(40_000);
  t.strictSame(told[0](), [], 'then it is over');
});

t.test('an agent that does not understand it is told nothing', async t => {
  const nodes = new ToldNodes(new ManualClock());
  const { told, sessions } = sessionsOf(['something-else']);
  nodes.tell(new Map([['n1', [volume('data')]]]), sessions);
  t.strictSame(told, []);
});
