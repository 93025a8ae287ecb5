// A small HTTP server for what people and programs look at: GET and HEAD alone, nothing is read of
// what is sent along, and each thing that a client can make grow has a bound.

import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { EngineError, messageOf } from '#engine/base/errors.ts';
import { nodeHttp } from '#engine/base/node-http.ts';
import type { ListenAddress } from './config-values.ts';

export interface Asked {
  readonly path: string;
  /** What stands behind the question mark, as it was sent. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** Plain text without it. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface BoundedServerParts {
  readonly address: ListenAddress;
  /** By which the address is set. */
  readonly flag: string;
  readonly answer: (asked: Asked) => Promise<Answer>;
  /** Of what could not be answered. */
  readonly onError: (error: unknown) => void;
}

const CONNECTIONS_MAX = 32;
const HEADERS_MAX = 32;
const HEADER_BYTES_MAX = 8192;
const REQUEST_MS_MAX = 10_000;

export class BoundedServer implements AsyncDisposable {
  readonly #server: Server;
  readonly port: number;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** @throws USAGE when the address cannot be listened on */
  static async listen(parts: BoundedServerParts): Promise<BoundedServer> {
    const options = { maxHeaderSize: HEADER_BYTES_MAX, requestTimeout: REQUEST_MS_MAX };
    const server = nodeHttp.createServer(options, (request, response) => {
      request.resume();
      const { method, url, headers } = request;
      void respond(parts, { method, url, headers }, response);
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
        `cannot listen on ${host ?? ''}:${port}: ${messageOf(error)}; give ${parts.flag} another`,
        { cause: error },
      );
    }
    // A connection that fails later is its client's loss.
    server.on('error', parts.onError);
    // Of a server that listens on a port this is no text.
    return new BoundedServer(server, (server.address() as AddressInfo).port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}

/** The oldest makes room: whoever holds them all must not keep others out. */
function boundConnections(server: Server): void {
  const open = new Set<Socket>();
  server.on('connection', socket => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    const [oldest] = open;
    if (open.size > CONNECTIONS_MAX) oldest?.destroy();
  });
}

interface Request {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

async function respond(
  parts: BoundedServerParts,
  request: Request,
  response: ServerResponse,
): Promise<void> {
  const { status, type, headers, body } = await answerTo(parts, request);
  response.writeHead(status, {
    'content-type': type ?? 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function answerTo(
  { answer, onError }: BoundedServerParts,
  { method, url = '', headers }: Request,
): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') {
    return { status: 405, body: 'GET alone\n', headers: { allow: 'GET, HEAD' } };
  }
  const [path = '', ...query] = url.split('?');
  try {
    return await answer({ path, query: query.join('?'), headers });
  } catch (error) {
    onError(error);
    return { status: 500, body: 'this cannot be shown; the log says why\n' };
  }
}
