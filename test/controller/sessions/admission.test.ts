// Who is let in and who is not: real TLS and gRPC, and an emulated API server that knows the
// tokens. Everybody who is turned away is counted, and an honest agent beside them notices nothing.

import t from 'tap';
import { TOKEN_AUDIENCE } from '#proto/wire-limits.ts';
import type { TestAgent } from './session-scene.ts';
import { EXPECTED, joined, rawAgent, refusedWith, startScene } from './session-scene.ts';

const POD = { name: 'agent-n1', uid: 'uid-n1' };

t.test('an agent with the token of its node is let in, and told how long a lease is', async t => {
  const scene = await startScene(t);
  const agent = await joined(t, scene);
  t.match(await agent.welcomed, {
    welcome: { version: 'test', wireVersion: 1, leaseMs: 45_000, reportMs: 10_000 },
  });
  t.match(scene.opened, [{ node: 'n1', hello: { session: 1, wireVersion: 1 } }]);
  t.strictSame(scene.counts.entries(), []);
});

t.test('no token, a bad one, and one for something else are refused and counted', async t => {
  const scene = await startScene(t);
  const honest = await joined(t, scene, { node: 'n9' });
  const { serviceTokens } = scene.api;
  const account = { ...EXPECTED, audiences: [TOKEN_AUDIENCE], pod: POD, node: 'n1' };
  const foreign = { ...account, audiences: ['https://kubernetes.default.svc'] };
  const cases = [
    ['no-token', 'COORDINATOR_UNAUTHENTICATED', ''],
    ['token-refused', 'COORDINATOR_UNAUTHENTICATED', 'made-up'],
    ['foreign-audience', 'COORDINATOR_UNAUTHENTICATED', serviceTokens.issue(foreign)],
    [
      'foreign-account',
      'COORDINATOR_FORBIDDEN',
      serviceTokens.issue({ ...account, serviceAccount: 'default' }),
    ],
    [
      'no-node',
      'COORDINATOR_FORBIDDEN',
      serviceTokens.issue({ ...account, pod: undefined, node: undefined }),
    ],
  ] as const;
  for (const [reason, code, token] of cases) {
    t.match(await refusedWith(scene, { token }), { code }, reason);
    t.equal(scene.counts.of(reason), 1, `${reason} is counted`);
  }
  t.strictSame(
    scene.opened.map(({ node }) => node),
    ['n9'],
  );
  honest.client.put('slots', () => ({ slots: { sequence: 1, slotsMax: 1 } }));
  await scene.until(() => scene.heard.length === 1);
  t.match(scene.heard, [{ node: 'n9', saying: { kind: 'slots' } }], 'the honest one is heard');
});

t.test('a token of another node does not speak for this one', async t => {
  const scene = await startScene(t);
  const error = await refusedWith(scene, { node: 'n2', says: 'n1' });
  t.match(error, { code: 'COORDINATOR_FORBIDDEN' });
  t.equal(scene.counts.of('foreign-node'), 1);
  t.equal(scene.sessions.count, 0);
});

t.test('a server that does not say the node is asked for the pod', async t => {
  const scene = await startScene(t);
  const pod = scene.api.add({
    kind: 'Pod',
    metadata: { name: POD.name, namespace: 'velero' },
    spec: { nodeName: 'n1' },
  });
  const bound = (uid: string) =>
    scene.api.serviceTokens.issue({
      ...EXPECTED,
      audiences: [TOKEN_AUDIENCE],
      pod: { name: POD.name, uid },
    });
  await joined(t, scene, { token: bound(String(pod.metadata.uid)) });
  // A pod of the same name that is gone was on another node.
  const error = await refusedWith(scene, { token: bound('of-an-earlier-pod') });
  t.match(error, { code: 'COORDINATOR_FORBIDDEN' });
  t.equal(scene.counts.of('no-node'), 1);
});

t.test('while the API server cannot be asked nobody is let in, and all may come back', async t => {
  const scene = await startScene(t);
  const token = scene.tokenOf('n1');
  const allow = scene.api.access.deny({ plural: 'tokenreviews' });
  const error = await refusedWith(scene, { token });
  t.match(error, { code: 'COORDINATOR_BUSY', retryable: true });
  t.notMatch(String(error?.message), new RegExp(token));
  t.equal(scene.counts.of('not-reviewed'), 1);
  allow();
  await joined(t, scene, { token });
});

t.test('a token is looked at once for a while, however often its agent comes', async t => {
  const scene = await startScene(t);
  const token = scene.tokenOf('n1');
  for (let count = 0; count < 3; count++) {
    const agent = await joined(t, scene, { token, session: count });
    agent.client.close();
  }
  t.equal(scene.api.serviceTokens.reviewCount, 1);
});

t.test('who fails again and again is not listened to, nor asked about', async t => {
  const scene = await startScene(t);
  const honest = await joined(t, scene);
  for (let count = 0; count < 20; count++) await refusedWith(scene, { token: `bad-${count}` });
  const { reviewCount } = scene.api.serviceTokens;
  t.match(await refusedWith(scene, { token: 'another' }), {
    code: 'COORDINATOR_BUSY',
    details: { retryAfterMs: Number },
  });
  t.equal(scene.api.serviceTokens.reviewCount, reviewCount);
  t.equal(scene.counts.of('held-off'), 1);
  honest.client.put('slots', () => ({ slots: { sequence: 1, slotsMax: 1 } }));
  await scene.until(() => scene.heard.length === 1);
});

t.test('a session begins with a hello of a version that there is', async t => {
  const scene = await startScene(t);
  t.match(await refusedWith(scene, { wireVersion: 0 }), {
    code: 'COORDINATOR_VERSION_UNSUPPORTED',
  });
  const later = await joined(t, scene, { wireVersion: 7 });
  t.match(await later.welcomed, { welcome: { wireVersion: 1 } }, 'both speak what both know');
  const silent = rawAgent(t, scene, scene.tokenOf('n2'));
  silent.stream.end();
  t.match(await silent.ended, { code: 'COORDINATOR_TIMEOUT' });
  t.equal(scene.counts.of('no-hello'), 1);
});

t.test('a node has one session: a new one takes it over, an earlier start does not', async t => {
  const scene = await startScene(t);
  const first = await joined(t, scene, { session: 5 });
  const second = await joined(t, scene, { session: 5 });
  t.match(await first.ended, { code: 'COORDINATOR_TAKEN_OVER' });
  t.equal(scene.sessions.count, 1);
  t.strictSame(scene.closed, [scene.opened[0]], 'and is closed after the other one was opened');
  const third = await joined(t, scene, { session: 6 });
  t.match(await second.ended, { code: 'COORDINATOR_TAKEN_OVER' });
  t.match(await refusedWith(scene, { session: 5 }), { code: 'COORDINATOR_TAKEN_OVER' });
  t.equal(scene.counts.of('earlier-start'), 1);
  t.equal(scene.sessions.session('n1'), scene.opened[2]);
  third.client.close(true);
  t.equal(
    await Promise.race([third.ended, scene.until(() => scene.closed.length === 3)]),
    undefined,
  );
  t.equal(scene.sessions.count, 0);
});

t.test('who is there is told when the controller ends', async t => {
  const scene = await startScene(t);
  const agent: TestAgent = await joined(t, scene);
  scene.sessions.stop(2_000);
  t.match(await agent.ended, {
    code: 'COORDINATOR_UNAVAILABLE',
    details: { retryAfterMs: 2_000 },
  });
});
