// The client against the emulator: what is sent again, what is said of failures, how watches end.

import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { systemClock, type Clock } from '#engine/base/clock.ts';
import { EngineError, messageOf } from '#engine/base/errors.ts';
import { fixedConnection } from '#kube/connection.ts';
import { HttpKubeClient } from '#kube/http-client.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import { startKubeEmulator, type KubeEmulatorOptions } from '#test/kube-emulator/kube-emulator.ts';

const CORE = { group: '', version: 'v1', isNamespaced: true };
const PODS: Resource = { ...CORE, plural: 'pods', kind: 'Pod' };
const SECRETS: Resource = { ...CORE, plural: 'secrets', kind: 'Secret' };
const NAME = { namespace: 'default', name: 'web' };

async function start(test: Test, options?: KubeEmulatorOptions) {
  const api = await startKubeEmulator(options);
  test.teardown(() => api.stop());
  const slept: number[] = [];
  const clock: Clock = { ...systemClock, sleep: async ms => void slept.push(ms) };
  const client = new HttpKubeClient(api.connection(), { clock, random: () => 0 });
  return { api, client, slept };
}

/** A client of a server that answers as `listener` does. */
async function clientOf(test: Test, listener: RequestListener): Promise<HttpKubeClient> {
  const server = createServer(listener);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  // A TCP server that listens has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  const connection = fixedConnection(new URL(`http://127.0.0.1:${port}/prefix/`), {
    token: 'hidden-token',
  });
  test.teardown(() => {
    connection.close();
    server.closeAllConnections();
    server.close();
  });
  return new HttpKubeClient(connection);
}

function pod(name = 'web') {
  return { metadata: { name, namespace: 'default' }, spec: { nodeName: 'worker-1' } };
}

t.test('a list comes in pages and has the names of its kind', async t => {
  const { api, client } = await start(t);
  for (let i = 0; i < 501; i++)
    api.add({ kind: 'ConfigMap', metadata: { name: `c-${i}`, namespace: 'x' } });
  const resource = { ...CORE, plural: 'configmaps', kind: 'ConfigMap' };
  const { items, resourceVersion } = await client.list(resource, { namespace: 'x' });
  t.equal(items.length, 501);
  t.equal(resourceVersion, String(api.store.revision));
  t.ok(items.every(item => item.kind === 'ConfigMap' && item.apiVersion === 'v1'));
  t.equal(api.requests.length, 3);
});

t.test('a list whose pages expire is read in one piece', async t => {
  const { api, client } = await start(t);
  for (let i = 0; i < 251; i++) api.add({ kind: 'Node', metadata: { name: `n-${i}` } });
  const resource = { ...CORE, plural: 'nodes', kind: 'Node', isNamespaced: false };
  const expire = { type: 'status', code: 410, reason: 'Expired' } as const;
  api.faults.inject({ verb: 'list', after: 1, effect: expire });
  t.equal((await client.list(resource, {})).items.length, 251);
  t.notMatch(api.requests.at(-1)?.path, /limit/);
});

t.test('what can be asked twice is, and waits longer each time', async t => {
  const { api, client, slept } = await start(t);
  api.add({ kind: 'Pod', ...pod() });
  api.faults.inject({ verb: 'get', times: 3, effect: { type: 'reset' } });
  t.equal((await client.get(PODS, NAME)).metadata.name, 'web');
  t.strictSame(slept, [50, 100, 200]);
  api.faults.inject({ verb: 'get', times: 4, effect: { type: 'status', code: 500 } });
  await t.rejects(client.get(PODS, NAME), { code: 'KUBE_UNAVAILABLE' });
});

t.test('what may have been done is not done again', async t => {
  const { api, client, slept } = await start(t);
  api.faults.inject({ verb: 'create', effect: { type: 'lost-answer' } });
  await t.rejects(client.create(PODS, pod()), { code: 'KUBE_UNAVAILABLE' });
  t.strictSame(slept, []);
  t.ok(api.object(PODS, NAME), 'it was done');
});

