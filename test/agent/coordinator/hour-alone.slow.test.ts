// The controller is away for an hour (issue 7): the slots of two agents as their program has them,
// TLS and gRPC, an emulated API server, and a whole controller before and after. Time is what the
// test lets pass: as it does while there is a controller, only quicker, and in leaps while there is
// none.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readConfig } from '#agent/config.ts';
import { createLog } from '#agent/log.ts';
import { AgentMetrics } from '#agent/metrics.ts';
import { type OpenSlots, openMoveSlots } from '#agent/move-slots.ts';
import { systemClock } from '#engine/base/clock.ts';
import { SmoothRate } from '#engine/base/smooth-rate.ts';
import { type ControllerScene, startController } from '#test/controller/controller-scene.ts';
import { tokenOf } from '#test/controller/wire-agent.ts';
import { type KubeEmulator, startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { ManualClock } from '#test/kube/manual-clock.ts';
import { MoveStage } from '#test/moves/move-stage.ts';
import { ObservedMover } from '#test/moves/observed-mover.ts';
import { ScriptedMover } from '#test/moves/scripted-mover.ts';
import { makeAuthority, makePair } from '#test/support/certificates.ts';
import { type LogLines, logLines } from '#test/support/log-lines.ts';

const NODES = ['n1', 'n2'] as const;
const CLUSTER_SLOTS = 2;
const NODE_SLOTS = 2;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** More than an hour is enough for, with each node at its limit. */
const VOLUMES = 44;
const LONG_MOVE_MS = 7 * MINUTE_MS;
const SHORT_MOVE_MS = 15_000;
const STEP_MS = { walk: 50, leap: 1_000 } as const;
/** The network takes its own time between two of them. */
const STEP_REAL_MS = 4;
const ALONE = 'the controller is away for long; this node goes by its own limit';

/** Days are the real ones: certificates are looked at. */
class TodayClock extends ManualClock {
  readonly #startMs = Date.now();

  override now(): number {
    return this.#startMs + this.monotonic();
  }
}

/** Goes on by itself; what is looked at is looked at after each step. */
class PassingTime {
  readonly clock = new TodayClock();
  readonly looks: (() => void)[] = [];
  pace: keyof typeof STEP_MS = 'walk';
  readonly #watchers = new Set<() => void>();

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.clock.pass(STEP_MS[this.pace]);
      await systemClock.sleep(STEP_REAL_MS);
      for (const look of this.looks) look();
      for (const watcher of [...this.#watchers]) watcher();
    }
  }

  async until(isSo: () => boolean): Promise<void> {
    await new Promise<void>(resolve => {
      const watcher = () => {
        if (!isSo()) return;
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
    });
  }
}

function passTime(t: Test): PassingTime {
  const time = new PassingTime();
  const end = new AbortController();
  const running = time.run(end.signal);
  // After everything that waits for it.
  t.teardown(async () => {
    end.abort();
    await running;
  });
  return time;
}

interface NodeSlots extends OpenSlots {
  readonly log: LogLines;
  /** Who gives the slots, as its metric says it. */
  readonly standingNow: () => Promise<string | undefined>;
}

/** As the agent of that node opens them, with its own configuration and its own log. */
async function openSlots(
  t: Test,
  { clock }: PassingTime,
  { api, port }: ControllerScene,
  { node, caPath }: { readonly node: string; readonly caPath: string },
): Promise<NodeSlots> {
  const tokenPath = join(t.testdirName, `token-${node}`);
  writeFileSync(tokenPath, tokenOf(api, node));
  const words = [
    ...['--node-name', node, '--controller', `localhost:${port}`],
    ...['--controller-ca-file', caPath, '--controller-token-file', tokenPath],
  ];
  const outcome = readConfig({ words, environment: {}, readText: () => '', columns: 80 });
  if (outcome.kind !== 'config') throw new Error('that is a text');
  const log = logLines();
  const traffic = {
    upload: new SmoothRate(undefined, systemClock),
    download: new SmoothRate(undefined, systemClock),
  };
  const { signal } = new AbortController();
  const parts = {
    ...{ client: api.client(), clock, signal, cache: undefined, traffic },
    log: createLog({ level: 'debug', format: 'json', write: log.write }),
    onPreCopies: () => undefined,
    failed: { list: () => [] },
  };
  const opened = await openMoveSlots(outcome.config, parts, NODE_SLOTS);
  t.teardown(() => opened[Symbol.asyncDispose]());
  const metrics = new AgentMetrics(node);
  t.teardown(() => metrics[Symbol.dispose]());
  const none = () => ({ total: 0, used: 0, waiting: 0 });
  metrics.observe({ slots: none, standing: opened.standing, queueDepths: () => ({}) });
  const standingNow = async () =>
    /stevedore_controller_standing\{standing="(\w+)"\} 1\n/.exec(
      await metrics.registry.metrics(),
    )?.[1];
  return { ...opened, log, standingNow };
}

interface Work {
  readonly moves: MoveStage;
  /** Of all nodes together. */
  readonly mover: ScriptedMover;
  readonly movers: readonly ObservedMover[];
  readonly lasting: { moveMs: number };
}

async function startWork(
  t: Test,
  { clock }: PassingTime,
  api: KubeEmulator,
  slots: readonly OpenSlots[],
): Promise<Work> {
  const moves = new MoveStage({ client: api.client(), velero: '1.18' });
  t.teardown(() => moves.end());
  const lasting = { moveMs: SHORT_MOVE_MS };
  const mover = new ScriptedMover(() => ({ until: clock.sleep(lasting.moveMs) }));
  const movers = NODES.map(() => new ObservedMover(mover));
  for (const [index, nodeName] of NODES.entries()) {
    await moves.agent({ nodeName, slots: slots[index]?.slots, mover: movers[index] });
  }
  return { moves, mover, movers, lasting };
}

function endedCount({ moves }: Work): number {
  return [...moves.backups.objects.values()].filter(item => item.status?.phase === 'Completed')
    .length;
}

function saidCount({ log }: NodeSlots, message: string): number {
  return log.lines.filter(line => line.includes(`"${message}"`)).length;
}

async function clusterSlotsUsed({ served }: ControllerScene): Promise<number> {
  const line = /^stevedore_controller_slots\{limit="cluster",name="",state="used"\} (\d+)$/m;
  return Number(line.exec(await served('/metrics'))?.[1]);
}

t.test('an hour alone: each node up to its own limit, and then nothing twice', async t => {
  const caPath = join(t.testdir({}), 'ca.crt');
  const authority = makeAuthority();
  writeFileSync(caPath, authority.certificate);
  const api = await startKubeEmulator({ velero: '1.18' });
  t.teardown(() => api.stop());
  const time = passTime(t);
  const options = { api, pair: makePair(authority), clock: time.clock, leads: true };
  // The API server is asked in real time, which passes slower.
  const flags = ['--lease-duration', '60s', '--cluster-slots', String(CLUSTER_SLOTS)];
  const first = await startController(t, flags, NODES, options);
  const slots: NodeSlots[] = [];
  for (const node of NODES) slots.push(await openSlots(t, time, first, { node, caPath }));
  const work = await startWork(t, time, api, slots);
  const { mover, movers, lasting } = work;
  /** How many moved when one more had begun, at most; of all nodes. */
  const begun = { count: 0, activeMax: 0 };
  time.looks.push(() => {
    if (mover.backups.length > begun.count) {
      begun.activeMax = Math.max(begun.activeMax, mover.activeCount);
    }
    begun.count = mover.backups.length;
  });

  const items = [];
  for (let index = 0; index < VOLUMES; index++) {
    const node = NODES[index % NODES.length];
    items.push(await work.moves.backup({ node, backupUid: crypto.randomUUID() }));
  }
  await time.until(() => endedCount(work) >= 2);
  t.equal(begun.activeMax, CLUSTER_SLOTS, 'with a controller its limit holds');
  lasting.moveMs = LONG_MOVE_MS;
  const alreadyBegun = mover.backups.length;
  await time.until(() => mover.backups.length > alreadyBegun);
  const { port } = first;
  await first.stop();

  const goneMs = time.clock.monotonic();
  await time.until(() => slots.every(each => saidCount(each, ALONE) === 1));
  t.ok(time.clock.monotonic() - goneMs > 30_000, 'not before the lease was over');
  for (const each of slots) t.equal(await each.standingNow(), 'alone');
  time.pace = 'leap';
  const begunBefore = mover.backups.length;
  const activeCounts: number[] = [];
  time.looks.push(() => void (time.pace === 'leap' && activeCounts.push(mover.activeCount)));
  await time.until(() => time.clock.monotonic() - goneMs >= HOUR_MS);
  time.pace = 'walk';
  const inTheHour = mover.backups.length - begunBefore;
  const meanActive = activeCounts.reduce((sum, count) => sum + count, 0) / activeCounts.length;
  t.comment({ inTheHour, meanActive, ended: endedCount(work) });
  t.ok(meanActive > 0.95 * NODES.length * NODE_SLOTS, 'nodes back up at their limit');
  t.equal(mover.activeCountMax, NODES.length * NODE_SLOTS);
  for (const { activeCountMax } of movers) t.equal(activeCountMax, NODE_SLOTS, 'and not beyond');
  for (const each of slots) t.equal(saidCount(each, ALONE), 1, 'which was said once');
  t.ok(endedCount(work) < VOLUMES - CLUSTER_SLOTS * 2, 'there is something left to do');

  // What is under way when it comes back ends after a while, and the rest is quick.
  const underWay = movers.flatMap(({ activeUids }) => activeUids).sort();
  t.equal(underWay.length, NODES.length * NODE_SLOTS);
  lasting.moveMs = SHORT_MOVE_MS;
  const again = ['--listen-address', `127.0.0.1:${port}`];
  const second = await startController(t, [...flags, ...again], [], options);
  begun.activeMax = 0;
  let used = 0;
  const known = async () => (used = await clusterSlotsUsed(second));
  time.looks.push(() => void known().catch(() => undefined));
  await time.until(() => used === underWay.length);
  t.comment({ used, limit: CLUSTER_SLOTS });
  for (const each of slots) {
    await time.until(() => saidCount(each, 'the controller gives slots') === 2);
    t.equal(await each.standingNow(), 'with');
  }
  await time.until(() => endedCount(work) === VOLUMES);
  t.equal(begun.activeMax, CLUSTER_SLOTS, 'no slot is granted above the limit');
  const ran = mover.backups.map(({ moveUid }) => moveUid).sort();
  const asked = items.map(({ metadata }) => metadata.uid ?? '').sort();
  t.strictSame(ran, asked, 'each has run, and none of them twice');
  await time.until(() => used === 0);
  t.equal(mover.abortCount, 0, 'nothing was stopped');
});
