// Connections to an HTTP/1.1 server: kept while both sides keep them, and no answer is another's.
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import type { Question, ServerAddress } from '#engine/storage/http/connection.ts';
import { Connections } from '#engine/storage/http/connections.ts';
import { makeAuthority, makePair } from '#test/support/certificates.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { startRawServer } from './raw-server.ts';

const LIMIT = { bytesMax: 5_000_000, isRequired: true };
const QUESTION: Question = {
  text: 'GET / HTTP/1.1\r\nhost: x\r\n\r\n',
  limitOf: () => LIMIT,
};
const SETTINGS = { connectTimeoutMs: 5000, idleTimeoutMs: 10_000, tls: {} };
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

function openConnections(t: Test, settings: Partial<typeof SETTINGS> = {}): Connections {
  const connections = new Connections({ ...SETTINGS, ...settings });
  t.teardown(() => connections.close());
  return connections;
}

async function askWhole(connections: Connections, address: ServerAddress, question = QUESTION) {
  const { head, body } = await connections.ask(address, question, undefined);
  if (!body) throw new Error('a body that is required is there');
  return { head, body };
}

t.test('one connection serves one question after another', async t => {
  const server = await startRawServer(t);
  const connections = openConnections(t);
  server.play((socket, _request, before) => {
    const body = `answer ${before}`;
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  });
  for (let index = 0; index < 5; index++) {
    const { body } = await askWhole(connections, server.address);
    t.equal(Buffer.from(body).toString(), `answer ${index}`);
  }
  t.equal(server.connections(), 1);
});

t.test('questions at once have a connection each, which later ones share', async t => {
  const server = await startRawServer(t);
  const connections = openConnections(t);
  const waiting: (() => void)[] = [];
  server.play(socket => {
    waiting.push(() => socket.write(OK));
    if (waiting.length === 3) for (const answer of waiting.splice(0)) answer();
  });
  const askThree = () =>
    Promise.all([1, 2, 3].map(() => connections.ask(server.address, QUESTION, undefined)));
  await askThree();
  await askThree();
  t.equal(server.connections(), 3);
});

const LAST_ONES = {
  'that says so': 'HTTP/1.1 200 OK\r\nConnection: Close\r\ncontent-length: 2\r\n\r\nok',
  'of HTTP/1.0': 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok',
  'with more than its length': `${OK}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged`,
};
for (const [which, answer] of Object.entries(LAST_ONES)) {
  t.test(`an answer ${which} is the last of its connection`, async t => {
    const server = await startRawServer(t);
    const connections = openConnections(t);
    server.play(socket => socket.write(answer));
    for (let index = 0; index < 3; index++) {
      const { body } = await askWhole(connections, server.address);
      t.equal(Buffer.from(body).toString(), 'ok');
    }
    t.equal(server.connections(), 3);
  });
}

t.test('a body may end with its connection, and 100 Continue comes before an answer', async t => {
  const server = await startRawServer(t);
  const connections = openConnections(t);
  const early = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n';
  server.play(socket => socket.end(`${early}HTTP/1.1 200 OK\r\n\r\nto the end`));
  const { head, body } = await askWhole(connections, server.address);
  t.equal(head.status, 200);
  t.equal(Buffer.from(body).toString(), 'to the end');
});

t.test('a connection that breaks is no end of a body', async t => {
  const server = await startRawServer(t);
  const connections = openConnections(t);
  const broken = {
    'without a length': { front: '', bytes: undefined },
    'of a known length': { front: 'content-length: 9\r\n', bytes: 9 },
    'in chunks': { front: 'transfer-encoding: chunked\r\n', bytes: undefined },
  };
  for (const [which, { front, bytes }] of Object.entries(broken)) {
    const part = which === 'in chunks' ? '9\r\nhalf' : 'half';
    const limitOf = () => {
      // The head was read, and with it what came of the body: now it breaks.
      setImmediate(() => server.reset());
      return LIMIT;
    };
    server.play(socket => socket.write(`HTTP/1.1 200 OK\r\n${front}\r\n${part}`));
    const asked = connections.ask(server.address, { ...QUESTION, limitOf }, undefined);
    await t.rejects(asked, { name: 'CutBodyError', bytes, gotBytes: 4 }, which);
  }
});

t.test('a kept connection that the server has ended is none', async t => {
  const server = await startRawServer(t);
  const connections = openConnections(t);
  // It ends as soon as the second question is there: nobody could have known before.
  server.play((socket, _request, before) => {
    if (before === 0) socket.write(OK);
    else socket.resetAndDestroy();
  });
  for (let index = 0; index < 4; index++) {
    const { body } = await askWhole(connections, server.address);
    t.equal(Buffer.from(body).toString(), 'ok');
  }
  t.equal(server.connections(), 4);
});

t.test('a new connection that ends is an error, and one that has begun to answer', async t => {
  const server = await startRawServer(t);
  const connections = openConnections(t);
  server.play(socket => socket.destroy());
  await t.rejects(connections.ask(server.address, QUESTION, undefined), { code: 'ECONNRESET' });
  t.equal(server.connections(), 1);
  server.play((socket, _request, before) => {
    if (before === 0) socket.write(OK);
    else socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no');
  });
  await connections.ask(server.address, QUESTION, undefined);
  await t.rejects(connections.ask(server.address, QUESTION, undefined), { name: 'CutBodyError' });
  t.equal(server.connections(), 2);
});

