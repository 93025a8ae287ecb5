// One HTTP request to an API server: sent once, bounded in time and size, failures as errors with a
// code. Nothing of what was sent or received is put into an error.

import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { abortedError, throwIfAborted } from '#engine/base/abort.ts';
import { EngineError, messageOf, systemCodeOf } from '#engine/base/errors.ts';
import { nodeHttp } from '#engine/base/node-http.ts';
import type { KubeConnection } from './connection.ts';
import { describeTarget, type RequestTarget } from './request-target.ts';
import { statusError, type KubeStatus } from './status-error.ts';

export interface HttpExchange {
  readonly target: RequestTarget;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Beneath the server's address, with its query. */
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

/** From the start of the request to the end of its answer; for a watch to its beginning. */
const REQUEST_MS_MAX = 60_000;
/** etcd takes 1.5 MiB an object; a page of a list has 250. */
const BODY_BYTES_MAX = 64 * 1024 * 1024;
const HEADER_BYTES_MAX = 64 * 1024;
const ERROR_BODY_BYTES_MAX = 256 * 1024;

/** System codes of a connection that was never made. */
const NOT_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** The body of the answer, which is a success. */
export async function exchange(connection: KubeConnection, call: HttpExchange): Promise<string> {
  const deadline = new Deadline(call.target);
  try {
    const response = await send(connection, call, deadline);
    return await readBody(response, call, BODY_BYTES_MAX);
  } catch (error) {
    throw translate(error, call, deadline);
  } finally {
    deadline.clear();
  }
}

/** The answer while it still comes, which is a success; who gets it destroys it. */
export async function openStream(
  connection: KubeConnection,
  call: HttpExchange,
): Promise<IncomingMessage> {
  const deadline = new Deadline(call.target);
  try {
    return await send(connection, call, deadline);
  } catch (error) {
    throw translate(error, call, deadline);
  } finally {
    deadline.clear();
  }
}

/** A timer that destroys what it is given when the time is up. */
class Deadline {
  error: EngineError | undefined;
  readonly #timer: NodeJS.Timeout;
  #victim: { destroy(error: Error): unknown } | undefined;

  constructor(target: RequestTarget) {
    this.#timer = setTimeout(() => {
      this.error = new EngineError(
        'KUBE_TIMEOUT',
        `cannot ${describeTarget(target)}: no answer within ${REQUEST_MS_MAX / 1000} s`,
      );
      this.#victim?.destroy(this.error);
    }, REQUEST_MS_MAX);
  }

  watchOver(victim: { destroy(error: Error): unknown }): void {
    this.#victim = victim;
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}

async function send(
  connection: KubeConnection,
  call: HttpExchange,
  deadline: Deadline,
): Promise<IncomingMessage> {
  throwIfAborted(call.signal);
  const { headers, agent } = await connection.access();
  const { server } = connection;
  const url = new URL(server.pathname.replace(/\/+$/, '') + call.path, server);
  const request = (url.protocol === 'http:' ? nodeHttp.request : httpsRequest)(url, {
    method: call.method,
    agent,
    signal: call.signal,
    maxHeaderSize: HEADER_BYTES_MAX,
    headers: { ...headers, ...ownHeaders(call) },
  });
  deadline.watchOver(request);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    // Stays: a request that dies after its answer began says so here too.
    request.on('error', reject);
    request.end(call.body);
  });
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return response;
  if (status === 401) connection.forgetAccess();
  throw statusError({
    target: call.target,
    status,
    body: await readStatus(response, call),
    retryAfter: response.headers['retry-after'],
  });
}

function ownHeaders({ accept, contentType, body }: HttpExchange): Record<string, string> {
  const headers: Record<string, string> = {
    accept: accept ?? 'application/json',
    'user-agent': 'stevedore',
  };
  if (body !== undefined) {
    headers['content-type'] = contentType ?? 'application/json';
    headers['content-length'] = String(Buffer.byteLength(body));
  }
  return headers;
}

async function readBody(
  response: IncomingMessage,
  { target }: HttpExchange,
  bytesMax: number,
): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > bytesMax) {
      const what = `cannot ${describeTarget(target)}: the answer has more than ${bytesMax} bytes`;
      throw new EngineError('LIMIT_EXCEEDED', what);
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** The Status in the body of a refusal; proxies answer with something else. */
async function readStatus(
  response: IncomingMessage,
  call: HttpExchange,
): Promise<KubeStatus | undefined> {
  const text = await readBody(response, call, ERROR_BODY_BYTES_MAX);
  try {
    const value: unknown = JSON.parse(text);
    const isStatus = typeof value === 'object' && value !== null && 'kind' in value;
    // Every field of KubeStatus is optional and only ever compared or printed.
    return isStatus && value.kind === 'Status' ? (value as KubeStatus) : undefined;
  } catch {
    return undefined;
  }
}

function translate(error: unknown, { target, signal }: HttpExchange, deadline: Deadline): unknown {
  if (signal?.aborted) return abortedError(signal);
  if (deadline.error !== undefined) return deadline.error;
  if (error instanceof EngineError) return error;
  const code = systemCodeOf(error);
  return new EngineError(
    'KUBE_UNAVAILABLE',
    `cannot ${describeTarget(target)}: the API server is not to be reached: ${messageOf(error)}`,
    { cause: error, details: { systemCode: code, wasSent: !NOT_CONNECTED.has(code ?? '') } },
  );
}
