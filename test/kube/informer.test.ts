import { strictEqual } from 'node:assert';
import t, { type Test } from 'tap';
import { systemClock } from '#engine/base/clock.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { HttpKubeClient } from '#kube/http-client.ts';
import { Informer, type InformerOptions } from '#kube/informer.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import { startKubeEmulator, type KubeEmulatorOptions } from '#test/kube-emulator/kube-emulator.ts';
import { ManualClock, until } from './manual-clock.ts';

const PODS: Resource = {
  group: '',
  version: 'v1',
  plural: 'pods',
  kind: 'Pod',
  isNamespaced: true,
};

interface Pod extends KubeObject {
  readonly spec: { readonly nodeName?: string };
}

function pod(name: string, nodeName = 'worker-1') {
  return { kind: 'Pod', metadata: { name, namespace: 'shop' }, spec: { nodeName } };
}

async function start(
  test: Test,
  options: Partial<InformerOptions<Pod>> & KubeEmulatorOptions = {},
) {
  const api = await startKubeEmulator(options);
  const clock = new ManualClock();
  const errors: unknown[] = [];
  // The client's own pauses are not what is looked at here.
  const hasty = { ...systemClock, sleep: () => Promise.resolve() };
  const client = new HttpKubeClient(api.connection(), { clock: hasty });
  const informer = new Informer<Pod>(
    { client, clock, random: () => 0, onError: error => errors.push(error) },
    { resource: PODS, query: {}, ...options },
  );
  const changes: string[] = [];
  informer.onChange(key => changes.push(key));
  const end = new AbortController();
  const run = () => {
    const running = informer.run(end.signal);
    test.teardown(async () => {
      end.abort();
      await running;
      strictEqual(clock.sleeperCount, 0, 'no timer is left');
      await api.stop();
    });
  };
  return { api, clock, informer, errors, changes, end, run };
}

t.test('what is there is known, and what changes is told by its key', async t => {
  const { api, informer, changes, run } = await start(t);
  api.add(pod('a'));
  run();
  await informer.synced();
  t.equal(informer.get('shop/a')?.spec.nodeName, 'worker-1');
  await until(() => api.watchCount() === 1);
  api.add(pod('b'));
  api.change(PODS, { namespace: 'shop', name: 'a' }, object => (object.spec = {}));
  api.remove(PODS, { namespace: 'shop', name: 'b' });
  await until(() => changes.length === 4);
  t.strictSame(changes, ['shop/a', 'shop/b', 'shop/a', 'shop/b']);
  t.strictSame(
    informer.list().map(({ metadata }) => metadata.name),
    ['a'],
  );
});

t.test('of what is listed and of what changes only the projection is kept', async t => {
  const project = ({ metadata: { name, namespace, resourceVersion } }: KubeObject): Pod => {
    return { metadata: { name, namespace, resourceVersion }, spec: {} };
  };
  const { api, informer, changes, run } = await start(t, { project });
  api.add(pod('a'));
  run();
  await informer.synced();
  await until(() => api.watchCount() === 1);
  api.add(pod('b'));
  await until(() => changes.length === 2);
  for (const { metadata, spec, ...others } of informer.list()) {
    t.strictSame(Object.keys(metadata), ['name', 'namespace', 'resourceVersion']);
    t.strictSame([spec, others], [{}, {}]);
  }
});

t.test('a selector is the server’s work', async t => {
  const query = { fieldSelector: 'spec.nodeName=worker-2' };
  const { api, informer, changes, run } = await start(t, { query });
  api.add(pod('a', 'worker-1'));
  api.add(pod('b', 'worker-2'));
  run();
  await informer.synced();
  t.strictSame(changes, ['shop/b']);
});

