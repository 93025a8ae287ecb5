// `/metrics`, `/healthz` and `/readyz` on one small HTTP server. Everybody in the cluster may ask,
// so each thing that a client can make grow has a bound, and nothing it says is used.

import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { EngineError, messageOf } from '#engine/base/errors.ts';
import { nodeHttp } from '#engine/base/node-http.ts';
import type { ListenAddress } from './config-values.ts';
import type { Log } from './log.ts';
import type { Readiness } from './readiness.ts';

export interface HealthParts {
  readonly address: ListenAddress;
  readonly readiness: Pick<Readiness, 'isReady' | 'text' | 'fault'>;
  /** Prometheus' text, and its content type. */
  readonly registry: { metrics(): Promise<string>; readonly contentType: string };
  /** Of what could not be answered. */
  readonly onError: (error: unknown) => void;
}

/** As each program of ours that stays begins. @throws USAGE; see HealthServer.listen */
export async function serveHealth({
  log,
  ...parts
}: Omit<HealthParts, 'onError'> & { readonly log: Log }): Promise<HealthServer> {
  const onError = (error: unknown): void => log.warn({ error }, 'health server failed');
  const health = await HealthServer.listen({ ...parts, onError });
  log.info({ port: health.port }, 'metrics are served');
  return health;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

const CONNECTIONS_MAX = 32;
const HEADERS_MAX = 32;
const HEADER_BYTES_MAX = 8192;
const REQUEST_MS_MAX = 10_000;

export class HealthServer implements AsyncDisposable {
  readonly #server: Server;
  readonly port: number;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** @throws USAGE when the address cannot be listened on */
  static async listen(parts: HealthParts): Promise<HealthServer> {
    const options = { maxHeaderSize: HEADER_BYTES_MAX, requestTimeout: REQUEST_MS_MAX };
    const server = nodeHttp.createServer(options, (request, response) => {
      request.resume();
      void respond(parts, request.method, request.url, response);
    });
    boundConnections(server);
    server.maxHeadersCount = HEADERS_MAX;
    server.headersTimeout = REQUEST_MS_MAX;
    const { host, port } = parts.address;
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host, port }, resolve);
      });
    } catch (error) {
      throw new EngineError(
        'USAGE',
        `cannot listen on ${host ?? ''}:${port}: ${messageOf(error)}; ` +
          'give --metrics-address another',
        { cause: error },
      );
    }
    // A connection that fails later is its client's loss.
    server.on('error', parts.onError);
    // Of a server that listens on a port this is no text.
    return new HealthServer(server, (server.address() as AddressInfo).port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}

/** The oldest makes room: whoever holds them all must not keep the kubelet's probes out. */
function boundConnections(server: Server): void {
  const open = new Set<Socket>();
  server.on('connection', socket => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    const [oldest] = open;
    if (open.size > CONNECTIONS_MAX) oldest?.destroy();
  });
}

async function respond(
  parts: HealthParts,
  method: string | undefined,
  url: string | undefined,
  response: ServerResponse,
): Promise<void> {
  const answer = await answerTo(parts, method, url);
  response.writeHead(answer.status, {
    'content-type': answer.type ?? 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
  });
  response.end(method === 'HEAD' ? undefined : answer.body);
}

async function answerTo(
  { readiness, registry, onError }: HealthParts,
  method: string | undefined,
  url = '',
): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: 'GET alone\n' };
  const [path] = url.split('?', 1);
  switch (path) {
    case '/healthz':
      return readiness.fault === undefined
        ? { status: 200, body: 'ok\n' }
        : { status: 503, body: `${readiness.fault}\n` };
    case '/readyz':
      return { status: readiness.isReady ? 200 : 503, body: readiness.text };
    case '/metrics':
      try {
        return { status: 200, body: await registry.metrics(), type: registry.contentType };
      } catch (error) {
        onError(error);
        return { status: 500, body: 'the metrics cannot be read; the log says why\n' };
      }
    default:
      return { status: 404, body: 'there are /metrics, /healthz and /readyz\n' };
  }
}
