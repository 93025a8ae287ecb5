// Done files are taken away when their pod goes on, and put back when it waits again.

import t from 'tap';
import { DoneFiles, LOOK_AGAIN_MS } from '#agent/done-files.ts';
import { createLog } from '#agent/log.ts';
import { SecretTexts } from '#agent/log-secrets.ts';
import type { DoneOrder } from '#agent/moves/done-orders.ts';
import type { Pod } from '#agent/moves/objects/pod.ts';
import type { PodVolumeRestore } from '#agent/moves/objects/pod-volume-restore.ts';
import type { ObjectKey } from '#kube/kube-object.ts';
import { ManualClock, settle } from '#test/kube/manual-clock.ts';
import { newRestore, waitingPod } from '#test/moves/velero-objects.ts';

const KEY = 'shop/web';

function passedPod(exitCode = 0): Pod {
  const state = { terminated: { exitCode } };
  const pod = waitingPod();
  const initContainerStatuses = [{ name: 'restore-wait', state }];
  return { ...pod, status: { ...pod.status, initContainerStatuses } };
}

function scene() {
  const clock = new ManualClock();
  const pods = new Map<ObjectKey, Pod>();
  const restores: PodVolumeRestore[] = [];
  const calls: string[] = [];
  const lines: string[] = [];
  const end = new AbortController();
  const state = { isThere: true, fails: false, hold: Promise.resolve() };
  const files = new DoneFiles({
    mover: {
      tidy: async ({ volume }: DoneOrder) => {
        await state.hold;
        calls.push(`tidy ${volume.volume}`);
        state.isThere = false;
      },
      tellAgain: async ({ volume }: DoneOrder) => {
        if (state.fails) throw new Error('the API server is away');
        calls.push(`tell ${volume.volume}${state.isThere ? '' : ' again'}`);
        const wasGone = !state.isThere;
        state.isThere = true;
        return wasGone;
      },
    },
    pods,
    restoresOf: key => (key === KEY ? restores : []),
    clock,
    log: createLog({
      level: 'info',
      format: 'json',
      write: line => lines.push(line),
      secrets: new SecretTexts(),
    }),
    signal: end.signal,
  });
  const change = async (pod: Pod | undefined) => {
    if (pod) pods.set(KEY, pod);
    else pods.delete(KEY);
    files.podChanged(KEY);
    await settle();
  };
  t.teardown(() => end.abort());
  return { clock, restores, calls, lines, end, state, files, change };
}

const completed = newRestore({ status: { phase: 'Completed' } });

t.test('a file is taken away when its pod goes on, and not when its helper was killed', async t => {
  const { calls, files, change } = scene();
  await change(waitingPod());
  files.completed(completed);
  await change(passedPod(137));
  t.strictSame(calls, []);
  await change(passedPod());
  await change(passedPod());
  t.strictSame(calls, ['tidy data']);
});

t.test('a pod that waits again after a reboot gets it again, and it goes again', async t => {
  const { calls, lines, files, restores, change } = scene();
  restores.push(completed);
  await change(waitingPod());
  files.completed(completed);
  await change(passedPod());
  t.strictSame(calls, ['tell data', 'tidy data']);
  await change(waitingPod(false));
  await change(waitingPod());
  t.strictSame(calls.slice(2), ['tell data again']);
  t.match(lines.join(''), /a pod is told again that its volume is restored/);
  await change(passedPod());
  t.strictSame(calls.slice(3), ['tidy data']);
});

t.test('while a pod waits it is looked after, and no longer', async t => {
  const { calls, clock, restores, state, change, files } = scene();
  await change(waitingPod());
  t.strictSame(calls, [], 'its restore is under way');
  restores.push(completed);
  state.fails = true;
  await clock.pass(LOOK_AGAIN_MS);
  state.fails = false;
  state.isThere = false;
  await clock.pass(LOOK_AGAIN_MS);
  t.strictSame(calls, ['tell data again']);
  // Another pod that shares the volume has gone on, on another node.
  state.isThere = false;
  await change(waitingPod());
  await clock.pass(LOOK_AGAIN_MS);
  t.strictSame(calls.slice(1), ['tell data again']);
  await change(undefined);
  await clock.pass(LOOK_AGAIN_MS);
  t.equal(clock.sleeperCount, 0);
  await files.settled();
  t.equal(calls.length, 2);
});

t.test('a file is not taken away after it was put back', async t => {
  const { calls, files, restores, state, change } = scene();
  restores.push(completed);
  await change(waitingPod());
  files.completed(completed);
  const gate = Promise.withResolvers<void>();
  state.hold = gate.promise;
  await change(passedPod());
  await change(undefined);
  await change(waitingPod());
  gate.resolve();
  await settle();
  t.strictSame(calls, ['tell data', 'tidy data', 'tell data again']);
});

t.test('the end of the agent ends it', async t => {
  const { end, files, change, restores } = scene();
  restores.push(completed);
  await change(waitingPod());
  end.abort();
  await files.settled();
  t.pass('nothing is left');
});
