// The annotator against the API emulator: what it writes, what it leaves, and that nobody's change
// is lost to it.

import { strictEqual } from 'node:assert';
import t, { type Test } from 'tap';
import { createLog } from '#agent/log.ts';
import { annotatePods } from '#controller/annotator/annotate-pods.ts';
import { AnnotatorCounts } from '#controller/annotator/annotator-counts.ts';
import { parseRules } from '#controller/annotator/parse-rules.ts';
import { systemClock } from '#engine/base/clock.ts';
import { CLAIMS, PERSISTENT_VOLUMES, PODS } from '#kube/core-resources.ts';
import { HttpKubeClient } from '#kube/http-client.ts';
import type { KubeObject } from '#kube/kube-object.ts';
import { ManualClock, settle, until } from '#test/kube/manual-clock.ts';
import { type KubeEmulator, startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { logLines } from '#test/support/log-lines.ts';

const INCLUDE = 'backup.velero.io/backup-volumes';
const RECORD = 'stevedore.io/annotated-backup-volumes';
const CLAIMED = '[{action: include, volumeTypes: [persistentVolumeClaim]}]';
const WEB = { namespace: 'shop', name: 'web' };

function addPod(api: KubeEmulator, name: string, annotations: Record<string, string> = {}): void {
  const [claim, volume] = [`${name}-data`, `pv-${name}`];
  const inside = { namespace: 'shop' };
  api.add({ kind: 'PersistentVolume', metadata: { name: volume }, spec: { csi: {} } });
  const spec = { volumeName: volume, storageClassName: 'fast' };
  api.add({ kind: 'PersistentVolumeClaim', metadata: { name: claim, ...inside }, spec });
  api.add({
    kind: 'Pod',
    metadata: { name, ...inside, annotations: { other: 'stays', ...annotations } },
    spec: {
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: claim } }],
      containers: [{ name: 'c', volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
    },
    status: { phase: 'Running' },
  });
}

interface SceneOptions {
  readonly rules?: string;
  readonly isDryRun?: boolean;
  readonly prepare?: (api: KubeEmulator) => void;
}

async function start(t: Test, options: SceneOptions = {}) {
  const { rules = CLAIMED, isDryRun = false, prepare } = options;
  const api = await startKubeEmulator();
  addPod(api, 'web');
  prepare?.(api);
  const clock = new ManualClock();
  // The client's own pauses are not what is looked at here.
  const hasty = { ...systemClock, sleep: () => Promise.resolve() };
  const client = new HttpKubeClient(api.connection(), { clock: hasty });
  const counts = new AnnotatorCounts();
  const log = logLines();
  const missing: (string | undefined)[] = [];
  const end = new AbortController();
  const running = annotatePods(
    {
      ...{ client, clock, counts, isDryRun, rules: parseRules(rules, 'the rules') },
      log: createLog({ level: 'debug', format: 'json', write: log.write }),
      onMissing: what => missing.push(what),
    },
    end.signal,
  );
  const stop = async () => {
    end.abort();
    await running;
  };
  t.teardown(async () => {
    await stop();
    strictEqual(clock.sleeperCount, 0, 'no timer is left');
    await api.stop();
  });
  const annotations = (name = 'web') =>
    api.object<KubeObject>(PODS, { namespace: 'shop', name })?.metadata.annotations ?? {};
  const patches = () => api.requests.filter(({ verb }) => verb === 'patch').length;
  const lines = (message: string) =>
    log.lines.filter(line => line.includes(JSON.stringify(message)));
  return { api, clock, counts, log, missing, stop, annotations, patches, lines };
}

const change = (api: KubeEmulator, annotations: Record<string, string>, name = 'web') =>
  api.change(PODS, { namespace: 'shop', name }, object => {
    Object.assign(object.metadata, { annotations });
  });

