// An agent's link to the controller: it comes back by itself, not together with all others, and
// says everything again.

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import t from 'tap';
import { CoordinatorLink, type LostSession } from '#agent/coordinator/coordinator-link.ts';
import { readAccess } from '#agent/coordinator/link-access.ts';
import { systemClock } from '#engine/base/clock.ts';
import { EngineError } from '#engine/base/errors.ts';
import { type SessionScene, startScene } from '#test/controller/sessions/session-scene.ts';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { ManualClock } from '#test/kube/manual-clock.ts';
import { makeAuthority } from '#test/support/certificates.ts';

const HELLO = { node: 'n1', version: 'test', wireVersion: 1, capabilities: [], session: 1 };

function partsFor(scene: SessionScene, token = scene.tokenOf('n1')) {
  const lost: LostSession[] = [];
  const parts = {
    address: { host: 'localhost', port: scene.port },
    access: async () => ({ trust: scene.trust, token }),
    hello: HELLO,
    clock: systemClock,
    random: () => 0,
    onMessage: () => undefined,
    onConnected: () => undefined,
    onLost: (one: LostSession) => lost.push(one),
  };
  return { parts, lost };
}

t.test('a link comes back to the next controller and says its states anew', async t => {
  const api = await startKubeEmulator();
  t.teardown(() => api.stop());
  const authority = makeAuthority();
  const first = await startScene(t, { api, authority });
  const { parts, lost } = partsFor(first);
  const link = new CoordinatorLink(parts);
  let sequence = 0;
  link.say('slots', () => ({ slots: { sequence: ++sequence, slotsMax: 1 } }));
  const end = new AbortController();
  const running = link.run(end.signal);
  await first.until(() => first.heard.length === 1);
  t.ok(link.isConnected);
  const { port } = first;
  await first.stop();
  const second = await startScene(t, { api, authority, port });
  await second.until(() => second.heard.length === 1);
  t.match(second.heard, [{ saying: { kind: 'slots' } }]);
  t.match(lost[0], { error: { code: 'COORDINATOR_UNAVAILABLE' }, retryMs: 250 });
  end.abort();
  await running;
  await second.until(() => second.closed.length === 1);
  t.strictSame(second.counts.entries(), [], 'it has left in peace');
});

t.test('pauses double up to half a minute, and half of each is random', async t => {
  const pauses = async (random: number, error: EngineError, count: number) => {
    const clock = new ManualClock();
    const retries: number[] = [];
    const end = new AbortController();
    const link = new CoordinatorLink({
      address: { host: '127.0.0.1', port: 1 },
      access: () => Promise.reject(error),
      hello: HELLO,
      clock,
      random: () => random,
      onMessage: () => undefined,
      onConnected: () => undefined,
      onLost: ({ retryMs }) => retries.push(retryMs),
    });
    const running = link.run(end.signal);
    while (retries.length < count) await clock.pass(60_000);
    end.abort();
    await running;
    return retries;
  };
  const away = new EngineError('COORDINATOR_UNAVAILABLE', 'away');
  t.strictSame(await pauses(0, away, 8), [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
  t.strictSame((await pauses(0.5, away, 2)).slice(0, 2), [375, 750]);
  const busy = new EngineError('COORDINATOR_BUSY', 'x', { details: { retryAfterMs: 10_000 } });
  t.strictSame(await pauses(0, busy, 1), [10_250], 'the controller says when');
  const other = new EngineError('COORDINATOR_TAKEN_OVER', 'x');
  t.strictSame(await pauses(0, other, 1), [15_000], 'who was replaced does not fight');
  const standby = new EngineError('COORDINATOR_STANDBY', 'x');
  t.strictSame(await pauses(0, standby, 4), [250, 500, 500, 500], 'the next one may be the leader');
});

t.test('a controller that says nothing is given up after 25 s', async t => {
  const scene = await startScene(t);
  const clock = new ManualClock();
  const { parts, lost } = partsFor(scene);
  const silent = { ...parts, clock, address: { host: '127.0.0.1', port: 1 } };
  const link = new CoordinatorLink({ ...silent, access: () => new Promise(() => undefined) });
  const end = new AbortController();
  const running = link.run(end.signal);
  await clock.pass(24_999);
  t.equal(lost.length, 0);
  await clock.pass(1);
  t.match(lost, [{ error: { code: 'ABORTED' } }]);
  end.abort();
  await running;
});

t.test('what takes a connection and says nothing of TLS is given up after ten seconds', async t => {
  const scene = await startScene(t);
  const silent = createServer(socket => void t.teardown(() => socket.destroy()));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => silent.close());
  // Of a TCP server that listens, the address is an AddressInfo (node:net).
  const { port } = silent.address() as AddressInfo;
  const clock = new ManualClock();
  const { parts, lost } = partsFor(scene);
  const link = new CoordinatorLink({ ...parts, clock, address: { host: '127.0.0.1', port } });
  const end = new AbortController();
  const running = link.run(end.signal);
  await once(silent, 'connection');
  await clock.pass(9_999);
  t.equal(lost.length, 0);
  await clock.pass(1);
  t.match(lost, [{ error: { code: 'COORDINATOR_TIMEOUT', message: 'no connection in time' } }]);
  end.abort();
  await running;
});

t.test('token and certificates are read from files for each attempt', async t => {
  const directory = t.testdir({ token: 'first\n', 'ca.crt': 'pem', empty: '\n' });
  const caPath = `${directory}/ca.crt`;
  const tokenPath = `${directory}/token`;
  t.strictSame(await readAccess({ caPath, tokenPath }), {
    trust: { caPem: 'pem' },
    token: 'first',
  });
  t.strictSame(await readAccess({ caPath: undefined, tokenPath }), {
    trust: { plainText: true },
    token: 'first',
  });
  await t.rejects(readAccess({ caPath, tokenPath: `${directory}/empty` }), {
    code: 'COORDINATOR_UNAUTHENTICATED',
  });
  await t.rejects(readAccess({ caPath, tokenPath: '/nowhere' }), { message: /\/nowhere: ENOENT/ });
  await t.rejects(readAccess({ caPath: '/nowhere', tokenPath }), {
    code: 'COORDINATOR_TLS_INVALID',
  });
});
