// Two agents and a controller, over real TLS and gRPC, in time that the test lets pass: slots are
// granted and given back, and with the controller gone each node goes by its own limit.

import t, { type Test } from 'tap';
import { SlotKeeper, type Standing } from '#agent/coordinator/slot-keeper.ts';
import {
  LEASE_MS,
  newStage,
  NODES,
  passUntil,
  REPORT_MS,
  type SlotStage,
  startController,
  type TestController,
} from './slot-scene.ts';

class Agent {
  readonly keeper: SlotKeeper;
  readonly started: string[] = [];
  readonly alone: string[] = [];
  readonly stopped: string[] = [];
  readonly standings: Standing['kind'][] = [];
  readonly leave: () => Promise<void>;

  constructor(t: Test, { clock }: SlotStage, { scene }: TestController, node: string) {
    const end = new AbortController();
    const token = scene.tokenOf(node);
    this.keeper = new SlotKeeper({
      address: { host: 'localhost', port: scene.port },
      access: async () => ({ trust: scene.trust, token }),
      hello: { node, version: 'test', wireVersion: 1, capabilities: [], session: 1 },
      clock,
      random: () => 0,
      slotsMax: 1,
      leaseMs: LEASE_MS,
      reportMs: REPORT_MS,
      onStart: (ids, isAlone) => (isAlone ? this.alone : this.started).push(...ids),
      onStop: ids => this.stopped.push(...ids),
      onStanding: ({ kind }) => this.standings.push(kind),
    });
    const running = this.keeper.run(end.signal);
    this.leave = async () => {
      end.abort();
      await running;
    };
    t.teardown(this.leave);
  }

  want(id: string): void {
    const volume = { id, namespace: 'a', pod: 'p', storageClass: '', location: 'default' };
    this.keeper.want({ ...volume, priority: 5, waitedMs: 0 });
  }
}

t.test('two nodes share a slot: one after the other has it', async t => {
  const stage = await newStage(t);
  const controller = await startController(t, stage);
  const [one, two] = NODES.map(node => new Agent(t, stage, controller, node));
  one.want('x');
  await passUntil(stage, () => one.started.length === 1, 'the first has its slot');
  two.want('y');
  await passUntil(stage, () => controller.desk.table.waitingCount === 1, 'the second waits');
  t.strictSame([one.started, two.started], [['x'], []]);
  t.equal(controller.desk.table.heldCount, 1);
  one.keeper.done('x');
  await passUntil(stage, () => two.started.length === 1, 'the second has it');
  two.keeper.done('y');
  await passUntil(stage, () => controller.desk.table.heldCount === 0, 'it was given back');
  t.strictSame([one.standings, two.standings], [['with'], ['with']]);
  t.strictSame(controller.scene.counts.entries(), []);
});

t.test('with the controller gone nodes go on alone, say so, and run nothing twice', async t => {
  const stage = await newStage(t);
  const before = await startController(t, stage);
  const agents = NODES.map(node => new Agent(t, stage, before, node));
  const [one, two] = agents;
  one.want('x');
  await passUntil(stage, () => one.started.length === 1, 'the first has its slot');
  two.want('y');
  one.want('z');
  await passUntil(stage, () => before.desk.table.waitingCount === 2, 'two wait');
  const { port } = before.scene;
  const goneMs = stage.clock.monotonic();
  await before.stop();
  await passUntil(stage, () => agents.every(({ keeper }) => keeper.isAlone), 'both are alone');
  t.ok(stage.clock.monotonic() - goneMs > 10_000, 'not before the lease was over');
  t.strictSame(two.alone, ['y'], 'what waits begins');
  t.strictSame(one.alone, [], 'up to the limit of the node');
  t.equal(one.standings.at(-1), 'alone');
  const after = await startController(t, stage, { epoch: 2, port });
  await passUntil(stage, () => after.desk.table.heldCount === 2, 'the next one knows of both');
  await passUntil(stage, () => agents.every(({ keeper }) => !keeper.isAlone), 'all is well');
  t.match([...one.keeper.holds], [{ id: 'x', isAlone: true }]);
  for (const { keeper, started, alone } of agents) {
    for (const id of [...started, ...alone]) keeper.done(id);
  }
  await passUntil(stage, () => one.started.includes('z'), 'the last one has its turn');
  t.strictSame([...one.started, ...one.alone, ...two.started, ...two.alone].sort(), [
    'x',
    'y',
    'z',
  ]);
  t.equal(one.standings.at(-1), 'with');
});

