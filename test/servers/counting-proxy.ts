// A loopback proxy in front of a real server, which notes when how many bytes pass in which
// direction. Nothing is held back by it, so what counts for the client is not what it has taken
// from the server, of which megabytes may still lie in the kernel's queue: it is what the kernel of
// the client has acknowledged (`tx_queue` of /proc/net/tcp, proc(5)).

import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export type Direction = 'upload' | 'download';

export interface CountingProxy {
  /** `http://host:port` */
  readonly url: string;
  /** Bytes in the direction, between two times by performance.now(). */
  bytesBetween(direction: Direction, fromMs: number, toMs: number): number;
  /** The most in any second of that time. */
  mostInASecond(direction: Direction, fromMs: number, toMs: number): number;
  stop(): Promise<void>;
}

/** Bytes until then. */
type Sample = Readonly<Record<Direction | 'atMs', number>>;

const SECOND_MS = 1000;
const SAMPLE_MS = 10;

export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const { hostname, port: targetPort } = new URL(target);
  const clients = new Set<Socket>();
  const samples: Sample[] = [];
  const server = createServer(client => {
    const inner = connect({ host: hostname, port: Number(targetPort) });
    link(client, inner);
    link(inner, client);
    clients.add(client);
  });
  const port = await listen(server);
  const sample = () => samples.push({ atMs: performance.now(), ...countsOf(clients, port) });
  sample();
  const timer = setInterval(sample, SAMPLE_MS);
  const countAt = (direction: Direction, atMs: number) =>
    samples.findLast(each => each.atMs <= atMs)?.[direction] ?? 0;
  const bytesBetween = (direction: Direction, fromMs: number, toMs: number) =>
    countAt(direction, toMs) - countAt(direction, fromMs);
  return {
    url: `http://127.0.0.1:${port}`,
    bytesBetween,
    mostInASecond(direction, fromMs, toMs) {
      const starts = samples.map(({ atMs }) => atMs).filter(atMs => atMs >= fromMs && atMs < toMs);
      const endOf = (atMs: number) => Math.min(toMs, atMs + SECOND_MS);
      return Math.max(0, ...starts.map(atMs => bytesBetween(direction, atMs, endOf(atMs))));
    },
    async stop() {
      clearInterval(timer);
      for (const socket of clients) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

function countsOf(clients: ReadonlySet<Socket>, port: number): Record<Direction, number> {
  const counts = { upload: 0, download: -queuedBytes(port) };
  for (const socket of clients) {
    counts.upload += socket.bytesRead;
    counts.download += socket.bytesWritten - socket.writableLength;
  }
  return counts;
}

/** What connections of this local port have sent and the other side has not acknowledged. */
function queuedBytes(port: number): number {
  const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  let sum = 0;
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
    const [, local = '', , state, queues = ''] = line.trim().split(/\s+/);
    // 0A listens, and its queue is that of connections.
    if (local.endsWith(ending) && state !== '0A') sum += Number.parseInt(queues, 16);
  }
  return sum;
}

function link(from: Socket, to: Socket): void {
  from.on('data', (bytes: Buffer) => {
    if (!to.write(bytes)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => to.end());
  from.on('error', () => to.destroy());
  from.on('close', () => to.destroy());
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  // A listening TCP server has an address of this form.
  return (server.address() as AddressInfo).port;
}
