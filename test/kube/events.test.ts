import t, { type Test } from 'tap';
import { EVENTS, EventWriter, type ObjectEvent } from '#kube/events.ts';
import { HttpKubeClient } from '#kube/http-client.ts';
import type { KubeObject } from '#kube/kube-object.ts';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { ManualClock, until } from './manual-clock.ts';

interface StoredEvent extends KubeObject {
  readonly message: string;
  readonly count: number;
  readonly reason: string;
}

async function start(test: Test) {
  const api = await startKubeEmulator({ velero: '1.18' });
  const clock = new ManualClock();
  const errors: unknown[] = [];
  const writer = new EventWriter({
    client: new HttpKubeClient(api.connection(), { clock }),
    component: 'stevedore',
    nodeName: 'worker-1',
    onError: error => errors.push(error),
    clock,
  });
  test.teardown(async () => {
    await writer.stop();
    await api.stop();
  });
  const stored = () => api.objects<StoredEvent>(EVENTS, 'velero');
  return { api, clock, writer, errors, stored };
}

function event(message = 'one file was unreadable', name = 'pvb-1'): ObjectEvent {
  const metadata = { namespace: 'velero', name, uid: `uid-of-${name}` };
  const regarding = { apiVersion: 'velero.io/v1', kind: 'PodVolumeBackup', metadata };
  return { regarding, type: 'Warning', reason: 'CompletedWithDifferences', message };
}

t.test('an event is about its object and says from where it comes', async t => {
  const { writer, stored } = await start(t);
  writer.emit(event());
  await writer.flush();
  t.match(stored(), [
    {
      metadata: { name: /^pvb-1\.[a-z0-9]{5}$/, namespace: 'velero' },
      involvedObject: { kind: 'PodVolumeBackup', name: 'pvb-1', uid: 'uid-of-pvb-1' },
      type: 'Warning',
      reason: 'CompletedWithDifferences',
      message: 'one file was unreadable',
      source: { component: 'stevedore', host: 'worker-1' },
      count: 1,
    },
  ]);
});

t.test('a storm is slowed down, and what is too much of it is dropped', async t => {
  const { clock, writer, stored } = await start(t);
  for (let i = 0; i < 150; i++) writer.emit(event(`number ${i}`));
  t.equal(writer.droppedCount, 50);
  await until(() => clock.sleeperCount === 1);
  t.equal(stored().length, 25);
  for (let i = 0; i < 3; i++) {
    await clock.pass(1000);
    await until(() => clock.sleeperCount === 1);
  }
  t.equal(stored().length, 28);
});

t.test('a failure is told and harms nobody', async t => {
  const { api, writer, errors, stored } = await start(t);
  const allow = api.access.deny({ verb: 'create', plural: 'events' });
  writer.emit(event());
  await writer.flush();
  t.match(errors, [{ code: 'KUBE_FORBIDDEN' }]);
  allow();
  writer.emit(event());
  await writer.flush();
  t.equal(stored().length, 1);
  await writer.stop();
  writer.emit(event('too late'));
  await writer.flush();
  t.equal(stored().length, 1);
});

t.test('what waits when it is stopped is written, as far as there is time', async t => {
  const { writer, stored, errors, clock } = await start(t);
  for (let index = 0; index < 27; index++) writer.emit(event(`${index}`));
  const stopped = writer.stop({ withinMs: 1500 });
  writer.emit(event('too late'));
  // All but two at once, then one a second.
  await until(() => stored().length === 25 && clock.sleeperCount === 2);
  await clock.pass(1000);
  await until(() => stored().length === 26 && clock.sleeperCount === 2);
  await clock.pass(500);
  await stopped;
  t.equal(stored().length, 26);
  t.equal(writer.droppedCount, 1);
  t.match(errors, [{ code: 'ABORTED', message: /^1 events/ }]);
});

t.test('who stops at once says how much was not written', async t => {
  const { writer, stored, errors } = await start(t);
  for (let index = 0; index < 3; index++) writer.emit(event(`${index}`));
  await writer.stop();
  t.strictSame(stored(), []);
  t.equal(writer.droppedCount, 3);
  t.match(errors, [{ code: 'ABORTED', message: /3 events/ }]);
});

t.test('a long message is cut between characters', async t => {
  const { writer, stored } = await start(t);
  writer.emit(event('ä'.repeat(1000)));
  await writer.flush();
  const [{ message }] = stored();
  t.ok(Buffer.byteLength(message) <= 1024 && Buffer.byteLength(message) > 1000);
  t.match(message, /^ä+…$/);
});
