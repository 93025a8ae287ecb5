// Many backups on many nodes while answers are lost, others write first and agents are killed: in
// the end each is terminal, and became so once.

import type { Test } from 'tap';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import type { PodVolumeBackup } from '#agent/moves/objects/pod-volume-backup.ts';
import type { VolumeMover } from '#agent/moves/volume-mover.ts';
import { systemClock } from '#engine/base/clock.ts';
import type { SeededRandom } from '#test/support/random.ts';
import { MoveStage } from './move-stage.ts';
import type { MoveWorld } from './move-stage.ts';
import { ObservedMover } from './observed-mover.ts';
import { ScriptedMover } from './scripted-mover.ts';
import type { SimulatedAgent } from './simulated-agent.ts';
import { troubledClient } from './troubled-client.ts';
import type { BackupOptions } from './velero-objects.ts';

export interface ManyMoves {
  readonly nodeCount: number;
  readonly moveCount: number;
  readonly random: SeededRandom;
  readonly restartsMax?: number;
  /**
   * A new one for each start of the agent; what it is at ends with the signal, as with a process.
   */
  readonly moverOf?: (node: number, killed: AbortSignal) => Promise<VolumeMover>;
  /** What the move with that number is about; its node is told. */
  readonly backupOf?: (index: number, node: string) => BackupOptions;
}

export interface ManyMovesEnd {
  /** The backups as they ended. */
  readonly ended: readonly PodVolumeBackup[];
  /** Of those that were under way when their agent was stopped or killed. */
  readonly interruptedUids: ReadonlySet<string>;
}

interface Running {
  readonly agent: SimulatedAgent;
  readonly mover: ObservedMover;
  readonly process: AbortController;
}

const RESTARTS_MAX = 200;
const TERMINAL = ['Completed', 'Failed', 'Canceled'];

/** One scripted move in so many fails. */
const FAILS_ONCE_IN = 15;

export async function playManyMoves(
  t: Test,
  world: MoveWorld,
  { nodeCount, moveCount, random, restartsMax = RESTARTS_MAX, ...parts }: ManyMoves,
): Promise<ManyMovesEnd> {
  const { moverOf = async () => scriptedMover(random) } = parts;
  const { backupOf = (_index, node) => ({ node }) } = parts;
  const stage = new MoveStage(world);
  await Promise.all([stage.backups.synced, stage.restores.synced]);
  const client = troubledClient(world.client, troubleOf(stage, random));
  const movers: ObservedMover[] = [];
  const start = async (node: number): Promise<Running> => {
    const process = new AbortController();
    const mover = new ObservedMover(await moverOf(node, process.signal));
    movers.push(mover);
    const options = { client, mover, nodeName: `n${node}`, slotCount: 1 + (node % 3) };
    return { agent: await stage.agent(options), mover, process };
  };
  const nodes = Array.from({ length: nodeCount }, (_, node) => node);
  const running = await Promise.all(nodes.map(start));
  const made = await Promise.all(
    Array.from({ length: moveCount }, (_, index) =>
      stage.backup(backupOf(index, `n${index % nodeCount}`)),
    ),
  );
  const ended = Promise.all(made.map(item => stage.until(item, ...TERMINAL)));
  let isOver = false;
  void ended.finally(() => (isOver = true));
  let restartCount = 0;
  const interruptedUids = new Set<string>();
  while (!isOver && restartCount < restartsMax) {
    await systemClock.sleep(1 + random.below(5));
    const unlucky = nodes.filter(() => random.once(4));
    await Promise.all(
      unlucky.map(async node => {
        for (const uid of running[node]?.mover.activeUids ?? []) interruptedUids.add(uid);
        await endProcess(running[node], random.once(4));
        running[node] = await start(node);
      }),
    );
    restartCount += unlucky.length;
  }
  const final = await ended;
  t.ok(restartCount > 0);
  const starts = movers.flatMap(({ moveUids }) => moveUids);
  for (const item of final) {
    // A rival may write to one that is at its end; its end stays what it is.
    const terminal = stage.historyOf(item).filter(({ phase = '' }) => TERMINAL.includes(phase));
    const ends = new Set(terminal.map(status => JSON.stringify(status)));
    t.equal(ends.size, 1, `${item.metadata.name}: ${stage.phasesOf(item).join()}`);
    t.ok(item.status?.phase !== 'Completed' || item.status.snapshotID);
    t.ok(starts.includes(item.metadata.uid ?? ''));
  }
  t.ok(movers.every(({ activeCountMax }) => activeCountMax <= 3));
  t.comment(`${restartCount} restarts, ${starts.length} runs of ${moveCount} moves`);
  await stage.end();
  await Promise.all(running.map(each => endProcess(each, false)));
  return { ended: final, interruptedUids };
}

async function endProcess(running: Running | undefined, isTold: boolean): Promise<void> {
  if (running === undefined) return;
  const { agent, mover, process } = running;
  if (isTold) await agent.stop({ graceMs: 100, hasSuccessor: true });
  else await agent.kill();
  process.abort();
  await mover.settled();
}

function scriptedMover(random: SeededRandom): ScriptedMover {
  return new ScriptedMover(() => ({
    until: systemClock.sleep(random.below(80)),
    error: random.once(FAILS_ONCE_IN) ? new Error('bad luck') : undefined,
  }));
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