t.test('each pod is annotated once, and everything is listed once', async t => {
  const scene = await start(t, {
    prepare: api => {
      addPod(api, 'db');
      addPod(api, 'mine', { [INCLUDE]: '' });
    },
  });
  const { api, log, counts } = scene;
  t.match(await log.says('every pod was looked at'), { pods: { own: 1, outdated: 2 } });
  t.match(await log.says('the first pass is over'), { written: 2 });
  const written = { other: 'stays', [INCLUDE]: 'data', [RECORD]: 'data' };
  t.strictSame(scene.annotations(), written);
  t.strictSame(scene.annotations('db'), written);
  t.strictSame(scene.annotations('mine'), { other: 'stays', [INCLUDE]: '' });
  t.strictSame(scene.missing, ['not every pod was looked at yet', undefined]);
  await until(() => counts.pods().chosen === 2);
  const lists = api.requests.filter(({ verb }) => verb === 'list').map(({ path }) => path);
  t.strictSame(lists.sort(), [
    '/api/v1/persistentvolumeclaims?limit=250',
    '/api/v1/persistentvolumes?limit=250',
    '/api/v1/pods?limit=250',
  ]);
  t.equal(scene.patches(), 2);
});

t.test('what comes or changes later is looked at', async t => {
  const rules = '[{action: include, storageClasses: [fast], sizeMax: 1Gi}]';
  const scene = await start(t, { rules });
  const { api, log, counts } = scene;
  await log.says('every pod was looked at');
  await until(() => api.watchCount() === 3);
  t.equal(counts.pods().unchosen, 1, 'its size is not known');
  api.change(CLAIMS, { namespace: 'shop', name: 'web-data' }, object => {
    Object.assign(object, { status: { capacity: { storage: '1Gi' } } });
  });
  await until(() => scene.annotations()[INCLUDE] === 'data');
  api.change(CLAIMS, { namespace: 'shop', name: 'web-data' }, object => {
    object.spec = { storageClassName: 'fast', volumeName: 'late' };
  });
  await until(() => counts.pods().waiting === 1);
  t.equal(scene.annotations()[INCLUDE], 'data', 'what we do not know changes nothing');
  api.add({ kind: 'PersistentVolume', metadata: { name: 'late' }, spec: { hostPath: {} } });
  await scene.clock.pass(10_000);
  await until(() => scene.annotations()[INCLUDE] === undefined);
  t.strictSame(scene.annotations(), { other: 'stays' });
  api.remove(PODS, WEB);
  await until(() => Object.values(counts.pods()).every(count => count === 0));
});

t.test('a volume that is lost is named once, and holds nothing up', async t => {
  const scene = await start(t);
  const { api, log, counts } = scene;
  await log.says('every pod was looked at');
  await until(() => api.watchCount() === 3 && scene.annotations()[INCLUDE] === 'data');
  api.remove(PERSISTENT_VOLUMES, { name: 'pv-web' });
  await until(() => counts.pods().waiting === 1);
  api.change(CLAIMS, { namespace: 'shop', name: 'web-data' }, object => {
    Object.assign(object, { status: { phase: 'Lost' } });
  });
  t.match(await log.says('volumes of a pod are lost, and left out'), {
    ...{ level: 'warn', pod: 'shop/web', volumes: ['data'] },
  });
  await until(() => scene.clock.sleeperCount === 1);
  await scene.clock.pass(10_000);
  await until(() => scene.annotations()[INCLUDE] === undefined);
  await until(() => counts.pods().unchosen === 1);
  t.equal(scene.lines('volumes of a pod are lost, and left out').length, 1);
});

t.test('who annotates a pod while it is looked at is not overwritten', async t => {
  const scene = await start(t, { rules: '[{action: include, storageClasses: [slow]}]' });
  const { api, log, counts } = scene;
  await log.says('every pod was looked at');
  await until(() => api.watchCount() === 3);
  const release = api.holdWatches('pods');
  change(api, { [INCLUDE]: 'theirs' });
  api.change(CLAIMS, { namespace: 'shop', name: 'web-data' }, object => {
    object.spec = { storageClassName: 'slow', volumeName: 'pv-web' };
  });
  await until(() => counts.results('overtaken') > 0);
  t.strictSame(scene.annotations(), { [INCLUDE]: 'theirs' });
  release();
  await until(() => counts.pods().own === 1);
  await scene.clock.pass(60_000);
  t.strictSame(scene.annotations(), { [INCLUDE]: 'theirs' });
  t.equal(counts.results('written'), 0);
  t.strictSame(scene.lines('a pod could not be annotated'), [], 'that is no failure');
});

