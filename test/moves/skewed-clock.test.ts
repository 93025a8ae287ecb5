// Agents whose clock is an hour off that of the API server: no move is timed out at once, and none
// waits for ever.

import t, { type Test } from 'tap';
import type { Pod } from '#agent/moves/objects/pod.ts';
import { keyOf, type ObjectKey } from '#kube/kube-object.ts';
import { type Clock, systemClock } from '#engine/base/clock.ts';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { MoveStage } from './move-stage.ts';
import { ScriptedMover } from './scripted-mover.ts';
import { waitingPod } from './velero-objects.ts';

const MINUTE_MS = 60_000;
const PREPARE_TIMEOUT_MS = 30 * MINUTE_MS;
const SKEWS = { ahead: 60 * MINUTE_MS, behind: -60 * MINUTE_MS };

/** The machine's clock, which a test puts forward. */
function skewedClock(offsetMs: number): Clock & { pass(ms: number): void } {
  let passedMs = 0;
  const nowMs = () => Date.now() + offsetMs + passedMs;
  return {
    ...systemClock,
    now: nowMs,
    nowNanoseconds: () => BigInt(nowMs()) * 1_000_000n,
    monotonic: () => systemClock.monotonic() + passedMs,
    pass: ms => void (passedMs += ms),
  };
}

async function play(test: Test, offsetMs: number) {
  const api = await startKubeEmulator({ velero: '1.18' });
  const stage = new MoveStage({ client: api.client(), velero: '1.18' });
  await Promise.all([stage.backups.synced, stage.restores.synced]);
  test.teardown(async () => {
    await stage.end();
    await api.stop();
  });
  const clock = skewedClock(offsetMs);
  const pods = new Map<ObjectKey, Pod>();
  const mover = new ScriptedMover();
  const agent = await stage.agent({ clock, pods, mover, prepareTimeoutMs: PREPARE_TIMEOUT_MS });
  return { stage, clock, pods, mover, agent };
}

for (const [how, offsetMs] of Object.entries(SKEWS)) {
  t.test(`an hour ${how}: a backup completes`, async t => {
    const { stage } = await play(t, offsetMs);
    const made = await stage.backup();
    const { status } = await stage.until(made, 'Completed', 'Failed');
    t.equal(status?.phase, 'Completed');
  });

  t.test(
    `an hour ${how}: a restore waits for its pod as long as it may, and no longer`,
    async t => {
      const { stage, clock, pods, agent } = await play(t, offsetMs);
      pods.set(keyOf(waitingPod()), waitingPod());
      const hold = await stage.backup();
      await stage.until(hold, 'Completed');
      // Accepted while its pod waits; then the pod is restarted and never waits again.
      const acceptedTimestamp = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
      pods.set(keyOf(waitingPod()), waitingPod(false));
      const made = await stage.restore({
        status: { phase: 'Accepted', node: 'worker-1', acceptedTimestamp },
      });
      agent.look();
      clock.pass(PREPARE_TIMEOUT_MS - MINUTE_MS);
      agent.look();
      // The agent has seen it, and what comes after it, too.
      await stage.until(await stage.backup(), 'Completed');
      t.equal((await stage.read(made)).status?.phase, 'Accepted');
      clock.pass(2 * MINUTE_MS);
      agent.look();
      const { status } = await stage.until(made, 'Failed');
      t.match(status?.message, /^timeout on preparing PVR/);
    },
  );

  t.test(`an hour ${how}: one that does not say since when has its time, too`, async t => {
    const { stage, clock, pods, agent } = await play(t, offsetMs);
    pods.set(keyOf(waitingPod()), waitingPod(false));
    const made = await stage.restore({ status: { phase: 'Accepted', node: 'worker-1' } });
    agent.look();
    await stage.until(await stage.backup(), 'Completed');
    const { status } = await stage.read(made);
    t.equal(status?.phase, 'Accepted', 'not at once');
    clock.pass(2 * 60 * MINUTE_MS);
    agent.look();
    t.match((await stage.until(made, 'Failed')).status?.message, /^timeout on preparing PVR/);
  });
}
