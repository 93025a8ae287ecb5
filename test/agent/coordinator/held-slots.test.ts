// An agent and a controller that talk: what is late, doubled, lost or from another time does no
// harm.

import t from 'tap';
import { HeldSlots } from '#agent/coordinator/held-slots.ts';
import { DEFAULT_LIMITS } from '#controller/slots/slot-limits.ts';
import { SlotDesk } from '#controller/slots/slot-desk.ts';
import type { SlotAnswer } from '#proto/slot-messages.ts';

const LEASE_MS = 45_000;

function newAgent(session = 1, slotsMax = 1): HeldSlots {
  return new HeldSlots({ node: 'n1', session, slotsMax, leaseMs: LEASE_MS, nowMs: 0 });
}

function newDesk(epoch = 1, nowMs = -LEASE_MS): SlotDesk {
  return new SlotDesk({ epoch, limits: DEFAULT_LIMITS, nowMs });
}

function wishFor(id: string) {
  const volume = { id, namespace: 'a', pod: 'p', storageClass: '', location: 'b' };
  return { ...volume, priority: 5, waitedMs: 0 };
}

/** One report and its answer, after a decision. */
function exchange(agent: HeldSlots, desk: SlotDesk, nowMs: number): SlotAnswer {
  t.equal(desk.hear(agent.report(nowMs), nowMs).kind, 'heard');
  desk.decide(nowMs);
  const answer = desk.answer('n1');
  if (answer === undefined) throw new Error('a node that was heard is answered');
  return answer;
}

t.test('a slot is asked for, granted, used and given back', async t => {
  const [agent, desk] = [newAgent(), newDesk()];
  agent.want(wishFor('x'), 0);
  const answer = exchange(agent, desk, 0);
  t.match(agent.hear(answer, 1), { started: ['x'], revoked: [], mustReport: true });
  t.equal(agent.hear(answer, 2), undefined, 'the same answer again says nothing');
  t.match([...agent.holds], [{ id: 'x', isAlone: false, grant: { epoch: 1, serial: 1 } }]);
  agent.done('x');
  exchange(agent, desk, 3);
  t.equal(desk.table.heldCount, 0);
});

t.test('a grant that was lost comes with the next answer, as the same grant', async t => {
  const [agent, desk] = [newAgent(), newDesk()];
  agent.want(wishFor('x'), 0);
  exchange(agent, desk, 0);
  const again = exchange(agent, desk, 10_000);
  t.match(again.grants, [{ id: 'x', serial: 1 }]);
  t.match(agent.hear(again, 10_001)?.started, ['x']);
});

t.test('an old report changes nothing, and is not answered', async t => {
  const [agent, desk] = [newAgent(), newDesk()];
  agent.want(wishFor('x'), 0);
  const old = agent.report(0);
  agent.hear(exchange(agent, desk, 1), 1);
  t.strictSame(desk.hear(old, 2), { kind: 'stale' });
  t.equal(desk.table.heldCount, 1);
});

t.test('a grant that comes after its lease is not used', async t => {
  const [agent, desk] = [newAgent(), newDesk()];
  agent.want(wishFor('x'), 0);
  const answer = exchange(agent, desk, 0);
  t.strictSame(agent.hear(answer, LEASE_MS * 0.9)?.started, []);
  t.strictSame(desk.expire(LEASE_MS - 1), []);
  t.strictSame(desk.expire(LEASE_MS), ['n1']);
  t.equal(desk.table.heldCount, 0);
});

t.test('when the lease ends the move goes on alone, and says so for good', async t => {
  const [agent, desk] = [newAgent(), newDesk()];
  agent.want(wishFor('x'), 0);
  agent.hear(exchange(agent, desk, 0), 0);
  agent.lapse(LEASE_MS * 0.9 - 1);
  t.match([...agent.holds], [{ isAlone: false }]);
  agent.lapse(LEASE_MS * 0.9);
  t.match([...agent.holds], [{ isAlone: true }]);
  desk.expire(LEASE_MS);
  agent.hear(exchange(agent, desk, LEASE_MS + 5), LEASE_MS + 5);
  t.match([...agent.holds], [{ isAlone: true }], 'others may have been given its slot');
  t.equal(desk.table.heldCount, 1, 'and it is counted again');
});

t.test('a new start of the agent has nothing to do with grants of the last one', async t => {
  const desk = newDesk();
  const before = newAgent(1);
  before.want(wishFor('x'), 0);
  const old = exchange(before, desk, 0);
  const after = newAgent(2);
  after.want(wishFor('x'), 1);
  t.equal(after.hear(old, 1), undefined);
  t.match(exchange(after, desk, 2).grants, [{ id: 'x', serial: 2 }], 'the old one was given back');
});

