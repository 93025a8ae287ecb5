// What has to be there before the agent works, what it says when it is not, and that it goes on by
// itself when it is.

import { join } from 'node:path';
import t from 'tap';
import { createLog } from '#agent/log.ts';
import { PERMISSIONS } from '#agent/permissions.ts';
import { Readiness } from '#agent/readiness.ts';
import { missingPermissions, startChecks } from '#agent/start-checks.ts';
import { waitUntilReady } from '#agent/wait-until-ready.ts';
import { systemClock } from '#engine/base/clock.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { KubeClient } from '#kube/kube-client.ts';

interface Attributes {
  readonly resource: string;
  readonly verb: string;
}

interface FakeServer {
  /** Changed by a test while the agent waits. */
  isAllowed: (asked: Attributes) => boolean;
  resources: readonly string[] | undefined;
  /** Where there is no Node of the agent's name: how many pods are there all the same. */
  readonly podsWithoutNode?: number;
}

const ALL = [
  'podvolumebackups',
  'podvolumerestores',
  'backuprepositories',
  'backupstoragelocations',
];
const { signal } = new AbortController();

/** Only what the checks ask: anything else fails the test. */
function clientOf(server: FakeServer): KubeClient {
  const asked = {
    create: async (_resource: unknown, review: { spec: { resourceAttributes: Attributes } }) => ({
      metadata: { name: '' },
      status: { allowed: server.isAllowed(review.spec.resourceAttributes) },
    }),
    get: async (_resource: unknown, name: unknown) => {
      if (server.podsWithoutNode === undefined) return { metadata: name };
      throw new EngineError('KUBE_NOT_FOUND', 'no such node');
    },
    list: async (_resource: unknown, { fieldSelector }: { fieldSelector?: string }) => {
      if (fieldSelector !== 'spec.nodeName=worker-1') throw new Error('of other nodes, too');
      return { items: Array.from({ length: server.podsWithoutNode ?? 0 }) };
    },
    read: async () => {
      if (server.resources === undefined) throw new EngineError('KUBE_NOT_FOUND', 'no such path');
      return { resources: server.resources.map(name => ({ name })) };
    },
  };
  // A stub of four methods; the others are not called, and would throw.
  return asked as unknown as KubeClient;
}

function checksOf(client: KubeClient, hostPods: string) {
  const names = { namespace: 'velero', nodeName: 'worker-1', dataMover: 'velero' } as const;
  return startChecks({ client, hostPods, ...names });
}

function looks(server: FakeServer, hostPods: string) {
  const checks = checksOf(clientOf(server), hostPods);
  return Promise.all(checks.map(({ look }) => look(signal)));
}

t.test('nothing is missing where all is there', async t => {
  const hostPods = t.testdir();
  const all = await looks({ isAllowed: () => true, resources: ALL }, hostPods);
  t.strictSame(all, [undefined, undefined, undefined, undefined, undefined]);
});

t.test('each verb that is not allowed is named with its resource', async t => {
  for (const { resource, verbs } of PERMISSIONS) {
    for (const verb of verbs) {
      const isAllowed = (asked: Attributes) => asked.resource !== resource || asked.verb !== verb;
      const client = clientOf({ isAllowed, resources: ALL });
      const missing = await missingPermissions(
        { client, namespace: 'velero' },
        PERMISSIONS,
        signal,
      );
      t.match(missing, `may not ${verb} ${resource}`);
    }
  }
});

t.test('rights are asked about side by side, a few at a time', async t => {
  let now = 0;
  let most = 0;
  const isAllowed = async () => {
    most = Math.max(most, ++now);
    await new Promise(setImmediate);
    now--;
    return { metadata: { name: '' }, status: { allowed: true } };
  };
  const client = { ...clientOf({ isAllowed: () => true, resources: ALL }), create: isAllowed };
  // As clientOf's: a stub of what is called.
  const parts = { client: client as unknown as KubeClient, namespace: 'velero' };
  t.equal(await missingPermissions(parts, PERMISSIONS, signal), undefined);
  t.equal(most, 4);
});

