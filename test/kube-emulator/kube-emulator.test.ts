// What tests rely on in the emulator itself; test/kube-contract has what a real server does as
// well.

import t, { type Test } from 'tap';
import { isEngineError } from '#engine/base/errors.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import { startKubeEmulator, type KubeEmulatorOptions } from './kube-emulator.ts';

const PODS: Resource = {
  group: '',
  version: 'v1',
  plural: 'pods',
  kind: 'Pod',
  isNamespaced: true,
};
const BACKUPS: Resource = {
  group: 'velero.io',
  version: 'v1',
  plural: 'podvolumebackups',
  kind: 'PodVolumeBackup',
  isNamespaced: true,
};
const NAME = { namespace: 'velero', name: 'pvb-1' };

interface Backup extends KubeObject {
  readonly spec: Record<string, unknown>;
  readonly status?: { readonly phase?: string };
}

function backup(name = NAME.name, more: object = {}) {
  return {
    apiVersion: 'velero.io/v1',
    kind: 'PodVolumeBackup',
    metadata: { name, namespace: 'velero', labels: { 'velero.io/backup-name': 'b1' } },
    spec: {
      backupStorageLocation: 'default',
      node: 'worker-1',
      pod: { kind: 'Pod', namespace: 'shop', name: 'web', uid: 'u1' },
      repoIdentifier: '',
      uploaderType: 'kopia',
      volume: 'data',
    },
    ...more,
  };
}

async function start(test: Test, options: KubeEmulatorOptions = { velero: '1.18' }) {
  const api = await startKubeEmulator(options);
  test.teardown(() => api.stop());
  return { api, client: api.client() };
}

t.test('an object goes through all verbs', async t => {
  const { api, client } = await start(t);
  const made = await client.create<Backup>(BACKUPS, backup());
  t.equal(made.metadata.namespace, 'velero');
  const read = await client.get<Backup>(BACKUPS, NAME);
  t.strictSame(read, made);
  const written = await client.replace<Backup>(BACKUPS, { ...read, status: { phase: 'Accepted' } });
  t.not(written.metadata.resourceVersion, read.metadata.resourceVersion);
  t.equal(api.object<Backup>(BACKUPS, NAME)?.status?.phase, 'Accepted');
  await client.delete(BACKUPS, NAME);
  await t.rejects(client.get(BACKUPS, NAME), { code: 'KUBE_NOT_FOUND' });
});

t.test('a watch tells what a test changes', async t => {
  const { api, client } = await start(t);
  const { resourceVersion } = await client.list(BACKUPS, { namespace: 'velero' });
  const events: string[] = [];
  const watch = client.watch<Backup>(BACKUPS, { namespace: 'velero', resourceVersion });
  api.add(backup());
  api.change(BACKUPS, NAME, object => (object.status = { phase: 'Accepted' }));
  api.remove(BACKUPS, NAME);
  for await (const event of watch) {
    if (event.type === 'BOOKMARK') continue;
    events.push(`${event.type} ${event.object.status?.phase ?? ''}`);
    if (event.type === 'DELETED') break;
  }
  t.strictSame(events, ['ADDED ', 'MODIFIED Accepted', 'DELETED Accepted']);
});

t.test('each version of Velero has its own phases', async t => {
  for (const [velero, phase, code] of [
    ['1.16', 'Accepted', 'KUBE_INVALID'],
    ['1.17', 'Accepted', undefined],
  ] as const) {
    const { client } = await start(t, { velero });
    const made = client.create(BACKUPS, backup('pvb-1', { status: { phase } }));
    if (code === undefined) t.equal((await made).metadata.name, 'pvb-1');
    else await t.rejects(made, { code });
  }
});

t.test('faults strike as often as they are told to', async t => {
  const { api, client } = await start(t);
  const made = await client.create<Backup>(BACKUPS, backup());
  const fault = api.faults.inject({ verb: 'update', times: 2, effect: { type: 'conflict' } });
  for (let i = 0; i < 2; i++)
    await t.rejects(client.replace(BACKUPS, made), { code: 'KUBE_CONFLICT' });
  await client.replace(BACKUPS, made);
  t.equal(fault.count, 2);
});

t.test('what is denied is forbidden until it is allowed again', async t => {
  const { api, client } = await start(t);
  const allow = api.access.deny({ verb: 'list', plural: 'pods' });
  const denied = await client.list(PODS, {}).catch((error: unknown) => error);
  t.ok(isEngineError(denied, 'KUBE_FORBIDDEN'));
  t.match(denied, { message: /cannot list pods in all namespaces: .*forbidden/ });
  allow();
  t.strictSame((await client.list(PODS, {})).items, []);
});

t.test('dependents go with their owner, and objects with their namespace', async t => {
  const { api } = await start(t);
  const owner = api.add({ kind: 'Pod', metadata: { name: 'owner', namespace: 'shop' } });
  const { uid } = owner.metadata;
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name: 'owner', uid }];
  api.add({ kind: 'Pod', metadata: { name: 'dependent', namespace: 'shop', ownerReferences } });
  api.add({ kind: 'Pod', metadata: { name: 'other', namespace: 'shop' } });
  api.remove(PODS, { namespace: 'shop', name: 'owner' });
  await Promise.resolve();
  t.strictSame(
    api.objects(PODS).map(({ metadata }) => metadata.name),
    ['other'],
  );
  const namespaces = { group: '', version: 'v1', plural: 'namespaces' };
  const resource = { ...namespaces, kind: 'Namespace', isNamespaced: false };
  api.remove(resource, { name: 'shop' });
  await new Promise(setImmediate);
  t.strictSame(api.objects(PODS), []);
  t.equal(api.object(resource, { name: 'shop' }), undefined);
});

t.test('a server that went away comes back with what it had', async t => {
  const { api, client } = await start(t);
  api.add(backup());
  await api.goAway();
  await t.rejects(client.create(BACKUPS, backup('pvb-2')), { code: 'KUBE_UNAVAILABLE' });
  await api.comeBack();
  t.equal((await client.get(BACKUPS, NAME)).metadata.name, 'pvb-1');
});

t.test('aggregated discovery says what it is, by which client-go tells it apart', async t => {
  const { api } = await start(t);
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  const typeOf = async (accepted: string) => {
    const { headers } = await fetch(new URL('/apis', api.url), { headers: { accept: accepted } });
    return headers.get('content-type');
  };
  t.equal(await typeOf(accept), accept);
  t.equal(await typeOf('application/json'), 'application/json');
});
