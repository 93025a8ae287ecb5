// Moves whose node or agent is gone, against the API emulator: what is ended, and everything that
// is not to be touched.

import t from 'tap';
import { POD_VOLUME_BACKUPS } from '#agent/moves/objects/pod-volume-backup.ts';
import { MINUTE, newScene } from './stuck-scene.ts';

const REPLACES = ({ method }: { readonly method: string }) => method === 'PUT';

for (const velero of ['1.16', '1.18'] as const) {
  t.test(`a backup of a node that is gone is failed with the reason, in ${velero}`, async t => {
    const scene = await newScene(t, velero);
    const name = scene.addBackup({ phase: 'InProgress', startTimestamp: '2026-06-02T08:59:00Z' });
    scene.removeNode('worker-1');
    const { look } = scene.newController();
    await look();
    t.match(scene.statusOf(name), { phase: 'InProgress' }, 'a Node may come back');
    scene.pass(MINUTE);
    await look();
    t.match(scene.statusOf(name), {
      phase: 'Failed',
      message: 'node worker-1 is gone, and its agent with it',
      startTimestamp: '2026-06-02T08:59:00Z',
      completionTimestamp: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
    });
    t.match(scene.events, [{ type: 'Warning', reason: 'StuckMoveFailed' }]);
    t.strictSame(scene.warnings, ['a stuck move is failed']);
    t.match(scene.ended, [[String, 'node worker-1 is gone, and its agent with it']]);
  });
}

t.test('a node without an agent is waited for, and longer after each return', async t => {
  const scene = await newScene(t);
  const name = scene.addBackup();
  const { look } = scene.newController();
  await look();
  scene.pass(9 * MINUTE);
  scene.addAgent('worker-1');
  await look();
  scene.removeAgent('worker-1');
  scene.pass(2 * MINUTE);
  await look();
  t.equal(scene.statusOf(name).phase, undefined, 'away for no time yet');
  scene.pass(5 * MINUTE);
  scene.sessions.add('worker-1');
  await look();
  scene.sessions.clear();
  await look();
  scene.pass(9 * MINUTE);
  await look();
  t.equal(scene.statusOf(name).phase, undefined);
  scene.pass(MINUTE);
  await look();
  t.match(scene.statusOf(name), {
    phase: 'Failed',
    message: 'node worker-1 has had no running agent for 10 min',
  });
});

t.test('nothing of an agent that is there is touched, by session or by pod', async t => {
  const scene = await newScene(t);
  const names = [scene.addBackup(), scene.addBackup({ phase: 'InProgress' })];
  scene.addAgent('worker-1');
  const { look } = scene.newController();
  await look();
  scene.pass(600 * MINUTE);
  await look();
  scene.removeAgent('worker-1');
  scene.sessions.add('worker-1');
  scene.pass(600 * MINUTE);
  await look();
  t.strictSame(
    names.map(name => scene.statusOf(name).phase),
    [undefined, 'InProgress'],
  );
  t.notOk(scene.api.requests.some(REPLACES));
});

t.test('an agent of a Windows node is one, too', async t => {
  const scene = await newScene(t);
  const name = scene.addBackup();
  const metadata = { name: 'w', namespace: 'velero', labels: { name: 'node-agent-windows' } };
  const spec = { nodeName: 'worker-1' };
  scene.addPod({ kind: 'Pod', metadata, spec }, { phase: 'Running' });
  const { look } = scene.newController();
  await look();
  scene.pass(600 * MINUTE);
  await look();
  t.equal(scene.statusOf(name).phase, undefined);
});

t.test('an agent that comes back between the look and the write has its move', async t => {
  const scene = await newScene(t);
  const name = scene.addBackup();
  const { look } = scene.newController();
  await look();
  scene.pass(11 * MINUTE);
  // The object is read once more before it is written; by then there is a session.
  scene.api.faults.inject({
    ...{ verb: 'get', plural: 'podvolumebackups', effect: { type: 'conflict' } },
    when: () => {
      scene.sessions.add('worker-1');
      return false;
    },
  });
  await look();
  t.equal(scene.statusOf(name).phase, undefined);
  t.notOk(scene.api.requests.some(REPLACES));
});