t.test('what the head does not fit is not read', async t => {
  const server = await startRawServer(t);
  const connections = openConnections(t);
  server.play(socket => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9999999999999\r\n\r\n'));
  const limitOf = (): never => {
    throw new Error('too much');
  };
  const asked = connections.ask(server.address, { ...QUESTION, limitOf }, undefined);
  await t.rejects(asked, { message: 'too much' });
});

t.test('where no body is required, one that cannot be read is left', async t => {
  const server = await startRawServer(t);
  const hasty = openConnections(t, { idleTimeoutMs: 50 });
  const patient = openConnections(t);
  const limitOf = () => ({ bytesMax: 1000, isRequired: false });
  const head = 'HTTP/1.1 503 Slow Down\r\nx: y\r\n';
  const long = 'x'.repeat(1001);
  const stalled = `${head}content-length: 9\r\n\r\nhalf`;
  const answers: Record<string, (socket: Socket) => unknown> = {
    'that says it is too long': socket => socket.write(`${head}content-length: 9999\r\n\r\n`),
    'that is too long': socket => socket.write(`${head}\r\n${long}`),
    'in chunks that is too long': socket =>
      socket.write(`${head}transfer-encoding: chunked\r\n\r\n3e9\r\n${long}`),
    'in chunks that are none': socket =>
      socket.write(`${head}transfer-encoding: chunked\r\n\r\nhello\r\n`),
    'that ends too soon': socket => socket.end(stalled),
    'that stalls': socket => socket.write(stalled),
  };
  for (const [which, answer] of Object.entries(answers)) {
    const connections = which === 'that stalls' ? hasty : patient;
    server.play(answer);
    const got = await connections.ask(server.address, { ...QUESTION, limitOf }, undefined);
    t.match(got, { head: { status: 503, headers: { x: 'y' } }, body: undefined }, which);
  }
  t.equal(server.connections(), Object.keys(answers).length, 'each ends its connection');
  const controller = new AbortController();
  server.play(socket => socket.write(stalled, () => controller.abort(new Error('given up'))));
  const asked = patient.ask(server.address, { ...QUESTION, limitOf }, controller.signal);
  await t.rejects(asked, { message: 'given up' });
});

t.test('silence, an abort and closing end a question at once', async t => {
  const server = await startRawServer(t);
  const controller = new AbortController();
  server.play(() => controller.abort(new Error('given up')));
  const patient = openConnections(t);
  const given = patient.ask(server.address, QUESTION, controller.signal);
  await t.rejects(given, { message: 'given up' });
  server.play(() => patient.close());
  await t.rejects(patient.ask(server.address, QUESTION, undefined), { code: 'ECONNABORTED' });
  await t.rejects(patient.ask(server.address, QUESTION, undefined), { code: 'ECONNABORTED' });
  server.play(() => undefined);
  const hasty = openConnections(t, { idleTimeoutMs: 50 });
  const late = hasty.ask(server.address, QUESTION, undefined);
  await t.rejects(late, { name: 'TimeoutError' });
});

t.test('silence on a kept connection is not asked again', async t => {
  const server = await startRawServer(t);
  const connections = openConnections(t, { idleTimeoutMs: 200 });
  let asked = 0;
  server.play((socket, _request, before) => {
    asked++;
    if (before === 0) socket.write(OK);
  });
  await connections.ask(server.address, QUESTION, undefined);
  const late = connections.ask(server.address, QUESTION, undefined);
  await t.rejects(late, { name: 'TimeoutError' });
  t.equal(asked, 2);
});

t.test('a server that takes no connection is too late', async t => {
  // TLS that is never answered: connected, and not ready.
  const server = createServer(socket => socket.on('error', () => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const connections = openConnections(t, { connectTimeoutMs: 50 });
  const asked = connections.ask({ isTls: true, host: '127.0.0.1', port }, QUESTION, undefined);
  await t.rejects(asked, { name: 'TimeoutError', message: /connection/ });
});

for (const isTls of [false, true]) {
  t.test(`large bodies arrive byte for byte over ${isTls ? 'TLS' : 'TCP'}`, async t => {
    const authority = makeAuthority();
    const { certificate: cert, key } = makePair(authority);
    const server = await startRawServer(t, isTls ? { cert, key } : undefined);
    const connections = openConnections(t, { tls: { ca: [authority.certificate] } });
    const seed = newSeed();
    t.comment(`seed ${seed}`);
    const content = Buffer.from(new SeededRandom(seed).bytes(5_000_000));
    server.play((socket, request) => {
      const bytes = Number(/bytes (\d+)/.exec(request)?.[1]);
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${bytes}\r\n\r\n`);
      socket.write(content.subarray(0, bytes));
    });
    const sizes = [5_000_000, 1, 16_384, 3_000_001, 65_537, 0];
    await Promise.all(
      [...sizes, ...sizes].map(async bytes => {
        const text = `GET / HTTP/1.1\r\nwanted: bytes ${bytes}\r\n\r\n`;
        const { body } = await askWhole(connections, server.address, { ...QUESTION, text });
        t.ok(content.subarray(0, bytes).equals(body), `${bytes} bytes`);
        // Others would lose what they have when it is given to another thread.
        t.equal(body.byteLength, body.buffer.byteLength);
      }),
    );
  });
}

t.test('a certificate of nobody that is trusted is refused', async t => {
  const { certificate: cert, key } = makePair(makeAuthority());
  const server = await startRawServer(t, { cert, key });
  server.play(socket => socket.write(OK));
  const asked = openConnections(t).ask(server.address, QUESTION, undefined);
  await t.rejects(asked, { code: /UNABLE_TO_VERIFY|SELF_SIGNED/ });
  const lax = openConnections(t, { tls: { rejectUnauthorized: false } });
  t.equal((await lax.ask(server.address, QUESTION, undefined)).head.status, 200);
});
