// Who is answered and who is not, without a network.

import t from 'tap';
import { OverviewDesk } from '#controller/overview/overview-desk.ts';
import { OverviewReaders } from '#controller/overview/overview-readers.ts';
import { RefusalCounts, refuse } from '#controller/sessions/refusals.ts';
import type { EngineError } from '#engine/base/errors.ts';
import { overviewFromWire } from '#proto/overview-wire.ts';
import { decodeOverview } from '#proto/session-codec.ts';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { ManualClock } from '#test/kube/manual-clock.ts';
import { OVERVIEW } from './sample-overview.ts';

type Answer = { readonly bytes: Buffer } | { readonly error: EngineError };

function newDesk(parts: { leads?: boolean; leader?: string } = {}) {
  const time = { ms: 0 };
  const clock = { monotonic: () => time.ms };
  const counts = new RefusalCounts();
  const made = { count: 0 };
  const desk = new OverviewDesk({
    ...{ clock, counts },
    mayRead: async token => {
      if (token !== 'good') throw refuse('token-refused', 'it is not known');
    },
    describe: () => {
      made.count += 1;
      time.ms += 40;
      return parts.leads === false ? undefined : OVERVIEW;
    },
    leader: () => parts.leader ?? '',
  });
  const ask = (token?: string, address = '10.0.0.1') =>
    new Promise<Answer>(resolve => {
      const answer = (bytes: Buffer) => resolve({ bytes });
      desk.onOverview({ token, address, answer, refuse: error => resolve({ error }) });
    });
  return { time, counts, made, ask };
}

t.test('who may is told, and what took 40 ms is told to all for a second', async t => {
  const { time, made, ask } = newDesk();
  const [first] = await Promise.all([ask('good'), ask('good')]);
  t.ok('bytes' in first && overviewFromWire(decodeOverview(first.bytes)).leader === 'c-1');
  t.equal(made.count, 1);
  time.ms += 999;
  await ask('good');
  t.equal(made.count, 1);
  time.ms += 1;
  await ask('good');
  t.equal(made.count, 2);
});

const REFUSED = [
  ['no token', undefined, 'COORDINATOR_UNAUTHENTICATED'],
  ['one that nobody knows', 'bad', 'COORDINATOR_UNAUTHENTICATED'],
] as const;

for (const [what, token, code] of REFUSED) {
  t.test(`who is not told anything: ${what}`, async t => {
    const { counts, made, ask } = newDesk();
    t.match(await ask(token), { error: { code } });
    t.equal(made.count, 0);
    const reason = token === undefined ? 'no-token' : 'token-refused';
    t.equal(counts.of(reason), 1);
  });
}

t.test('an address that fails too often is not listened to for a minute', async t => {
  const { time, ask } = newDesk();
  for (let count = 0; count < 20; count += 1) await ask('bad');
  t.match(await ask('good'), { error: { code: 'COORDINATOR_BUSY' } });
  t.match(await ask('good', '10.0.0.2'), { bytes: Buffer });
  time.ms += 60_000;
  t.match(await ask('good'), { bytes: Buffer });
});

t.test('a controller that stands by says who leads, to those who may know', async t => {
  const follower = newDesk({ leads: false, leader: 'c-2' });
  const standby = { code: 'COORDINATOR_STANDBY', message: /c-2 leads/, details: { leader: 'c-2' } };
  t.match(await follower.ask('good'), { error: standby });
  t.match(await follower.ask('bad'), { error: { code: 'COORDINATOR_UNAUTHENTICATED' } });
  t.match(await newDesk({ leads: false }).ask('good'), { error: { message: /nobody leads/ } });
});

t.test('the API server says whose a token is and whether they may', async t => {
  const api = await startKubeEmulator();
  t.teardown(() => api.stop());
  const audience = 'stevedore.io/controller';
  const tokenOf = (serviceAccount: string, audiences = [audience]) =>
    api.serviceTokens.issue({ namespace: 'ops', serviceAccount, audiences });
  const user = 'system:serviceaccount:ops:stranger';
  api.access.deny({ verb: 'get', plural: 'overviews', namespace: 'velero', user });
  const clock = new ManualClock();
  const parts = { client: api.client(), clock, audience, namespace: 'velero' };
  const readers = new OverviewReaders(parts);
  await readers.admit(tokenOf('viewer'));
  const right = 'get overviews.stevedore.io in the namespace velero';
  await t.rejects(readers.admit(tokenOf('stranger')), {
    code: 'COORDINATOR_FORBIDDEN',
    message: `${user} may not ${right}`,
  });
  await t.rejects(readers.admit(tokenOf('viewer', ['other'])), {
    code: 'COORDINATOR_UNAUTHENTICATED',
  });
  await t.rejects(readers.admit('nonsense'), { code: 'COORDINATOR_UNAUTHENTICATED' });
  api.access.deny({ plural: 'tokenreviews' });
  await t.rejects(readers.admit(tokenOf('viewer')), { code: 'COORDINATOR_BUSY' });
});