t.test('a question that fails is what the check fails with, and ends the others', async t => {
  let asked = 0;
  const create = async () => {
    asked++;
    throw new EngineError('KUBE_UNAVAILABLE', 'the API server does not answer');
  };
  const client = { ...clientOf({ isAllowed: () => true, resources: ALL }), create };
  const missing = missingPermissions({ client, namespace: 'velero' }, PERMISSIONS, signal);
  await t.rejects(missing, { code: 'KUBE_UNAVAILABLE' });
  t.equal(asked, 4);
});

t.test('many missing verbs make no long message', async t => {
  const client = clientOf({ isAllowed: () => false, resources: ALL });
  const missing = await missingPermissions({ client, namespace: 'velero' }, PERMISSIONS, signal);
  t.match(missing, /^the service account may not get podvolumebackups\.velero\.io in velero, /);
  t.match(missing, / and \d+ more; add it to its roles$/);
});

t.test('a cluster without Velero, or with an old one, is told apart', async t => {
  const isAllowed = () => true;
  const [, none] = await looks({ isAllowed, resources: undefined }, '/');
  t.match(none, 'has no resources of velero.io/v1; install Velero');
  const [, old] = await looks({ isAllowed, resources: ALL.slice(1) }, '/');
  t.match(old, 'velero.io/v1 has no podvolumebackups; install the CRDs');
});

t.test('where there are pods there is a node', async t => {
  const server = { isAllowed: () => true, resources: ALL };
  const [, , , none] = await looks({ ...server, podsWithoutNode: 0 }, t.testdir());
  t.match(none, 'the cluster has no node worker-1; set NODE_NAME');
  const [, , , some] = await looks({ ...server, podsWithoutNode: 1 }, t.testdir());
  t.equal(some, undefined);
});

t.test("the kubelet's directory that is not mounted is said", async t => {
  const hostPods = join(t.testdir({ file: '' }), 'none');
  const [, , missing] = await looks({ isAllowed: () => true, resources: ALL }, hostPods);
  t.match(missing, /^there is no .*none; mount the kubelet's pods directory/);
  const [, , noDirectory] = await looks(
    { isAllowed: () => true, resources: ALL },
    join(t.testdirName, 'file'),
  );
  t.match(noDirectory, /file cannot be read \(ENOTDIR\)/);
});

t.test('the agent waits, says what is missing once, and goes on when it is there', async t => {
  const hostPods = t.testdir();
  const server: FakeServer = { isAllowed: () => true, resources: undefined };
  const lines: string[] = [];
  const log = createLog({ level: 'info', format: 'json', write: line => lines.push(line) });
  const readiness = new Readiness();
  let sleeps = 0;
  const clock = {
    ...systemClock,
    sleep: async () => {
      t.notOk(readiness.isReady);
      t.match(readiness.text, '[-] velero: the cluster has no resources');
      sleeps += 1;
      if (sleeps === 3) server.resources = ALL;
    },
  };
  const checks = checksOf(clientOf(server), hostPods);
  await waitUntilReady(checks, { readiness, log, clock }, signal);
  t.equal(sleeps, 3);
  t.equal(lines.length, 1);
  t.ok(readiness.isReady);
});

t.test('a server that does not answer is what is missing', async t => {
  const client = clientOf({ isAllowed: () => true, resources: ALL });
  const reason = 'the API server at https://10.0.0.1 does not answer';
  const down = {
    ...client,
    read: () => Promise.reject(new EngineError('KUBE_UNAVAILABLE', reason)),
  };
  const readiness = new Readiness();
  const log = createLog({ level: 'fatal', format: 'json', write: () => {} });
  const stop = new AbortController();
  const clock = {
    ...systemClock,
    sleep: async () => {
      t.match(readiness.text, `[-] velero: ${reason}`);
      stop.abort(new Error('enough'));
      stop.signal.throwIfAborted();
    },
  };
  const checks = checksOf(down, t.testdir());
  const waiting = waitUntilReady(checks, { readiness, log, clock }, stop.signal);
  await t.rejects(waiting, { message: 'enough' });
});