t.test('what somebody else has written meanwhile stays', async t => {
  const scene = await newScene(t);
  const name = scene.addBackup();
  const { look } = scene.newController();
  await look();
  scene.pass(11 * MINUTE);
  const effect = { type: 'conflict' } as const;
  scene.api.faults.inject({ verb: 'update', plural: 'podvolumebackups', effect });
  await look();
  t.equal(scene.statusOf(name).phase, undefined, 'decided anew at the next look');
  await look();
  t.equal(scene.statusOf(name).phase, 'Failed');
});

t.test('two controllers at once end a move once', async t => {
  const scene = await newScene(t);
  const name = scene.addBackup();
  const [one, other] = [scene.newController(), scene.newController()];
  await Promise.all([one.look(), other.look()]);
  scene.pass(11 * MINUTE);
  await Promise.all([one.look(), other.look()]);
  const first = scene.statusOf(name);
  t.equal(first.phase, 'Failed');
  t.equal(scene.warnings.length, 1);
  scene.pass(MINUTE);
  await Promise.all([one.look(), other.look()]);
  t.strictSame(scene.statusOf(name), first, 'what has ended is not written to');
});

t.test('what has ended is left as it is', async t => {
  const scene = await newScene(t);
  const name = scene.addBackup({ phase: 'Completed', snapshotID: 'abc' });
  scene.removeNode('worker-1');
  const { look } = scene.newController();
  await look();
  scene.pass(600 * MINUTE);
  await look();
  t.match(scene.statusOf(name), { phase: 'Completed' });
  t.strictSame(scene.api.requests.filter(REPLACES), []);
});

t.test('a restore that waits for its pod is explained, once for each cause', async t => {
  const scene = await newScene(t);
  const unscheduled = { type: 'PodScheduled', status: 'False', message: '0/3 nodes have room' };
  const metadata = { name: 'db', namespace: 'shop' };
  const uid = scene.addPod({ kind: 'Pod', metadata, spec: {} }, { conditions: [unscheduled] });
  const name = scene.addRestore({ name: 'db', uid });
  const { look } = scene.newController();
  scene.pass(2 * MINUTE);
  await look();
  await look();
  const where = 'pod shop/db, which it is to fill,';
  t.match(scene.events, [
    {
      ...{ type: 'Normal', reason: 'WaitingForPod', regarding: { metadata: { name } } },
      message: `waits, because ${where} is on no node yet: 0/3 nodes have room`,
    },
  ]);
  t.equal(scene.events.length, 1);
  scene.pass(240 * MINUTE);
  await look();
  t.match(scene.statusOf(name), {
    phase: 'Failed',
    message: `it could not begin within 4 h: ${where} is on no node yet: 0/3 nodes have room`,
  });
});

t.test('a restore whose pod is gone for good is failed', async t => {
  const scene = await newScene(t);
  const name = scene.addRestore({ name: 'gone', uid: 'u-1' });
  const { look } = scene.newController();
  await look();
  scene.pass(10 * MINUTE);
  await look();
  t.match(scene.statusOf(name), { phase: 'Failed', message: /^pod shop\/gone is gone/ });
});

t.test('where nodes cannot be asked about nothing is ended', async t => {
  const scene = await newScene(t);
  const name = scene.addBackup();
  scene.api.access.deny({ plural: 'nodes' });
  const { look } = scene.newController();
  await t.rejects(look(), { code: 'KUBE_FORBIDDEN' });
  scene.pass(600 * MINUTE);
  await t.rejects(look(), { code: 'KUBE_FORBIDDEN' });
  t.equal(scene.statusOf(name).phase, undefined);
});

t.test('while all agents have sessions the API server is asked nothing', async t => {
  const scene = await newScene(t);
  scene.addBackup();
  scene.sessions.add('worker-1');
  scene.api.forgetRequests();
  await scene.newController().look();
  t.strictSame(scene.api.requests, []);
  t.equal(scene.api.objects(POD_VOLUME_BACKUPS).length, 1);
});
