// What moves leave behind, against the API emulator: what of it is deleted and when, and everything
// that is not to be touched.

import t from 'tap';
import { isToGo, LEFT_TO_AGENT_MS } from '#controller/nothing-stuck/decide-leftover.ts';
import type { AgentState } from '#controller/nothing-stuck/decide-stuck.ts';
import { CLAIMS, PODS } from '#kube/core-resources.ts';
import type { SeedObject } from '#test/kube-emulator/kube-emulator.ts';
import { MINUTE, newScene, type StuckScene } from './stuck-scene.ts';

const LABELS = {
  PodVolumeBackup: 'velero.io/pod-volume-backup',
  PodVolumeRestore: 'velero.io/pod-volume-restore',
  DataUpload: 'velero.io/data-upload',
  DataDownload: 'velero.io/data-download',
} as const;
type Kind = keyof typeof LABELS;

const DELETES = ({ method }: { readonly method: string }) => method === 'DELETE';

function addMove(scene: StuckScene, kind: Kind, status: object): string {
  const made = { ...status, node: 'worker-1' };
  if (kind === 'PodVolumeBackup') return scene.addBackup({ ...status });
  if (kind === 'PodVolumeRestore') return scene.addRestore({}, made);
  return scene.addDataMove(kind, made);
}

interface Made {
  readonly name?: string;
  readonly metadata?: object;
  readonly spec?: object;
}

/** As an exposer of Velero's does it. */
function madeFor(scene: StuckScene, kind: Kind, move: string): SeedObject['metadata'] {
  const { apiVersion, metadata } = scene.object(move);
  const owner = { apiVersion, kind, name: move, uid: metadata.uid, controller: true };
  return { name: move, namespace: 'velero', ownerReferences: [owner] };
}

function addPod(scene: StuckScene, kind: Kind, move: string, made: Made = {}): void {
  const labels = { [LABELS[kind]]: move };
  const metadata = { ...madeFor(scene, kind, move), labels, ...made.metadata };
  const spec = { nodeName: 'worker-1', terminationGracePeriodSeconds: 0, ...made.spec };
  scene.addPod({ kind: 'Pod', metadata, spec }, { phase: 'Running' });
}

function addClaim(scene: StuckScene, kind: Kind, move: string, made: Made = {}): void {
  const metadata = { ...madeFor(scene, kind, move), name: made.name ?? move, ...made.metadata };
  scene.api.add({ kind: 'PersistentVolumeClaim', metadata, spec: {} });
}

function left(scene: StuckScene): string[] {
  const all = [PODS, CLAIMS].flatMap(resource => scene.api.objects(resource));
  return all.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}

/** Sees it, and comes again after so long. */
async function sweepFor(scene: StuckScene, minutes: number): Promise<void> {
  const { sweep } = scene.newController();
  await sweep();
  scene.pass(minutes * MINUTE);
  await sweep();
}

for (const kind of Object.keys(LABELS) as Kind[]) {
  t.test(`pod and claims of a ${kind} that has ended go where no agent is`, async t => {
    const scene = await newScene(t);
    const move = addMove(scene, kind, { phase: 'Failed' });
    addPod(scene, kind, move);
    addClaim(scene, kind, move);
    addClaim(scene, kind, move, { name: `${move}-cache` });
    await sweepFor(scene, 9);
    t.equal(left(scene).length, 3, 'an agent may come');
    await sweepFor(scene, 10);
    t.strictSame(left(scene), []);
    const told = { regarding: { metadata: { name: move } }, reason: 'LeftoverDeleted' };
    t.match(scene.events, [
      { ...told, message: `deleted Pod ${move}, which it had left behind` },
      { ...told, message: `deleted PersistentVolumeClaim ${move}, which it had left behind` },
      told,
    ]);
    t.strictSame(scene.warnings, Array(3).fill('what a move has left behind is deleted'));
    t.strictSame([1, 2], [scene.leftovers.of('Pod'), scene.leftovers.of('PersistentVolumeClaim')]);
  });
}

