// Agents that were let in and then say what no agent says: they are put out and counted, and the
// session of the honest agent beside them goes on.

import { connect } from 'node:http2';
import t, { type Test } from 'tap';
import { encodeAgentMessage, SESSION_PATH, type AgentMessage } from '#proto/session-codec.ts';
import { MESSAGE_BYTES_MAX, TRANSPORT_BYTES_MAX } from '#proto/wire-limits.ts';
import { ManualClock } from '#test/kube/manual-clock.ts';
import {
  joined,
  rawAgent,
  refusedWith,
  type SessionScene,
  startScene,
  type TestAgent,
} from './session-scene.ts';

const VOLUME = { id: 'u-1', namespace: 'a', pod: 'p', location: 'default' };
const HELLO = encodeAgentMessage({ hello: { node: 'bad', wireVersion: 1, session: 1 } });

async function withHonest(t: Test): Promise<{ scene: SessionScene; honest: TestAgent }> {
  const scene = await startScene(t);
  return { scene, honest: await joined(t, scene, { node: 'good' }) };
}

async function isUnharmed(t: Test, scene: SessionScene, honest: TestAgent): Promise<void> {
  const before = scene.heard.filter(({ node }) => node === 'good').length;
  honest.client.put('slots', () => ({ slots: { sequence: 1, slotsMax: 1 } }));
  await scene.until(() => scene.heard.filter(({ node }) => node === 'good').length > before);
  t.equal(scene.sessions.session('good')?.node, 'good', 'the honest agent is heard');
}

/** Plain HTTP/2: a client of grpc-js takes everything in, whether anybody reads it or not. */
function sayWithoutReading(t: Test, scene: SessionScene, message: Buffer): void {
  const url = `https://localhost:${scene.port}`;
  const session = connect(url, { ca: scene.authority.certificate });
  t.teardown(() => session.destroy());
  const stream = session.request({
    ':method': 'POST',
    ':path': SESSION_PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
    authorization: `Bearer ${scene.tokenOf('bad')}`,
  });
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  stream.write(Buffer.concat([head, message]));
}

const MALFORMED: Readonly<Record<string, Buffer | AgentMessage>> = {
  'no protobuf': Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff]),
  'a length beyond the end': Buffer.from([0x1a, 0x7f, 0x08]),
  'a second hello': { hello: { node: 'bad', wireVersion: 1, session: 1 } },
  'a request without a volume': { slots: { requests: [{ number: 1 }] } },
  'a priority that there is not': { slots: { requests: [{ volume: VOLUME, priority: 10 }] } },
  'a volume twice': {
    slots: { requests: [{ volume: VOLUME }], holds: [{ volume: VOLUME }] },
  },
  'a name that would forge a line of a log': {
    slots: { requests: [{ volume: { ...VOLUME, pod: 'p\n{"level":"error"}' } }] },
  },
  'a name without end': { slots: { requests: [{ volume: { ...VOLUME, pod: 'p'.repeat(513) } }] } },
  'a number that loses digits': { slots: { epoch: 2 ** 53 } },
  'a time that is none': { slots: { sentAtMs: Number.NaN } },
  'more slots than a node has': { slots: { slotsMax: 1_001 } },
};

for (const [what, message] of Object.entries(MALFORMED)) {
  t.test(`${what} ends the session of who says it`, async t => {
    const { scene, honest } = await withHonest(t);
    const bad = rawAgent(t, scene, scene.tokenOf('bad'));
    bad.stream.write(HELLO);
    bad.stream.write(Buffer.isBuffer(message) ? message : encodeAgentMessage(message));
    t.match(await bad.ended, {
      code: 'COORDINATOR_MESSAGE_INVALID',
      details: { retryAfterMs: 10_000 },
    });
    t.equal(scene.counts.of('malformed'), 1);
    t.notMatch(scene.refused[0]?.error.message, /forge|\n/);
    await isUnharmed(t, scene, honest);
  });
}

t.test('what begins with something else than a hello does not become a session', async t => {
  const { scene, honest } = await withHonest(t);
  for (const first of [Buffer.from('garbage'), encodeAgentMessage({ slots: { sequence: 1 } })]) {
    const bad = rawAgent(t, scene, scene.tokenOf('bad'));
    bad.stream.write(first);
    t.match(await bad.ended, { code: 'COORDINATOR_MESSAGE_INVALID' });
  }
  t.equal(scene.counts.of('malformed'), 2);
  await isUnharmed(t, scene, honest);
});

