import t, { type Test } from 'tap';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import { updateObject } from '#kube/update.ts';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';

const CONFIG_MAPS: Resource = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  isNamespaced: true,
};
const NAME = { namespace: 'default', name: 'counter' };

interface Counter extends KubeObject {
  readonly data: { readonly count: string };
}

async function start(test: Test) {
  const api = await startKubeEmulator();
  test.teardown(() => api.stop());
  api.add({ kind: 'ConfigMap', metadata: NAME, data: { count: '0' } });
  return { api, client: api.client() };
}

function next(counter: Counter): Counter {
  return { ...counter, data: { count: String(Number(counter.data.count) + 1) } };
}

t.test('writers who meet all get their change in', async t => {
  const { api, client } = await start(t);
  const writers = Array.from({ length: 5 }, () => updateObject(client, CONFIG_MAPS, NAME, next));
  await Promise.all(writers);
  t.equal(api.object<Counter>(CONFIG_MAPS, NAME)?.data.count, '5');
});

t.test('what is known already is not read, unless it is old', async t => {
  const { api, client } = await start(t);
  const known = await client.get<Counter>(CONFIG_MAPS, NAME);
  api.forgetRequests();
  await updateObject(client, CONFIG_MAPS, NAME, next, { known });
  t.strictSame(
    api.requests.map(({ verb }) => verb),
    ['update'],
  );
  const written = await updateObject(client, CONFIG_MAPS, NAME, next, { known });
  t.equal(written.data.count, '2');
});

t.test('a change of mind writes nothing', async t => {
  const { api, client } = await start(t);
  await updateObject<Counter>(client, CONFIG_MAPS, NAME, () => undefined);
  t.notOk(api.requests.some(({ verb }) => verb === 'update'));
});

t.test('who is always too late is told so in the end', async t => {
  const { api, client } = await start(t);
  const effect = { type: 'conflict' } as const;
  const fault = api.faults.inject({ verb: 'update', times: Infinity, effect });
  const clock = {
    now: () => 0,
    nowNanoseconds: () => 0n,
    monotonic: () => 0,
    sleep: async () => {},
  };
  const update = updateObject(client, CONFIG_MAPS, NAME, next, { clock });
  await t.rejects(update, { code: 'KUBE_CONFLICT' });
  t.equal(fault.count, 10);
});