t.test('a controller that starts grants nothing until a lease time has gone by', async t => {
  const [agent, desk] = [newAgent(), newDesk(2, 0)];
  agent.want(wishFor('x'), 0);
  t.strictSame(exchange(agent, desk, LEASE_MS - 1).grants, []);
  t.match(exchange(agent, desk, LEASE_MS).grants, [{ id: 'x', epoch: 2 }]);
});

t.test('or until every agent that there is has said that it knows it', async t => {
  const options = { epoch: 2, limits: DEFAULT_LIMITS, nodes: ['n1', 'n2'], nowMs: 0 };
  const desk = new SlotDesk(options);
  const agents = ['n1', 'n2'].map(node => {
    return new HeldSlots({ node, session: 1, slotsMax: 1, leaseMs: LEASE_MS, nowMs: 0 });
  });
  const tell = (agent: HeldSlots, node: string) => {
    desk.hear(agent.report(1), 1);
    const answer = desk.answer(node);
    if (answer !== undefined) agent.hear(answer, 1);
  };
  for (const round of [1, 2]) {
    t.ok(desk.isWarming(1), `round ${round}`);
    tell(agents[0], 'n1');
    tell(agents[1], 'n2');
  }
  t.notOk(desk.isWarming(1));
});

t.test('a new controller takes over what runs, and the old one is heard no more', async t => {
  const [agent, old, next] = [newAgent(), newDesk(1), newDesk(2, 0)];
  agent.want(wishFor('x'), 0);
  agent.hear(exchange(agent, old, 0), 0);
  agent.want(wishFor('y'), 1);
  const late = exchange(agent, old, 1);
  agent.hear(exchange(agent, next, 2), 2);
  t.equal(next.table.heldCount, 1);
  t.equal(agent.hear(late, 3), undefined);
  t.strictSame(old.hear(agent.report(4), 4), { kind: 'deposed' });
  t.ok(old.isDeposed);
  t.strictSame(old.decide(LEASE_MS), []);
  t.equal(old.answer('n1'), undefined);
});

t.test(
  'without a controller an agent begins up to its own limit, and keeps to it later',
  async t => {
    const [agent, desk] = [newAgent(), newDesk()];
    for (const id of ['x', 'y']) agent.want(wishFor(id), 0);
    t.strictSame(agent.startAlone(LEASE_MS - 1), []);
    t.strictSame(agent.startAlone(LEASE_MS), ['x']);
    t.strictSame(agent.startAlone(LEASE_MS + 1), []);
    // The controller has granted y before it heard of x.
    desk.hear({ ...agent.report(LEASE_MS), holds: [] }, LEASE_MS);
    desk.decide(LEASE_MS);
    const answer = desk.answer('n1');
    t.match(answer?.grants, [{ id: 'y' }]);
    const heard = answer && agent.hear(answer, LEASE_MS + 2);
    t.match(heard, { started: [], mustReport: true });
    exchange(agent, desk, LEASE_MS + 3);
    t.equal(desk.table.heldCount, 1, 'the slot of y is free again');
  },
);

t.test('a move that the controller wants stopped is named until it is', async t => {
  const [agent, desk] = [newAgent(), newDesk()];
  agent.want(wishFor('x'), 0);
  agent.hear(exchange(agent, desk, 0), 0);
  t.ok(desk.revoke('x'));
  t.notOk(desk.revoke('y'));
  t.strictSame(agent.hear(exchange(agent, desk, 1), 1)?.revoked, ['x']);
  agent.done('x');
  t.strictSame(exchange(agent, desk, 2).revoked, []);
});

t.test('of two nodes that run the same move the second one is told to stop', async t => {
  const desk = newDesk();
  const agents = ['n1', 'n2'].map(node => {
    const options = { node, session: 1, slotsMax: 1, leaseMs: LEASE_MS, nowMs: -LEASE_MS };
    const agent = new HeldSlots(options);
    agent.want(wishFor('x'), 0);
    t.strictSame(agent.startAlone(0), ['x']);
    return agent;
  });
  const [first, second] = agents.map(agent => desk.hear(agent.report(0), 0));
  t.match(first, { twins: [] });
  t.match(second, { twins: ['x'] });
  t.strictSame(desk.answer('n2', ['x'])?.revoked, ['x']);
});