t.test('an index follows its objects', async t => {
  const indexes = { node: ({ spec }: Pod) => [spec.nodeName ?? ''] };
  const { api, informer, changes, run } = await start(t, { indexes });
  api.add(pod('a', 'worker-1'));
  api.add(pod('b', 'worker-1'));
  run();
  await informer.synced();
  t.equal(informer.byIndex('node', 'worker-1').length, 2);
  await until(() => api.watchCount() === 1);
  const a = { namespace: 'shop', name: 'a' };
  api.change(PODS, a, object => (object.spec = { nodeName: 'worker-2' }));
  await until(() => changes.length === 3);
  t.equal(informer.byIndex('node', 'worker-1').length, 1);
  t.equal(informer.byIndex('node', 'worker-2').length, 1);
  t.throws(() => informer.byIndex('nodes', 'worker-2'), /no index/);
});

t.test('a watch that ends goes on where it was, without a list', async t => {
  const { api, clock, informer, changes, errors, run } = await start(t);
  run();
  await informer.synced();
  for (const end of ['cutWatches', 'endWatches'] as const) {
    await until(() => api.watchCount() === 1);
    api[end]();
    await until(() => clock.sleeperCount === 1);
    api.add(pod(`during-${end.toLowerCase()}`));
    await clock.pass(clock.nextMs);
    await until(() => changes.includes(`shop/during-${end.toLowerCase()}`));
  }
  t.equal(api.requests.filter(({ verb }) => verb === 'list').length, 1);
  t.strictSame(errors, []);
});

t.test('a watch that ends at once is begun later each time', async t => {
  const { api, clock, informer, run } = await start(t);
  run();
  await informer.synced();
  const pauses: number[] = [];
  for (let i = 0; i < 4; i++) {
    await until(() => api.watchCount() === 1);
    api.cutWatches();
    await until(() => clock.sleeperCount === 1);
    pauses.push(clock.nextMs);
    await clock.pass(clock.nextMs);
  }
  t.strictSame(pauses, [100, 200, 400, 800]);
});

t.test('bookmarks spare a list after compaction', async t => {
  const { api, clock, informer, changes, run } = await start(t);
  run();
  await informer.synced();
  await until(() => api.watchCount() === 1);
  api.add({ kind: 'ConfigMap', metadata: { name: 'other', namespace: 'shop' } });
  api.sendBookmarks();
  api.compact();
  api.add(pod('marker'));
  await until(() => changes.length === 1);
  api.cutWatches();
  await until(() => clock.sleeperCount === 1);
  await clock.pass(clock.nextMs);
  await until(() => api.watchCount() === 1);
  t.equal(api.requests.filter(({ verb }) => verb === 'list').length, 1);
});

t.test('after 410 everything is listed again, and differences are told', async t => {
  const { api, clock, informer, changes, errors, run } = await start(t);
  for (const name of ['same', 'changed', 'gone']) api.add(pod(name));
  run();
  await informer.synced();
  await until(() => api.watchCount() === 1);
  changes.length = 0;
  api.cutWatches();
  await until(() => clock.sleeperCount === 1);
  api.remove(PODS, { namespace: 'shop', name: 'gone' });
  api.change(PODS, { namespace: 'shop', name: 'changed' }, object => (object.spec = {}));
  api.add(pod('new'));
  api.compact();
  while (changes.length < 3) {
    await until(() => clock.sleeperCount === 1);
    await clock.pass(clock.nextMs);
    await until(() => clock.sleeperCount === 1 || api.watchCount() === 1);
  }
  t.strictSame(changes.toSorted(), ['shop/changed', 'shop/gone', 'shop/new']);
  t.equal(informer.get('shop/gone'), undefined);
  t.strictSame(errors, [], 'an expired version is nothing to tell of');
});

const AFTER_ERRORS = [
  // What the version stands for is not certain any more.
  { code: 500, reason: 'InternalError', lists: 2 },
  { code: 503, reason: 'ServiceUnavailable', lists: 2 },
  { code: 504, reason: 'Timeout', lists: 2 },
  { code: 403, reason: 'Forbidden', lists: 2 },
  // The server has said nothing but: later.
  { code: 429, reason: 'TooManyRequests', lists: 1 },
] as const;

