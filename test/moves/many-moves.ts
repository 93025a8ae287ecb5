// Many backups on many nodes while answers are lost, others write first and agents are killed: in
// the end each is terminal, and became so once.

import type { Test } from 'tap';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import { systemClock } from '#engine/base/clock.ts';
import type { SeededRandom } from '#test/support/random.ts';
import { MoveStage } from './move-stage.ts';
import type { MoveWorld } from './move-stage.ts';
import { ScriptedMover } from './scripted-mover.ts';
import type { SimulatedAgent } from './simulated-agent.ts';
import { troubledClient } from './troubled-client.ts';

export interface ManyMoves {
  readonly nodeCount: number;
  readonly moveCount: number;
  readonly random: SeededRandom;
}

const RESTARTS_MAX = 200;
const TERMINAL = ['Completed', 'Failed', 'Canceled'];

/** One move in so many fails. */
const FAILS_ONCE_IN = 15;

export async function playManyMoves(
  t: Test,
  world: MoveWorld,
  { nodeCount, moveCount, random }: ManyMoves,
): Promise<void> {
  const stage = new MoveStage(world);
  await Promise.all([stage.backups.synced, stage.restores.synced]);
  const client = troubledClient(world.client, troubleOf(stage, random));
  const movers: ScriptedMover[] = [];
  const start = (node: number): Promise<SimulatedAgent> => {
    const mover = new ScriptedMover(() => ({
      until: systemClock.sleep(random.below(80)),
      error: random.once(FAILS_ONCE_IN) ? new Error('bad luck') : undefined,
    }));
    movers.push(mover);
    return stage.agent({ client, mover, nodeName: `n${node}`, slotCount: 1 + (node % 3) });
  };
  const nodes = Array.from({ length: nodeCount }, (_, node) => node);
  const agents = await Promise.all(nodes.map(start));
  const made = await Promise.all(
    Array.from({ length: moveCount }, (_, index) =>
      stage.backup({ node: `n${index % nodeCount}` }),
    ),
  );
  const ended = Promise.all(made.map(item => stage.until(item, ...TERMINAL)));
  let isOver = false;
  void ended.finally(() => (isOver = true));
  let restartCount = 0;
  while (!isOver && restartCount < RESTARTS_MAX) {
    await systemClock.sleep(1 + random.below(5));
    const unlucky = nodes.filter(() => random.once(4));
    await Promise.all(
      unlucky.map(async node => {
        const agent = agents[node];
        if (random.once(4)) await agent?.stop({ graceMs: 100, hasSuccessor: true });
        else await agent?.kill();
        agents[node] = await start(node);
      }),
    );
    restartCount += unlucky.length;
  }
  const final = await ended;
  t.ok(restartCount > 0);
  const starts = movers.flatMap(({ backups }) => backups.map(({ moveUid }) => moveUid));
  for (const item of final) {
    const terminal = stage.historyOf(item).filter(({ phase = '' }) => TERMINAL.includes(phase));
    const phases = stage.phasesOf(item);
    t.equal(terminal.length, 1, `${item.metadata.name}: ${phases.join()}`);
    t.ok(item.status?.phase !== 'Completed' || item.status.snapshotID);
    t.ok(starts.includes(item.metadata.uid ?? ''));
  }
  t.ok(movers.every(({ activeCountMax }) => activeCountMax <= 3));
  t.comment(`${restartCount} restarts, ${starts.length} runs of ${moveCount} moves`);
  await stage.end();
}

/** A rival is faster once in eight writes, an answer is lost once in twenty. */
function troubleOf(stage: MoveStage, random: SeededRandom) {
  return {
    isAway: false,
    beforeReplace: async (resource: Resource, object: KubeObject) => {
      if (!random.once(8)) return;
      const { name, namespace } = object.metadata;
      const body = { metadata: { annotations: { rival: `${random.below(1000)}` } } };
      await stage.client.patch(resource, { name, namespace }, { type: 'merge', body });
    },
    losesAnswer: () => random.once(20),
  };
}
