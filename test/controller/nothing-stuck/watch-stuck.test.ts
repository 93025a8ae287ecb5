// The loop of a controller that leads: by watches and looks, until its term is over.

import t, { type Test } from 'tap';
import { createLog } from '#agent/log.ts';
import { watchStuck } from '#controller/nothing-stuck/watch-stuck.ts';
import { ManualClock } from '#test/kube/manual-clock.ts';
import { logLines } from '#test/support/log-lines.ts';
import { MINUTE, newScene, type StuckScene } from './stuck-scene.ts';

const LOOK_MS = 15_000;
/** So many looks without what is waited for are a failure. */
const LOOKS_MAX = 2_000;

function startWatch(t: Test, scene: StuckScene) {
  const clock = new ManualClock();
  const { lines, write } = logLines();
  const end = new AbortController();
  const running = watchStuck(
    {
      ...{ client: scene.api.client(), clock, namespace: 'velero', serviceAccount: 'stevedore' },
      log: createLog({ level: 'info', format: 'json', write }),
      limits: { agentAbsenceMs: 10 * MINUTE, startDeadlineMs: 240 * MINUTE },
      hasSession: node => scene.sessions.has(node),
      leftovers: scene.leftovers,
    },
    end.signal,
  );
  const stop = async () => {
    end.abort();
    await running;
  };
  t.teardown(stop);
  const until = async (isSo: () => boolean) => {
    for (let looks = 0; !isSo(); looks += 1) {
      if (looks > LOOKS_MAX) throw new Error('it has not come true');
      await clock.pass(LOOK_MS);
    }
  };
  return { clock, lines, stop, until };
}

t.test('moves that come and go are followed, and what is stuck is ended and told of', async t => {
  const scene = await newScene(t);
  scene.addNode('worker-2');
  const { lines, stop, until } = startWatch(t, scene);
  await until(() => scene.api.watchCount('podvolumebackups') === 1);
  const name = scene.addBackup();
  await until(() => scene.statusOf(name).phase === 'Failed');
  t.match(lines.join(''), /a stuck move is failed/);
  const told = () => scene.api.store.list('events').length > 0;
  await until(told);
  await stop();
  await until(() => scene.api.watchCount() === 0);
});

t.test('a right that is missing is said, and nothing is ended', async t => {
  const scene = await newScene(t);
  const name = scene.addBackup();
  scene.api.access.deny({ plural: 'nodes' });
  const { lines, until } = startWatch(t, scene);
  await until(() => lines.some(line => line.includes('could not be looked at')));
  t.equal(scene.statusOf(name).phase, undefined);
});