t.test('after an error all is listed again, unless the server has only put it off', async t => {
  for (const how of ['in the watch', 'in place of it'] as const) {
    for (const { code, reason, lists } of AFTER_ERRORS) {
      await t.test(`${code} ${how}`, async t => {
        const { api, clock, informer, changes, run } = await start(t);
        api.add(pod('a'));
        run();
        await informer.synced();
        await until(() => api.watchCount() === 1);
        if (how === 'in the watch') {
          api.failWatches(code, reason, 'pods');
        } else {
          const effect = { type: 'status', code, reason } as const;
          const fault = api.faults.inject({ verb: 'watch', plural: 'pods', times: 100, effect });
          api.cutWatches();
          await until(() => clock.sleeperCount === 1);
          await clock.pass(clock.nextMs);
          await until(() => clock.sleeperCount === 1 && fault.count > 0);
          api.faults.clear();
        }
        await until(() => clock.sleeperCount === 1);
        api.add(pod('meanwhile'));
        await clock.pass(clock.nextMs);
        await until(() => api.watchCount() === 1 && changes.includes('shop/meanwhile'));
        t.equal(api.requests.filter(({ verb }) => verb === 'list').length, lists);
      });
    }
  }
});

t.test('a server that is away is asked until it is back; what is known stays', async t => {
  const { api, clock, informer, errors, changes, run } = await start(t);
  api.add(pod('a'));
  run();
  await informer.synced();
  await until(() => api.watchCount() === 1);
  await api.goAway();
  for (let i = 0; i < 20; i++) {
    await until(() => clock.sleeperCount === 1);
    await clock.pass(clock.nextMs);
  }
  t.ok(errors.length > 2 && errors.every(error => isEngineError(error, 'KUBE_UNAVAILABLE')));
  t.ok(informer.get('shop/a'));
  await api.comeBack();
  api.add(pod('b'));
  while (!changes.includes('shop/b')) {
    await until(() => clock.sleeperCount === 1 || api.watchCount() === 1);
    if (clock.sleeperCount === 1) await clock.pass(clock.nextMs);
  }
  t.equal(api.requests.filter(({ verb }) => verb === 'list').length, 1);
});

t.test('a list that is forbidden is told, and tried until it is allowed', async t => {
  const { api, clock, informer, errors, run } = await start(t);
  const allow = api.access.deny({ verb: 'list', plural: 'pods' });
  run();
  await until(() => errors.length === 1);
  t.match(errors[0], { code: 'KUBE_FORBIDDEN' });
  t.notOk(informer.isSynced);
  const giveUp = new AbortController();
  const synced = informer.synced(giveUp.signal);
  giveUp.abort();
  await t.rejects(synced, { code: 'ABORTED' });
  allow();
  await until(() => clock.sleeperCount === 1);
  await clock.pass(clock.nextMs);
  await informer.synced();
});

t.test('a listener that throws does not keep others from being told', async t => {
  const { api, informer, errors, run } = await start(t);
  informer.onChange(() => {
    throw new Error('not now');
  });
  const told: string[] = [];
  const stop = informer.onChange(key => told.push(key));
  api.add(pod('a'));
  run();
  await informer.synced();
  t.match(errors, [{ message: 'not now' }]);
  t.strictSame(told, ['shop/a']);
  stop();
});

t.test('many namespaces and resource types do not slow a start down', async t => {
  const { api, informer, run } = await start(t, { query: { fieldSelector: 'spec.nodeName=n1' } });
  for (let i = 0; i < 400; i++) {
    api.add({ kind: 'Namespace', metadata: { name: `namespace-${i}` } });
  }
  for (let i = 0; i < 300; i++) api.add(customKind(i));
  api.add(pod('a', 'n1'));
  api.forgetRequests();
  const startMs = performance.now();
  run();
  await informer.synced();
  const tookMs = performance.now() - startMs;
  t.ok(tookMs < 2000, `${tookMs} ms`);
  t.equal(api.requests.length, 1, 'nothing is discovered, one list is read');
});

function customKind(index: number) {
  const plural = `things${index}`;
  const schema = { openAPIV3Schema: { type: 'object' } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.example.org` },
    spec: {
      group: 'example.org',
      scope: 'Namespaced',
      names: { plural, kind: `Thing${index}`, singular: `thing${index}` },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}