t.test('a delete whose answer was lost has succeeded', async t => {
  const { api, client } = await start(t);
  api.add({ kind: 'ConfigMap', metadata: NAME });
  api.faults.inject({ verb: 'delete', effect: { type: 'lost-answer' } });
  const resource = { ...CORE, plural: 'configmaps', kind: 'ConfigMap' };
  await client.delete(resource, NAME);
  await t.rejects(client.delete(resource, NAME), { code: 'KUBE_NOT_FOUND' });
});

t.test('who is told to come back later comes later, whatever was asked', async t => {
  const { api, client, slept } = await start(t);
  api.faults.inject({ verb: 'create', effect: { type: 'throttle', retryAfterSeconds: 7 } });
  await client.create(PODS, pod());
  t.strictSame(slept, [7050]);
});

t.test('a token is read again when it is not accepted', async t => {
  const { api } = await start(t, { tokens: new Set(['new']) });
  const [old, fresh] = [api.connection('old'), api.connection('new')];
  let current = old;
  const client = new HttpKubeClient({
    server: api.url,
    access: () => current.access(),
    forgetAccess: () => (current = fresh),
    close: () => undefined,
  });
  t.strictSame((await client.list(PODS, {})).items, []);
  const refused = await api
    .client('wrong')
    .list(PODS, {})
    .catch((error: unknown) => error);
  t.match(refused, { code: 'KUBE_UNAUTHORIZED' });
  t.notMatch(messageOf(refused), /wrong/);
});

t.test('an error says what was tried and what to do', async t => {
  const { api, client } = await start(t);
  await t.rejects(client.get(PODS, NAME), {
    code: 'KUBE_NOT_FOUND',
    message: 'cannot get pods default/web: pods "web" not found',
    details: { verb: 'get', resource: 'pods', namespace: 'default', name: 'web', status: 404 },
  });
  const absent = { ...PODS, group: 'velero.io', plural: 'podvolumebackups' };
  await t.rejects(client.list(absent, {}), {
    code: 'KUBE_KIND_UNKNOWN',
    message: /podvolumebackups\.velero\.io in all namespaces: .*is its CRD installed\?/,
  });
  api.access.deny({ plural: 'pods', verb: 'update' });
  const denied = { code: 'KUBE_FORBIDDEN', message: /cannot update pods default\/web.*RBAC/ };
  await t.rejects(client.replace(PODS, pod()), denied);
});

t.test('what a server says of a secret is not repeated', async t => {
  const { client } = await start(t);
  const secret = { metadata: { ...NAME, labels: { a: 'p4ssword!' } } };
  const error = await client.create(SECRETS, secret).catch((error: unknown) => error);
  t.match(error, { code: 'KUBE_INVALID', message: 'cannot create secrets default/web: Invalid' });
});

t.test('an abort ends a request, a watch and a pause', async t => {
  const { api } = await start(t);
  api.faults.inject({ verb: 'get', effect: { type: 'silence' } });
  const client = api.client();
  const asking = new AbortController();
  const asked = client.get(PODS, NAME, { signal: asking.signal });
  setImmediate(() => asking.abort());
  await t.rejects(asked, { code: 'ABORTED' });

  const watching = new AbortController();
  const { signal } = watching;
  const watch = client.watch(PODS, { resourceVersion: '0' }, { signal })[Symbol.asyncIterator]();
  const next = watch.next();
  api.add({ kind: 'Pod', ...pod() });
  t.match(await next, { value: { type: 'ADDED' } });
  const ended = watch.next();
  watching.abort();
  await t.rejects(ended, { code: 'ABORTED' });

  const pausing = new AbortController();
  api.faults.inject({ verb: 'get', effect: { type: 'throttle', retryAfterSeconds: 30 } });
  const paused = client.get(PODS, NAME, { signal: pausing.signal });
  setTimeout(() => pausing.abort(), 20);
  await t.rejects(paused, { code: 'ABORTED' });
});

