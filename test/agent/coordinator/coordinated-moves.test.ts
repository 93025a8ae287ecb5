// Agents whose moves take their slots from a controller, over TLS and gRPC, with an emulated API
// server: the limit of the cluster holds at every instant, and without the controller that of each
// node does. Time is what the test lets pass.

import t, { type Test } from 'tap';
import { CoordinatedSlots } from '#agent/coordinator/coordinated-slots.ts';
import type { Standing } from '#agent/coordinator/slot-keeper.ts';
import {
  LEASE_MS,
  newStage,
  NODES,
  passUntil,
  REPORT_MS,
  type SlotStage,
  startController,
  type TestController,
} from '#test/controller/slot-scene.ts';
import type { MoveReport } from '#agent/moves/move-components.ts';
import { MoveStage } from '#test/moves/move-stage.ts';
import { ObservedMover } from '#test/moves/observed-mover.ts';
import { ScriptedMover } from '#test/moves/scripted-mover.ts';
import type { SimulatedAgent } from '#test/moves/simulated-agent.ts';

interface Agents {
  readonly moves: MoveStage;
  /** Of all nodes together. */
  readonly mover: ScriptedMover;
  readonly movers: readonly ObservedMover[];
  readonly agents: readonly SimulatedAgent[];
  readonly standings: Standing['kind'][];
}

/** One on each node; each move lasts for so long. */
async function startAgents(
  t: Test,
  stage: SlotStage,
  { scene }: TestController,
  options: { readonly slotsMax: number; readonly moveMs: number },
): Promise<Agents> {
  const { clock, api } = stage;
  const moves = new MoveStage({ client: api.client(), velero: '1.18' });
  t.teardown(() => moves.end());
  const { slotsMax, moveMs } = options;
  const mover = new ScriptedMover(() => ({ until: clock.sleep(moveMs) }));
  const movers = NODES.map(() => new ObservedMover(mover));
  const standings: Standing['kind'][] = [];
  const starting = NODES.map((nodeName, index) => {
    const token = scene.tokenOf(nodeName);
    const end = new AbortController();
    const slots = new CoordinatedSlots({
      address: { host: 'localhost', port: scene.port },
      access: async () => ({ trust: scene.trust, token }),
      ...{ node: nodeName, version: 'test', clock, slotsMax },
      ...{ leaseMs: LEASE_MS, reportMs: REPORT_MS, random: () => 0 },
      classOf: async () => '',
      onStanding: ({ kind }) => standings.push(kind),
    });
    const running = slots.run(end.signal);
    t.teardown(async () => {
      end.abort();
      await running;
    });
    return moves.agent({ nodeName, slots, mover: movers[index] });
  });
  const agents = await Promise.all(starting);
  return { moves, mover, movers, agents, standings };
}

/** Five volumes of one Backup each: three on one node, two on the other. */
function fiveBackups(moves: MoveStage) {
  const nodes = [NODES[0], NODES[1], NODES[0], NODES[1], NODES[0]];
  return Promise.all(nodes.map(node => moves.backup({ node, backupUid: crypto.randomUUID() })));
}

function countEnded({ moves }: Agents): number {
  return [...moves.backups.objects.values()].filter(item => item.status?.phase === 'Completed')
    .length;
}

function isWaiting(report: MoveReport): report is Extract<MoveReport, { type: 'waiting' }> {
  return report.type === 'waiting';
}

/** Each of `items` has run once, and completed. */
function checkOnce(t: Test, { mover }: Agents, items: Awaited<ReturnType<typeof fiveBackups>>) {
  const ran = mover.backups.map(({ moveUid }) => moveUid).sort();
  t.strictSame(ran, items.map(({ metadata }) => metadata.uid ?? '').sort());
}

t.test('five volumes on two nodes: no more than two move at any instant', async t => {
  const stage = await newStage(t);
  const controller = await startController(t, stage, { clusterMax: 2 });
  const all = await startAgents(t, stage, controller, { slotsMax: 2, moveMs: 1_000 });
  const items = await fiveBackups(all.moves);
  await passUntil(stage, () => countEnded(all) === 5, 'all have completed');
  t.equal(all.mover.activeCountMax, 2, 'both slots were used, and no third one');
  const waits = all.agents.flatMap(({ reports }) => reports.filter(isWaiting));
  t.ok(
    waits.some(({ cause }) => cause === 'full'),
    'it was said why the others wait',
  );
  for (const { cause, message } of waits) {
    if (cause !== 'full') continue;
    t.match(message, /^waits for a slot at place [1-3] of the queue: the limit of the cluster is/);
  }
  const told = waits.map(({ item, cause }) => `${item.metadata.uid ?? ''} ${cause}`);
  t.equal(new Set(told).size, told.length, 'once for each cause');
  checkOnce(t, all, items);
  await passUntil(stage, () => controller.desk.table.heldCount === 0, 'slots were given back');
  t.ok(all.standings.every(kind => kind === 'with'));
  t.strictSame(controller.scene.counts.entries(), []);
});

t.test('the controller is killed while they move: nodes go on, and nothing runs twice', async t => {
  const stage = await newStage(t);
  const first = await startController(t, stage, { clusterMax: 1 });
  const all = await startAgents(t, stage, first, { slotsMax: 1, moveMs: 8_000 });
  const items = await fiveBackups(all.moves);
  await passUntil(stage, () => countEnded(all) === 1, 'one has completed');
  t.equal(all.mover.activeCountMax, 1);
  const { port } = first.scene;
  await first.stop();
  await passUntil(stage, () => all.mover.activeCount === 2, 'each node moves one');
  t.ok(all.standings.includes('away') && all.standings.includes('alone'));
  const second = await startController(t, stage, { epoch: 2, clusterMax: 1, port });
  await passUntil(stage, () => second.scene.sessions.count === 2, 'agents are back');
  await passUntil(stage, () => countEnded(all) === 5, 'all have completed');
  checkOnce(t, all, items);
  for (const { activeCountMax } of all.movers) t.equal(activeCountMax, 1, 'the limit of a node');
  await passUntil(stage, () => second.desk.table.heldCount === 0, 'slots were given back');
  // Time may have passed faster than a message: an agent that is alone by then comes back.
  await passUntil(stage, () => all.standings.at(-1) === 'with', 'the controller gives slots again');
});

t.test('a move whose slot is wanted back is stopped, and says by whom', async t => {
  const stage = await newStage(t);
  const controller = await startController(t, stage);
  const all = await startAgents(t, stage, controller, { slotsMax: 1, moveMs: 3_600_000 });
  const item = await all.moves.backup({ node: NODES[0] });
  const { uid = '' } = item.metadata;
  await passUntil(stage, () => all.mover.activeCount === 1, 'it moves');
  await passUntil(stage, () => controller.desk.table.heldCount === 1, 'that is known');
  t.ok(controller.desk.revoke(uid));
  controller.scene.sessions.session(NODES[0])?.tellSlots(() => controller.desk.answer(NODES[0]));
  await passUntil(stage, () => all.mover.activeCount === 0, 'it was stopped');
  const { status } = await all.moves.until(item, 'Failed');
  t.match(status?.message, /^stopped by the controller; the next backup of this volume continues/);
  await passUntil(stage, () => controller.desk.table.heldCount === 0, 'its slot was given back');
});
