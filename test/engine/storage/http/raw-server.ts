// A TCP or TLS server that answers each request with the bytes a test gives it, cut as it says.

import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { Test } from 'tap';
import type { ServerAddress } from '#engine/storage/http/connection.ts';

/** Called for every request, with its text and how many came before it on its connection. */
export type Script = (socket: Socket, request: string, before: number) => void;

export interface RawServer {
  readonly address: ServerAddress;
  /** Connections that were ever made. */
  connections(): number;
  /** Breaks all connections, which is not the same as ending them. */
  reset(): void;
  /** What answers from now on. */
  play(script: Script): void;
}

export async function startRawServer(t: Test, tls?: TlsOptions): Promise<RawServer> {
  let script: Script = socket => socket.destroy();
  let connections = 0;
  const sockets = new Set<Socket>();
  const serve = (socket: Socket): void => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    let text = '';
    let before = 0;
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      while (text.includes('\r\n\r\n')) {
        const end = text.indexOf('\r\n\r\n') + 4;
        const request = text.slice(0, end);
        text = text.slice(end);
        script(socket, request, before++);
      }
    });
  };
  const server = tls ? createTlsServer(tls, serve) : createServer(serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise(resolve => server.close(resolve));
  });
  // A listening TCP server has an address of this form.
  const { port } = server.address() as AddressInfo;
  return {
    address: { isTls: tls !== undefined, host: '127.0.0.1', port },
    connections: () => connections,
    reset: () => sockets.forEach(socket => socket.resetAndDestroy()),
    play: next => (script = next),
  };
}