t.test('a message that is too large is refused, by its head alone where it is huge', async t => {
  const { scene, honest } = await withHonest(t);
  for (const [bytes, node] of [
    [MESSAGE_BYTES_MAX + 1, 'large'],
    [TRANSPORT_BYTES_MAX + 1, 'huge'],
  ] as const) {
    const bad = rawAgent(t, scene, scene.tokenOf(node));
    bad.stream.write(encodeAgentMessage({ hello: { node, wireVersion: 1, session: 1 } }));
    bad.stream.write(Buffer.alloc(bytes));
    t.match(await bad.ended, { code: 'COORDINATOR_MESSAGE_TOO_LARGE' }, node);
  }
  t.equal(scene.counts.of('too-large'), 1, 'that one was for us to count');
  await scene.until(() => scene.counts.of('cut') === 1);
  t.equal(scene.sessions.count, 1);
  await isUnharmed(t, scene, honest);
});

t.test('a flood from one agent ends its session, and it stays out for a while', async t => {
  const { scene, honest } = await withHonest(t);
  const token = scene.tokenOf('bad');
  const bad = rawAgent(t, scene, token);
  bad.stream.write(HELLO);
  const report = encodeAgentMessage({ slots: { sequence: 1, slotsMax: 1 } });
  for (let count = 0; count < 1_000; count++) bad.stream.write(report);
  t.match(await bad.ended, { code: 'COORDINATOR_FLOODED', details: { retryAfterMs: 10_000 } });
  t.equal(scene.counts.of('flood'), 1);
  const heard = scene.heard.filter(({ node }) => node === 'bad').length;
  t.ok(heard >= 99 && heard < 150, `${heard} of 1000 were heard`);
  const error = await refusedWith(scene, { node: 'bad', token });
  t.match(error, { code: 'COORDINATOR_BUSY' });
  t.ok(Number(error?.details.retryAfterMs) > 5_000);
  await isUnharmed(t, scene, honest);
});

t.test('an agent that reads nothing costs the newest message and no other', async t => {
  const { scene, honest } = await withHonest(t);
  sayWithoutReading(t, scene, HELLO);
  await scene.until(() => scene.opened.length === 2);
  const session = scene.sessions.session('bad');
  const grants = Array.from({ length: 2_000 }, (_, serial) => ({
    ...{ id: `u-${serial}`, node: 'bad', number: 1, epoch: 1, serial },
    reason: { kind: 'turn', priority: 5 } as const,
  }));
  let madeCount = 0;
  const answer = () => {
    madeCount += 1;
    const heard = { sequence: 1, sentAtMs: 0 };
    return { node: 'bad', session: 1, epoch: 1, number: madeCount, heard, grants, revoked: [] };
  };
  for (let count = 0; count < 1_000; count++) {
    session?.tellSlots(answer);
    await new Promise(setImmediate);
  }
  t.ok(madeCount < 20, `${madeCount} of 1000 answers were made`);
  await isUnharmed(t, scene, honest);
});

t.test('a message of a later version is passed over and counted', async t => {
  const scene = await startScene(t);
  const later = rawAgent(t, scene, scene.tokenOf('bad'));
  later.stream.write(HELLO);
  // Field 100 of AgentMessage, a message that is empty.
  later.stream.write(Buffer.from([0xa2, 0x06, 0x00]));
  later.stream.write(encodeAgentMessage({ slots: { sequence: 1, slotsMax: 1 } }));
  await scene.until(() => scene.heard.length === 1);
  t.equal(scene.counts.of('not-understood'), 1);
  t.equal(scene.sessions.count, 1);
});

t.test('an agent of ours keeps to its pauses, however much it has to say', async t => {
  const scene = await startScene(t);
  const clock = new ManualClock();
  const { client } = await joined(t, scene, { clock });
  let sequence = 0;
  const report = () => ({ slots: { sequence: ++sequence, slotsMax: 1 } });
  const sayMuch = async (until: number) => {
    for (let more = 0; more < 50; more += sequence < until ? 0 : 1) {
      client.put('slots', report);
      await new Promise(setImmediate);
    }
  };
  await sayMuch(7);
  t.equal(sequence, 7, 'with the hello these are the eight that may go out at once');
  for (const said of [8, 9]) {
    await clock.pass(199);
    await sayMuch(said - 1);
    t.equal(sequence, said - 1);
    await clock.pass(1);
    await sayMuch(said);
    t.equal(sequence, said);
  }
  await scene.until(() => scene.heard.length === 9);
  t.strictSame(scene.counts.entries(), []);
});
