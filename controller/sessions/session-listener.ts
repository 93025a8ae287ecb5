// Where connections of agents come in. With TLS 1.3 and HTTP/2 or not at all; without TLS only by
// an explicit word, and only on the loopback interface. What fails here has cost a handshake, and
// is counted.

import {
  createServer as createPlainServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { EngineError } from '#engine/base/errors.ts';
import { giveFreedBack } from '#engine/base/process-memory.ts';
import { isLoopback } from '#proto/loopback.ts';
import type { Connection } from '#proto/session-server.ts';
import type { RefusalCounts } from './refusals.ts';
import type { TlsPair } from './tls-files.ts';

export interface ListenerParts {
  readonly counts: RefusalCounts;
  readonly onConnection: (connection: Connection) => void;
}

export interface ListenAt {
  /** Undefined for all addresses of the machine. */
  readonly host: string | undefined;
  /** 0 for any. */
  readonly port: number;
}

export interface SessionListener {
  readonly port: number;
  /** For handshakes from now on. Nothing where there is no TLS. */
  replace(pair: TlsPair): void;
  /** Accepts nobody any more; what was accepted is somebody else's. */
  close(): Promise<void>;
}

/** Connections at once; further ones are closed. */
const CONNECTIONS_MAX = 6_000;
const HANDSHAKE_MS_MAX = 10_000;

/**
 * Not OpenSSL's first choice, X25519MLKEM768: what it keeps of a peer's key for as long as the
 * connection lasts takes 6 KiB (3.5, ossl_ml_kem_parse_public_key), a tenth of all that an agent
 * costs. What is said here is of no worth in years to come, tokens least of all.
 */
const HANDSHAKE = Object.freeze({ minVersion: 'TLSv1.3', ecdhCurve: 'X25519:P-256' });

/** OpenSSL's names for a first record that is none of TLS. */
const PLAIN_TEXT = new Set(['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_HTTP_REQUEST']);

export async function listenWithTls(
  pair: TlsPair,
  at: ListenAt,
  { counts, onConnection }: ListenerParts,
): Promise<SessionListener> {
  const server = createTlsServer({
    ...contextOf(pair),
    ...HANDSHAKE,
    ALPNProtocols: ['h2'],
    handshakeTimeout: HANDSHAKE_MS_MAX,
  });
  // Before TLS has its buffer of 64 KiB, for as long as the connection lasts: where connections
  // come one by one it would be made of what the last handshake has left, which is 7 MiB of a
  // thousand.
  server.prependListener('connection', giveFreedBack);
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.alpnProtocol === 'h2') return void onConnection(socket);
    counts.add('handshake');
    socket.destroy();
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException) => {
    counts.add(PLAIN_TEXT.has(error.code ?? '') ? 'plain-text' : 'handshake');
  });
  const port = await listen(server, at, counts);
  return {
    port,
    replace: next => server.setSecureContext({ ...contextOf(next), ...HANDSHAKE }),
    close: () => close(server),
  };
}

/** @throws USAGE for an address that others can reach */
export async function listenInPlainText(
  at: ListenAt,
  { counts, onConnection }: ListenerParts,
): Promise<SessionListener> {
  if (at.host === undefined || !isLoopback(at.host)) {
    const where = at.host ?? 'all addresses';
    const what = `without TLS the controller does not listen at ${where}`;
    throw new EngineError('USAGE', `${what}; give it a certificate, or 127.0.0.1`);
  }
  const server = createPlainServer((socket: Socket) => onConnection(socket));
  const port = await listen(server, at, counts);
  return { port, replace: () => undefined, close: () => close(server) };
}

function contextOf({ certificate, key }: TlsPair) {
  return { cert: certificate, key };
}

async function listen(server: Server, at: ListenAt, counts: RefusalCounts): Promise<number> {
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: at.port, host: at.host }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  // A connection that cannot be accepted, for want of a descriptor, is no reason to end.
  server.on('error', () => counts.add('too-many'));
  server.on('drop', () => counts.add('too-many'));
  // Of a TCP server that listens, the address is an AddressInfo (node:net).
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  // Not waited for: connections end with their sessions.
  server.close();
  await Promise.resolve();
}
