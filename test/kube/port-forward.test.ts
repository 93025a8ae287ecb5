// A port of a pod through an API server that does not answer, ends what it began, takes nothing, or
// sends more than is taken.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import t, { type Test } from 'tap';
import { forwardPort } from '#kube/port-forward.ts';
import { message, welcome } from '#test/kube-emulator/forwarded-ports.ts';

const [DATA, ERRORS] = [0, 1];
const PORT = Buffer.from([0, 80]);
const TARGET = { namespace: 'velero', pod: 'controller-a', port: 80 };
const LOCAL = '127.0.0.1';
/** Without it the package takes no address of plain HTTP. */
const plain = { 'insecure-skip-tls-verify': true };
const never = new AbortController().signal;

/** Each request for a WebSocket goes to `serve`, with how many there were before it. */
async function startServer(t: Test, serve: (client: Duplex, index: number) => void) {
  const server = createServer();
  const clients: Duplex[] = [];
  server.on('upgrade', (request, client) => {
    client.on('error', () => {});
    // A server's sockets stay half open by themselves.
    client.on('end', () => client.end());
    clients.push(client);
    if (clients.length === 1) asked.resolve(client);
    const index = clients.length - 1;
    if (!answers(index)) return;
    welcome(request, client);
    client.write(Buffer.concat([message(DATA, PORT), message(ERRORS, PORT)]));
    serve(client, index);
  });
  const asked = Promise.withResolvers<Duplex>();
  let answers = (_index: number) => true;
  server.listen(0, LOCAL);
  await once(server, 'listening');
  t.teardown(() => {
    for (const client of clients) client.destroy();
    server.close();
  });
  // That of a server that listens.
  const { port } = server.address() as AddressInfo;
  const kubeconfig = t.testdir({
    config: JSON.stringify({
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'x' },
      clusters: [{ name: 'x', cluster: { server: `http://${LOCAL}:${port}`, ...plain } }],
      contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
      users: [{ name: 'x', user: { token: 'x' } }],
    }),
  });
  return {
    clients,
    asked: asked.promise,
    options: { kubeconfig: `${kubeconfig}/config` },
    answerIf: (test: (index: number) => boolean) => void (answers = test),
  };
}

/** Until `count` has stayed what it is for many turns. */
async function settled(count: () => number): Promise<number> {
  for (let last = -1, turns = 0; ; turns++) {
    if (count() !== last) [last, turns] = [count(), 0];
    if (turns > 2000) return last;
    await new Promise(setImmediate);
  }
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, LOCAL);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

t.test('who gives up while it opens leaves no connection behind', async t => {
  const { options, asked, answerIf } = await startServer(t, () => {});
  answerIf(() => false);
  const given = new AbortController();
  const opening = t.rejects(forwardPort(options, TARGET, given.signal), { code: 'ABORTED' });
  const client = await asked;
  const closed = once(client.resume(), 'close');
  given.abort();
  await opening;
  await closed;
});

t.test('it ends while a further connection is being opened', async t => {
  const { options, clients, answerIf } = await startServer(t, () => {});
  answerIf(index => index === 0);
  const tunnel = await forwardPort(options, TARGET, never);
  const first = await connected(tunnel.port);
  const second = await connected(tunnel.port);
  await settled(() => clients.length);
  t.equal(clients.length, 2);
  const closed = Promise.all([...clients, first, second].map(each => once(each.resume(), 'close')));
  await tunnel[Symbol.asyncDispose]();
  await closed;
});

t.test('one that ended before anybody came is not used', async t => {
  const { options, clients } = await startServer(t, (client, index) => {
    client.resume();
    if (index === 0) client.end(Buffer.from([0x88, 0]));
    else client.write(message(DATA, Buffer.from('hello')));
  });
  await using tunnel = await forwardPort(options, TARGET, never);
  const [client] = clients;
  if (client?.destroyed === false) await once(client, 'close');
  const socket = await connected(tunnel.port);
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  t.equal(String(bytes), 'hello');
  t.equal(clients.length, 2);
  socket.destroy();
});

t.test('what is wrong at the pod ends a connection that comes after it was said', async t => {
  const { options } = await startServer(t, client => {
    client.resume().write(message(ERRORS, Buffer.from('nothing listens')));
  });
  await using tunnel = await forwardPort(options, TARGET, never);
  await settled(() => (tunnel.failure === undefined ? 0 : 1));
  const socket = await connected(tunnel.port);
  await once(socket.resume(), 'close');
  t.equal(tunnel.failure, 'nothing listens');
});

t.test('what a login command printed is not told', async t => {
  const directory = t.testdir({
    config: JSON.stringify({
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'x' },
      clusters: [{ name: 'x', cluster: { server: `http://${LOCAL}:1`, ...plain } }],
      contexts: [{ name: 'x', context: { cluster: 'x', user: 'printing' } }],
      users: [{ name: 'printing', user: { exec: { command: 'echo', args: ['leak'] } } }],
    }),
  });
  const opening = forwardPort({ kubeconfig: `${directory}/config` }, TARGET, never);
  const error = await opening.catch((caught: unknown) => caught);
  t.match(error, { code: 'KUBE_CONFIG_INVALID', message: /credentials cannot be had/ });
  t.notMatch(String(error), 'leak');
});

const MUCH_BYTES = 64 * 2 ** 20;

t.test('what the pod does not take is not kept', async t => {
  const { options } = await startServer(t, client => void client.pause());
  await using tunnel = await forwardPort(options, TARGET, never);
  const socket = await connected(tunnel.port);
  socket.write(Buffer.alloc(MUCH_BYTES));
  const rest = await settled(() => socket.writableLength);
  t.ok(rest > MUCH_BYTES / 2, `${rest} bytes wait here`);
  socket.destroy();
});

t.test('what is not taken of the pod stays there, and comes whole when it is', async t => {
  const piece = message(DATA, Buffer.alloc(2 ** 20, 'x'));
  const { options, clients } = await startServer(t, client => {
    client.resume();
    for (let bytes = 0; bytes < MUCH_BYTES; bytes += 2 ** 20) client.write(piece);
  });
  await using tunnel = await forwardPort(options, TARGET, never);
  const socket = await connected(tunnel.port);
  socket.pause();
  const rest = await settled(() => clients[0]?.writableLength ?? 0);
  t.ok(rest > MUCH_BYTES / 2, `${rest} bytes wait there`);
  let bytes = 0;
  for await (const each of socket as AsyncIterable<Buffer>) {
    bytes += each.length;
    if (bytes >= MUCH_BYTES) break;
  }
  t.equal(bytes, MUCH_BYTES);
});