t.test('what an agent that runs may be at it has an hour for', async t => {
  const ways: Readonly<Record<string, (scene: StuckScene) => void>> = {
    session: ({ sessions }) => void sessions.add('worker-1'),
    pod: scene => scene.addAgent('worker-1'),
  };
  for (const [name, add] of Object.entries(ways)) {
    const scene = await newScene(t);
    const move = addMove(scene, 'DataUpload', { phase: 'Canceled' });
    addClaim(scene, 'DataUpload', move);
    add(scene);
    await sweepFor(scene, 59);
    t.notOk(scene.api.requests.some(DELETES), name);
    await sweepFor(scene, 60);
    t.ok(scene.api.requests.some(DELETES), name);
  }
});

t.test('where it is not known which node it is, any agent has that hour', async t => {
  const scene = await newScene(t);
  const move = scene.addDataMove('DataUpload', { phase: 'Failed' });
  addClaim(scene, 'DataUpload', move);
  await sweepFor(scene, 59);
  t.equal(left(scene).length, 1);
  await sweepFor(scene, 60);
  t.strictSame(left(scene), []);
});

type Add = (scene: StuckScene, move: string) => void;
const KIND = 'DataUpload';
const owned = (scene: StuckScene, move: string, more: object) => {
  const [owner] = madeFor(scene, KIND, move).ownerReferences as object[];
  return { ownerReferences: [{ ...owner, ...more }] };
};

/** Beside a DataUpload that has failed. */
const NOT_TOUCHED: Readonly<Record<string, Add>> = {
  "a user's pod with the label": (scene, move) =>
    addPod(scene, KIND, move, { metadata: { ownerReferences: undefined } }),
  "a user's claim of that name": (scene, move) =>
    addClaim(scene, KIND, move, { metadata: { ownerReferences: undefined } }),
  'a pod without the label': (scene, move) =>
    addPod(scene, KIND, move, { metadata: { labels: { app: 'web' } } }),
  'a pod with the label of another kind': (scene, move) => {
    addMove(scene, 'PodVolumeBackup', { phase: 'Failed' });
    addPod(scene, KIND, move, { metadata: { labels: { [LABELS.PodVolumeBackup]: move } } });
  },
  'a pod with the label of another move': (scene, move) =>
    addPod(scene, KIND, move, { metadata: { labels: { [LABELS.DataUpload]: 'other' } } }),
  'a pod of another name': (scene, move) =>
    addPod(scene, KIND, move, { metadata: { name: 'web' } }),
  'a claim of another name': (scene, move) => addClaim(scene, KIND, move, { name: `${move}-data` }),
  'what has another owner, too': (scene, move) => {
    const web = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'u-web' };
    const { ownerReferences } = owned(scene, move, {});
    addPod(scene, KIND, move, { metadata: { ownerReferences: [...ownerReferences, web] } });
  },
  'what no controller owns': (scene, move) =>
    addPod(scene, KIND, move, { metadata: owned(scene, move, { controller: false }) }),
  'of an earlier move of that name': (scene, move) =>
    addPod(scene, KIND, move, { metadata: owned(scene, move, { uid: 'u-earlier' }) }),
  'of an owner of another group': (scene, move) =>
    addPod(scene, KIND, move, { metadata: owned(scene, move, { apiVersion: 'example.org/v1' }) }),
  'of an owner of another kind': (scene, move) =>
    addPod(scene, KIND, move, { metadata: owned(scene, move, { kind: 'DataDownload' }) }),
  'in another namespace': (scene, move) =>
    addPod(scene, KIND, move, { metadata: { namespace: 'shop' } }),
};

for (const [what, add] of Object.entries(NOT_TOUCHED)) {
  t.test(`not touched: ${what}`, async t => {
    const scene = await newScene(t);
    const move = addMove(scene, KIND, { phase: 'Failed' });
    add(scene, move);
    await sweepFor(scene, 600);
    t.equal(left(scene).length, 1);
    t.notOk(scene.api.requests.some(DELETES));
  });
}

