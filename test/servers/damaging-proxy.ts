// Stands between us and a server, as a cable, a switch or a load balancer does, and changes bodies
// on their way: one bit of one that holds a certain text, or it ends there. With a certificate it
// takes TLS, and talks to the server without, as load balancers do.

import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

export interface DamagingProxy {
  /** `http://host:port`, or `https:` */
  readonly url: string;
  /** The next so many bodies that hold the text. */
  damage(how: 'flip' | 'tear', count: number): void;
  /** How many of those are still to come. */
  readonly left: number;
  /** The headers of the last put. */
  readonly lastPut: string;
  stop(): Promise<void>;
}

export async function startDamagingProxy(
  server: string,
  text: string,
  certificate?: { readonly key: string; readonly cert: string },
): Promise<DamagingProxy> {
  const target = new URL(server);
  const sockets = new Set<Socket>();
  let how: 'flip' | 'tear' = 'flip';
  let left = 0;
  let lastPut = '';
  /** False when nothing more may be passed on. */
  const pass = (chunk: Buffer): boolean => {
    if (chunk.indexOf('PUT ') === 0) lastPut = chunk.toString('latin1').split('\r\n\r\n', 1)[0];
    const at = left > 0 ? chunk.indexOf(text) : -1;
    if (at === -1) return true;
    left -= 1;
    if (how === 'tear') return false;
    chunk[at] ^= 1;
    return true;
  };
  const serve = (client: Socket): void => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => undefined);
    }
    client.on('data', (chunk: Buffer) => {
      if (pass(chunk)) return void upstream.write(chunk);
      upstream.destroy();
      client.destroy();
    });
    client.on('end', () => upstream.end());
    upstream.pipe(client);
    upstream.on('close', () => client.destroy());
  };
  const listening = certificate ? createTlsServer(certificate, serve) : createServer(serve);
  await new Promise<void>(resolve => listening.listen(0, '127.0.0.1', resolve));
  // A listening TCP server has an address of this form.
  const { port } = listening.address() as AddressInfo;
  return {
    url: `${certificate ? 'https' : 'http'}://127.0.0.1:${port}`,
    damage(next, count) {
      [how, left] = [next, count];
    },
    get left() {
      return left;
    },
    get lastPut() {
      return lastPut;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => listening.close(resolve));
    },
  };
}
