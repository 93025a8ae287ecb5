// The way to the controller: certificates that are right or not, plain text, and files that are
// replaced while it runs.

import { writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { once } from 'node:events';
import t from 'tap';
import { RefusalCounts } from '#controller/sessions/refusals.ts';
import { listenInPlainText } from '#controller/sessions/session-listener.ts';
import { readTlsPair, watchTlsFiles } from '#controller/sessions/tls-files.ts';
import { systemClock } from '#engine/base/clock.ts';
import { SessionClient } from '#proto/session-client.ts';
import { ManualClock } from '#test/kube/manual-clock.ts';
import { makeAuthority, makePair } from '#test/support/certificates.ts';
import { joined, refusedWith, startScene } from './session-scene.ts';

const HOUR_MS = 3_600_000;

function dialInPlainText(host: string): SessionClient {
  return new SessionClient({
    host,
    port: 1,
    trust: { plainText: true },
    token: 'secret',
    clock: systemClock,
    onMessage: () => undefined,
    onEnd: () => undefined,
  });
}

t.test('a certificate that is not right is refused by the agent', async t => {
  const expired = { until: new Date(Date.now() - HOUR_MS) };
  const early = { from: new Date(Date.now() + HOUR_MS) };
  const cases = [
    ['expired', await startScene(t, { pair: authority => makePair(authority, expired) })],
    ['not valid yet', await startScene(t, { pair: authority => makePair(authority, early) })],
    ['of another authority', await startScene(t, { pair: () => makePair(makeAuthority()) })],
    [
      'for another name',
      await startScene(t, { pair: authority => makePair(authority, { hosts: ['example.org'] }) }),
    ],
  ] as const;
  for (const [what, scene] of cases) {
    t.match(await refusedWith(scene, {}), { code: 'COORDINATOR_TLS_INVALID' }, what);
    t.equal(scene.sessions.count, 0);
  }
});

t.test('an agent in plain text does not get past the first record, and is counted', async t => {
  const scene = await startScene(t);
  const honest = await joined(t, scene, { node: 'n2' });
  const error = await refusedWith(scene, { trust: { plainText: true } });
  t.match(error, { code: /^COORDINATOR_(UNAVAILABLE|TLS_INVALID)$/ });
  t.equal(scene.counts.of('plain-text'), 1);
  honest.client.put('slots', () => ({ slots: { sequence: 1, slotsMax: 1 } }));
  await scene.until(() => scene.heard.length === 1);
});

t.test('an agent with TLS does not go on in plain text', async t => {
  const scene = await startScene(t, { isPlainText: true });
  t.match(await refusedWith(scene, {}), { code: 'COORDINATOR_TLS_INVALID' });
  t.equal(scene.opened.length, 0);
  await joined(t, scene, { trust: { plainText: true } });
});

t.test('plain text is for the loopback interface, on both sides', async t => {
  const parts = { counts: new RefusalCounts(), onConnection: () => undefined };
  for (const host of ['0.0.0.0', '::', '10.1.2.3', 'localhost']) {
    await t.rejects(listenInPlainText({ host, port: 0 }, parts), { code: 'USAGE' }, host);
  }
  for (const host of ['10.1.2.3', 'controller.velero.svc', 'localhost']) {
    t.throws(() => dialInPlainText(host), { code: 'USAGE' }, host);
  }
});

t.test('older TLS, no HTTP/2 and silence are refused and counted', async t => {
  const scene = await startScene(t);
  const ca = scene.authority.certificate;
  const at = { host: '127.0.0.1', port: scene.port, ca };
  const old = connectTls({ ...at, maxVersion: 'TLSv1.2', ALPNProtocols: ['h2'] });
  await t.rejects(once(old, 'secureConnect'));
  const other = connectTls(at);
  await once(other, 'close');
  const rude = connectPlain(at.port, at.host);
  await once(rude, 'connect');
  rude.end('GET / HTTP/1.1\r\n\r\n');
  await once(rude.resume(), 'close');
  t.equal(scene.counts.of('handshake'), 2);
  t.equal(scene.counts.of('plain-text'), 1);
});

t.test('a certificate that is replaced is used from then on, and sessions go on', async t => {
  const scene = await startScene(t);
  const directory = t.testdir({});
  const paths = {
    certificatePath: join(directory, 'tls.crt'),
    keyPath: join(directory, 'tls.key'),
  };
  const write = (pair: { readonly certificate: string; readonly key: string }) => {
    writeFileSync(paths.certificatePath, pair.certificate);
    writeFileSync(paths.keyPath, pair.key);
  };
  write(makePair(scene.authority));
  const clock = new ManualClock();
  // The certificates are of our time.
  clock.now = () => Date.now();
  const current = await readTlsPair(paths, clock.now());
  const end = new AbortController();
  t.teardown(() => end.abort());
  const faults: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const { promise: faulty, resolve: onFaulty } = Promise.withResolvers<void>();
  const watching = watchTlsFiles({
    paths,
    current,
    clock,
    signal: end.signal,
    onChanged: pair => {
      scene.listener?.replace(pair);
      resolve();
    },
    onFault: error => {
      faults.push(error.message);
      onFaulty();
    },
  });
  const before = await joined(t, scene, { node: 'n1' });
  const renewed = makeAuthority('renewed');
  const next = makePair(renewed);
  writeFileSync(paths.certificatePath, next.certificate);
  await clock.pass(10_000);
  await faulty;
  t.match(faults, [/the key is of another one/], 'half of a pair is not taken');
  await joined(t, scene, { node: 'n2' });
  writeFileSync(paths.keyPath, next.key);
  // The watch sleeps again when it has looked.
  while (clock.sleeperCount === 0) await new Promise(setImmediate);
  await clock.pass(10_000);
  await promise;
  t.match(await refusedWith(scene, { node: 'n3' }), { code: 'COORDINATOR_TLS_INVALID' });
  await joined(t, scene, { node: 'n3', trust: { caPem: renewed.certificate } });
  before.client.put('slots', () => ({ slots: { sequence: 1, slotsMax: 1 } }));
  await scene.until(() => scene.heard.length === 1);
  end.abort();
  await watching;
});

t.test('a pair that cannot be used is said with its reason', async t => {
  const authority = makeAuthority();
  const good = makePair(authority);
  const nowMs = Date.now();
  const cases = [
    [{ ...good, key: makePair(authority).key }, /key is of another/],
    [makePair(authority, { until: new Date(nowMs - 1000) }), /has expired/],
    [makePair(authority, { from: new Date(nowMs + HOUR_MS) }), /not valid before/],
    [{ ...good, certificate: 'nonsense' }, /cannot be used/],
  ] as const;
  for (const [{ certificate, key }, message] of cases) {
    const directory = t.testdir({ 'tls.crt': certificate, 'tls.key': key });
    const paths = {
      certificatePath: join(directory, 'tls.crt'),
      keyPath: join(directory, 'tls.key'),
    };
    await t.rejects(readTlsPair(paths, nowMs), { code: 'COORDINATOR_TLS_INVALID', message });
  }
  const paths = { certificatePath: '/does/not/exist', keyPath: '/neither' };
  await t.rejects(readTlsPair(paths, nowMs), { message: /\/does\/not\/exist: ENOENT/ });
});
