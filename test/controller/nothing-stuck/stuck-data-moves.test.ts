// Moves of snapshots whose node or agent is gone, against the API emulator: what is ended, and
// everything that is not to be touched, above all what a stock agent has.

import t from 'tap';
import { MADE_FOR } from '#agent/exposer/made-objects.ts';
import { MINUTE, newScene, type StuckScene } from './stuck-scene.ts';

const REPLACES = ({ method }: { readonly method: string }) => method === 'PUT';
const IN_PROGRESS = { phase: 'InProgress', node: 'worker-1', acceptedByNode: 'worker-2' };
const KINDS = ['DataUpload', 'DataDownload'] as const;

/** Looks at the beginning, and again after so long. */
async function lookFor(scene: StuckScene, minutes: number): Promise<void> {
  const { look } = scene.newController();
  await look();
  scene.pass(minutes * MINUTE);
  await look();
}

for (const kind of KINDS) {
  for (const velero of ['1.16', '1.18'] as const) {
    t.test(`a ${kind} of a node that is gone is failed, in ${velero}`, async t => {
      const scene = await newScene(t, velero);
      const name = scene.addDataMove(kind, IN_PROGRESS);
      scene.removeNode('worker-1');
      await lookFor(scene, 1);
      t.match(scene.statusOf(name), {
        phase: 'Failed',
        message: 'node worker-1 is gone, and its agent with it',
        completionTimestamp: /^\d{4}-/,
        acceptedByNode: 'worker-2',
      });
      t.equal(scene.finalizersOf(name)?.length, 2, 'what was made for it is for an agent');
      t.match(scene.events, [{ type: 'Warning', reason: 'StuckMoveFailed' }]);
    });
  }
}

t.test('nothing of a stock agent that runs is touched', async t => {
  const scene = await newScene(t);
  scene.addAgent('worker-1');
  const moves = [IN_PROGRESS, { ...IN_PROGRESS, phase: 'Prepared' }, { phase: 'New' }, {}];
  const accepted = { phase: 'Accepted', acceptedByNode: 'gone' };
  const names = [...moves, accepted].map(status => scene.addDataMove('DataUpload', status));
  await lookFor(scene, 600);
  // A session of ours is no doubt about it: they may run side by side.
  scene.sessions.add('worker-1');
  await lookFor(scene, 600);
  t.strictSame(
    names.map(name => scene.statusOf(name).phase),
    ['InProgress', 'Prepared', 'New', undefined, 'Accepted'],
  );
  t.notOk(scene.api.requests.some(REPLACES));
});

t.test('an agent of ours makes them, too, and a pod that holds a volume does not', async t => {
  const scene = await newScene(t);
  scene.addAgent('worker-1', 'Running', 'stevedore');
  const name = scene.addDataMove('DataUpload', IN_PROGRESS);
  await lookFor(scene, 600);
  t.equal(scene.statusOf(name).phase, 'InProgress');

  scene.addNode('worker-2');
  const other = scene.addDataMove('DataUpload', { ...IN_PROGRESS, node: 'worker-2' });
  const labels = { [MADE_FOR]: 'its-uid' };
  const metadata = { name: other, namespace: 'velero', labels };
  scene.addPod({ kind: 'Pod', metadata, spec: { nodeName: 'worker-2' } }, { phase: 'Running' });
  await lookFor(scene, 600);
  const message = 'node worker-2 has had no running node agent for 10 h';
  t.match(scene.statusOf(other), { phase: 'Failed', message });
});

t.test('the pod of a move goes on by itself', async t => {
  const scene = await newScene(t);
  const name = scene.addDataMove('DataUpload', IN_PROGRESS);
  const metadata = { name, namespace: 'velero' };
  scene.addPod({ kind: 'Pod', metadata, spec: { nodeName: 'worker-1' } }, { phase: 'Running' });
  await lookFor(scene, 600);
  t.equal(scene.statusOf(name).phase, 'InProgress');
  t.notOk(scene.api.requests.some(REPLACES));
});

t.test('what nobody has accepted waits for its deadline', async t => {
  const scene = await newScene(t);
  const name = scene.addDataMove('DataDownload');
  await lookFor(scene, 239);
  t.equal(scene.statusOf(name).phase, undefined);
  await lookFor(scene, 11);
  const message = 'it could not begin within 4 h: no node agent runs';
  t.match(scene.statusOf(name), { phase: 'Failed', message });
  const finalizers = ['kept/by-somebody', 'velero.io/data-upload-download-finalizer'];
  t.strictSame(scene.finalizersOf(name), finalizers, 'its snapshot is for an agent');
});

t.test("another's data mover is none of ours", async t => {
  const scene = await newScene(t);
  const name = scene.addDataMove('DataUpload', IN_PROGRESS, { datamover: 'example' });
  const ours = scene.addDataMove('DataUpload', IN_PROGRESS, { datamover: 'stevedore' });
  scene.removeNode('worker-1');
  await lookFor(scene, 600);
  t.equal(scene.statusOf(name).phase, 'InProgress');
  t.equal(scene.statusOf(ours).phase, 'Failed');
});

t.test('an agent that comes back between the look and the write has its move', async t => {
  const scene = await newScene(t);
  const name = scene.addDataMove('DataUpload', IN_PROGRESS);
  const { look } = scene.newController();
  await look();
  scene.pass(11 * MINUTE);
  scene.api.faults.inject({
    ...{ verb: 'get', plural: 'datauploads', effect: { type: 'conflict' } },
    when: () => {
      scene.addAgent('worker-1');
      return false;
    },
  });
  await look();
  t.equal(scene.statusOf(name).phase, 'InProgress');
  t.notOk(scene.api.requests.some(REPLACES));
});