t.test('a slot of an agent that is gone is given away after its lease, not before', async t => {
  const stage = await newStage(t);
  const controller = await startController(t, stage);
  const [one, two] = NODES.map(node => new Agent(t, stage, controller, node));
  one.want('x');
  await passUntil(stage, () => one.started.length === 1, 'the first has its slot');
  two.want('y');
  await passUntil(stage, () => controller.desk.table.waitingCount === 1, 'the second waits');
  const goneMs = stage.clock.monotonic();
  await one.leave();
  await passUntil(stage, () => controller.scene.sessions.count === 1, 'its session has ended');
  t.equal(controller.desk.table.heldCount, 1);
  await passUntil(stage, () => two.started.length === 1, 'the second has it');
  t.ok(stage.clock.monotonic() - goneMs > 10_000);
  t.strictSame(two.alone, []);
});

t.test('what the controller wants back is stopped, and a drained node takes no more', async t => {
  const stage = await newStage(t);
  const controller = await startController(t, stage, { clusterMax: 4 });
  const [one] = NODES.map(node => new Agent(t, stage, controller, node));
  one.want('x');
  await passUntil(stage, () => one.started.length === 1, 'it has its slot');
  const session = controller.scene.sessions.session('n1');
  session?.tellDrain({ isActive: true, reason: 'maintenance' });
  t.ok(controller.desk.revoke('x'));
  session?.tellSlots(() => controller.desk.answer('n1'));
  await passUntil(stage, () => one.stopped.includes('x'), 'it is told to stop');
  one.keeper.done('x');
  one.want('y');
  await passUntil(stage, () => controller.desk.table.waitingCount === 1, 'the next one waits');
  t.strictSame(one.started, ['x']);
  session?.tellDrain({ isActive: false, reason: '' });
  await passUntil(stage, () => one.started.length === 2, 'the node is used again');
});

t.test('an agent cannot put the controller out by a word', async t => {
  const stage = await newStage(t);
  const controller = await startController(t, stage);
  const [honest] = NODES.map(node => new Agent(t, stage, controller, node));
  honest.want('x');
  await passUntil(stage, () => honest.started.length === 1, 'the honest one has its slot');
  const session = controller.scene.sessions.session('n2');
  if (session === undefined) throw new Error('the other one is there');
  const lie = {
    ...{ node: 'n2', session: 1, sequence: 1_000, epoch: 99, sentAtMs: 0, slotsMax: 1 },
    requests: [],
    holds: [],
  };
  controller.service.events.heard(session, { kind: 'slots', report: lie });
  await passUntil(stage, () => controller.scene.counts.of('malformed') === 1, 'it was put out');
  t.notOk(controller.desk.isDeposed);
  t.equal(controller.deposed.count, 0);
  honest.keeper.done('x');
  await passUntil(stage, () => controller.desk.table.heldCount === 0, 'the honest one is heard');
});

t.test('a controller that has a successor ends when an agent tells of it', async t => {
  const stage = await newStage(t);
  const controller = await startController(t, stage, { latestEpoch: 2 });
  const [agent] = NODES.map(node => new Agent(t, stage, controller, node));
  await passUntil(stage, () => agent.standings.includes('with'), 'the agent is there');
  const session = controller.scene.sessions.session('n1');
  if (session === undefined) throw new Error('the agent is there');
  const news = {
    ...{ node: 'n1', session: 1, sequence: 1_000, epoch: 2, sentAtMs: 0, slotsMax: 1 },
    requests: [],
    holds: [],
  };
  controller.service.events.heard(session, { kind: 'slots', report: news });
  await passUntil(stage, () => controller.deposed.count > 0, 'it knows');
  // Whatever agents say afterwards.
  controller.service.events.heard(session, { kind: 'slots', report: news });
  await passUntil(stage, () => controller.desk.answer('n1') === undefined, 'it answers nobody');
  t.equal(controller.deposed.count, 1);
});

t.test('a copy ahead of a backup gives its slot to a move that waits', async t => {
  const stage = await newStage(t);
  const controller = await startController(t, stage);
  const [one, two] = NODES.map(node => new Agent(t, stage, controller, node));
  const copy = 'pre-copy/uid/data/default';
  one.want(copy);
  await passUntil(stage, () => one.started.length === 1, 'it has its slot');
  two.want('y');
  await passUntil(stage, () => one.stopped.length > 0, 'it is asked to stop');
  t.strictSame([[...new Set(one.stopped)], two.started], [[copy], []]);
  one.keeper.done(copy);
  await passUntil(stage, () => two.started.length === 1, 'the move has it');
});
