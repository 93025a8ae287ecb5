// TLS in front of a server that has none, on the loopback interface: what an endpoint is to its
// clients in most places. Bytes are passed on as they come, as slowly as either side takes them.

import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import { makeAuthority, makePair } from '#test/support/certificates.ts';

export interface TlsFront {
  /** `https://127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
  /** Of the authority to know it by. */
  readonly caPem: string;
  stop(): void;
}

/** `target`: `http://host:port` */
export async function startTlsFront(target: string): Promise<TlsFront> {
  const { hostname, port: targetPort } = new URL(target);
  const authority = makeAuthority();
  const { certificate: cert, key } = makePair(authority);
  const sockets = new Set<Socket>();
  const server = createServer({ cert, key }, socket => {
    const onward = connect(Number(targetPort), hostname);
    for (const each of [socket, onward]) {
      sockets.add(each);
      each.on('error', () => undefined);
      each.on('close', () => {
        sockets.delete(each);
        [socket, onward].forEach(one => one.destroy());
      });
    }
    socket.pipe(onward).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A listening TCP server has an address of this form.
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    port,
    caPem: authority.certificate,
    stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