t.test('of moves that go on nothing is touched, nor of those of others', async t => {
  const scene = await newScene(t);
  const phases = ['New', 'Accepted', 'Prepared', 'InProgress', 'Canceling'];
  const statuses = [{}, ...phases.map(phase => ({ phase }))];
  const names = statuses.map(status => addMove(scene, 'DataUpload', status));
  const foreign = { datamover: 'example' };
  names.push(scene.addDataMove('DataUpload', { phase: 'Failed', node: 'worker-1' }, foreign));
  for (const name of names) addPod(scene, 'DataUpload', name);
  addMove(scene, 'DataUpload', { phase: 'Failed' });
  await sweepFor(scene, 600);
  t.equal(left(scene).length, names.length);
  t.notOk(scene.api.requests.some(DELETES));
});

t.test('what has changed since it was seen stays until the next time', async t => {
  const scene = await newScene(t);
  const move = addMove(scene, 'DataUpload', { phase: 'Failed' });
  addPod(scene, 'DataUpload', move);
  const { sweep } = scene.newController();
  await sweep();
  scene.pass(10 * MINUTE);
  scene.api.faults.inject({
    ...{ verb: 'get', plural: 'datauploads', effect: { type: 'conflict' } },
    when: () => {
      const name = { namespace: 'velero', name: move };
      scene.api.change(PODS, name, pod => void Object.assign(pod, { status: { phase: 'Failed' } }));
      return false;
    },
  });
  await sweep();
  t.equal(left(scene).length, 1);
  t.equal(scene.leftovers.of('Pod'), 0);
  scene.api.faults.clear();
  await sweep();
  t.strictSame(left(scene), []);
});

t.test('two controllers at once delete it once', async t => {
  const scene = await newScene(t);
  const move = addMove(scene, 'PodVolumeBackup', { phase: 'Completed' });
  addPod(scene, 'PodVolumeBackup', move);
  const both = [scene.newController(), scene.newController()];
  await Promise.all(both.map(({ sweep }) => sweep()));
  scene.pass(10 * MINUTE);
  await Promise.all(both.map(({ sweep }) => sweep()));
  t.strictSame(left(scene), []);
  t.equal(scene.leftovers.of('Pod'), 1);
});

t.test('who may not delete pods deletes claims all the same', async t => {
  const scene = await newScene(t);
  const move = addMove(scene, 'DataUpload', { phase: 'Failed' });
  addPod(scene, 'DataUpload', move);
  addClaim(scene, 'DataUpload', move);
  scene.api.access.deny({ verb: 'delete', plural: 'pods' });
  await sweepFor(scene, 10);
  t.strictSame(left(scene), [`Pod ${move}`]);
});

t.test('where nothing has ended the API server is asked nothing', async t => {
  const scene = await newScene(t);
  scene.addBackup({ phase: 'InProgress' });
  scene.api.forgetRequests();
  await scene.newController().sweep();
  t.strictSame(scene.api.requests, []);
});

t.test('an agent that was back in between is waited for anew', async t => {
  const absent = (forMs: number): AgentState => ({ kind: 'absent', forMs });
  const limits = { agentAbsenceMs: 10 * MINUTE, startDeadlineMs: 240 * MINUTE };
  const table: readonly (readonly [number, AgentState, boolean])[] = [
    [30 * MINUTE, absent(9 * MINUTE), false],
    [9 * MINUTE, absent(30 * MINUTE), false],
    [10 * MINUTE, absent(10 * MINUTE), true],
    [LEFT_TO_AGENT_MS - 1, { kind: 'there' }, false],
    [LEFT_TO_AGENT_MS, { kind: 'there' }, true],
  ];
  for (const [forMs, agent, isGoing] of table) {
    t.equal(isToGo({ forMs, agent }, limits), isGoing, `${forMs} ms, ${agent.kind}`);
  }
});