t.test('a watch ends quietly when it is cut, and is closed by who stops listening', async t => {
  const { api, client } = await start(t);
  api.add({ kind: 'Pod', ...pod() });
  const seen: string[] = [];
  for await (const event of client.watch(PODS, { resourceVersion: '0' })) {
    seen.push(event.type);
    api.cutWatches();
  }
  t.strictSame(seen, ['ADDED']);
  for await (const _ of client.watch(PODS, { resourceVersion: '0' })) break;
  while (api.watchCount() > 0) await new Promise(setImmediate);
  t.equal(api.watchCount(), 0);
});

t.test('a watch from a forgotten version is expired', async t => {
  const { api, client } = await start(t);
  const { resourceVersion } = await client.list(PODS, {});
  api.add({ kind: 'Pod', ...pod() });
  api.compact();
  const watch = client.watch(PODS, { resourceVersion })[Symbol.asyncIterator]();
  await t.rejects(watch.next(), { code: 'KUBE_EXPIRED' });
});

t.test('answers that make no sense are said to', async t => {
  const client = await clientOf(t, (request, response) => {
    t.equal(request.headers.authorization, 'Bearer hidden-token');
    if (request.url?.includes('watch') === true) response.end('{"type":"ODD","object":{}}\n');
    else response.writeHead(request.method === 'GET' ? 200 : 418).end('<html>');
  });
  await t.rejects(client.get(PODS, NAME), { code: 'KUBE_FAILED', message: /no JSON/ });
  await t.rejects(client.create(PODS, pod()), { code: 'KUBE_FAILED', message: /HTTP 418/ });
  const watch = client.watch(PODS, { resourceVersion: '1' })[Symbol.asyncIterator]();
  await t.rejects(watch.next(), { code: 'KUBE_FAILED' });
});

t.test('a refusal without end is cut off', async t => {
  const piece = Buffer.alloc(1 << 20, 0x20);
  const client = await clientOf(t, (_, response) => {
    response.statusCode = 400;
    const more = () => {
      while (!response.destroyed && response.write(piece));
    };
    response.on('drain', more);
    more();
  });
  await t.rejects(client.get(PODS, NAME), { code: 'LIMIT_EXCEEDED' });
});

t.test('paths are beneath that of the server', async t => {
  const paths: (string | undefined)[] = [];
  const client = await clientOf(t, (request, response) => {
    paths.push(request.url);
    response.end('{"metadata":{"name":"x"}}');
  });
  await client.get<KubeObject>(PODS, { namespace: 'a b', name: 'c/d' });
  await client.read('/version');
  t.strictSame(paths, ['/prefix/api/v1/namespaces/a%20b/pods/c%2Fd', '/prefix/version']);
});

t.test('an error that a server words is cut and holds its code', async t => {
  const client = await clientOf(t, (_, response) => {
    response.writeHead(409, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ kind: 'Status', reason: 'AlreadyExists', message: 'x'.repeat(5000) }),
    );
  });
  const error = await client.create(PODS, pod()).catch((error: unknown) => error);
  t.ok(error instanceof EngineError && error.message.length < 1100);
  t.match(error, { code: 'KUBE_EXISTS' });
});

t.test('each attempt of a request is told, and whether there is another', async t => {
  const { api } = await start(t);
  api.add({ kind: 'Pod', ...pod() });
  const told: string[] = [];
  const client = new HttpKubeClient(api.connection(), {
    clock: { ...systemClock, sleep: async () => undefined },
    random: () => 0,
    onAttempt: ({ target: { verb, resource }, error, retryDelayMs }) =>
      told.push(
        [verb, resource?.plural, error instanceof EngineError && error.code, retryDelayMs].join(
          ' ',
        ),
      ),
  });
  const throttled = { type: 'throttle', retryAfterSeconds: 2 } as const;
  api.faults.inject({ verb: 'get', effect: throttled });
  api.faults.inject({ verb: 'get', effect: { type: 'status', code: 500 } });
  await client.get(PODS, NAME);
  api.access.deny({ verb: 'list' });
  await t.rejects(client.list(PODS, {}), { code: 'KUBE_FORBIDDEN' });
  t.strictSame(told, [
    'get pods KUBE_THROTTLED 2050',
    'get pods KUBE_UNAVAILABLE 100',
    'get pods false ',
    'list pods KUBE_FORBIDDEN ',
  ]);
});