t.test('an annotation that was written and not confirmed is not written again', async t => {
  const scene = await start(t, {
    prepare: api => api.faults.inject({ verb: 'patch', effect: { type: 'lost-answer' } }),
  });
  await until(() => scene.counts.pods().chosen === 1);
  await scene.clock.pass(60_000);
  t.strictSame(scene.annotations(), { other: 'stays', [INCLUDE]: 'data', [RECORD]: 'data' });
  t.equal(scene.patches(), 1);
});

t.test('a dry run says once what it would write, and writes nothing', async t => {
  const scene = await start(t, { isDryRun: true });
  const { api, log, counts, lines } = scene;
  t.match(await log.says('a pod would be annotated'), {
    pod: 'shop/web',
    annotations: { [INCLUDE]: 'data', [RECORD]: 'data' },
  });
  t.match(await log.says('every pod was looked at'), { pods: { outdated: 1 } });
  t.match(await log.says('the first pass is over'), { written: 0 });
  await until(() => api.watchCount() === 3);
  change(api, { other: 'changes' });
  addPod(api, 'db');
  await until(() => counts.pods().outdated === 2);
  t.equal(lines('a pod would be annotated').length, 2);
  t.equal(scene.patches(), 0);
  t.strictSame(scene.annotations('db'), { other: 'stays' });
});

t.test('who else writes both annotations of a pod is answered every ten seconds', async t => {
  const scene = await start(t);
  const { api, clock, counts } = scene;
  for (let round = 1; round <= 3; round++) {
    await until(() => counts.results('written') === round && api.watchCount() === 3);
    for (let again = 0; again < 5; again++) {
      change(api, { round: `${round}.${again}` });
      await until(() => counts.pods().outdated === 1);
    }
    await settle();
    t.equal(counts.results('written'), round);
    await clock.pass(9_000);
    t.equal(counts.results('written'), round);
    await clock.pass(1_000);
  }
});

t.test('a missing right is said once and tried again later', async t => {
  const scene = await start(t, {
    prepare: api => {
      addPod(api, 'db');
      api.faults.inject({ verb: 'patch', effect: { type: 'status', code: 403 }, times: 2 });
    },
  });
  const { clock, log, counts, lines } = scene;
  t.match(await log.says('a pod could not be annotated'), { error: { code: 'KUBE_FORBIDDEN' } });
  await log.says('the first pass is over');
  t.equal(counts.results('failed'), 2);
  t.equal(lines('a pod could not be annotated').length, 1);
  await clock.pass(299_000);
  t.equal(scene.patches(), 2);
  await clock.pass(1_000);
  await until(() => counts.pods().chosen === 2);
});

t.test('lists that are refused are said, and it begins when they come', async t => {
  let allow = (): unknown => undefined;
  const scene = await start(t, {
    prepare: api => (allow = api.access.deny({ verb: 'list', plural: PERSISTENT_VOLUMES.plural })),
  });
  const { clock, log, lines, missing } = scene;
  t.match(await log.says('what pods there are is not known'), {
    error: { code: 'KUBE_FORBIDDEN' },
  });
  t.match(missing.at(-1), /^cannot list persistentvolumes: .*; give the service account this verb/);
  allow();
  while (lines('every pod was looked at').length === 0) await clock.pass(30_000);
  t.equal(missing.at(-1), undefined);
});

t.test('the end of a term is the end of its patches', async t => {
  const scene = await start(t, {
    prepare: api => api.faults.inject({ verb: 'patch', effect: { type: 'silence' }, times: 9 }),
  });
  await until(() => scene.patches() === 1);
  await scene.stop();
  t.equal(scene.counts.results('failed'), 0);
  t.strictSame(Object.values(scene.counts.pods()), [0, 0, 0, 0, 0, 0]);
  t.equal(scene.missing.at(-1), undefined);
});
