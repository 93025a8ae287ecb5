// An HTTP(S) server of our own that plays an S3 server in trouble. A test gives it one handler per
// request; it keeps what it was sent.

import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { ServerResponse } from 'node:http';
import type { Test } from 'tap';
import { openS3, type S3Storage } from '#engine/storage/s3.ts';
import type { S3Options } from '#engine/storage/s3-options.ts';

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Called when the request's body is there. */
export type Handler = (request: SeenRequest, response: ServerResponse, socket: Socket) => void;

export interface FakeS3 {
  readonly endpoint: string;
  readonly seen: SeenRequest[];
  /** Connections that were ever made. */
  connections(): number;
  /** What answers from now on. */
  play(handler: Handler): void;
}

export const SECRET = 'TheSecretAccessKeyThatNobodyMayRead';
export const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: SECRET };
export const ABSENT: Handler = (_request, response) =>
  answerError(response, 404, 'NoSuchKey', 'The specified key does not exist.');

export async function startFakeS3(
  t: Test,
  tls?: { readonly key: string; readonly cert: string },
): Promise<FakeS3> {
  let handler = ABSENT;
  let connections = 0;
  const seen: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  const listener: RequestListener = (message, response) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('error', () => undefined);
    message.on('end', () => {
      const { method = '', url = '', headers } = message;
      const request = { method, url, headers, body: Buffer.concat(chunks) };
      seen.push(request);
      handler(request, response, message.socket);
    });
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise(resolve => server.close(resolve));
  });
  // A listening TCP server has an address of this form.
  const { port } = server.address() as AddressInfo;
  const endpoint = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;
  return {
    endpoint,
    seen,
    connections: () => connections,
    play: next => (handler = next),
  };
}

/** A storage on the fake server, closed when the test ends; what opening asked is dropped. */
export async function openFake(
  t: Test,
  fake: FakeS3,
  options: Partial<S3Options> = {},
): Promise<S3Storage> {
  const storage = await openS3({
    bucket: 'bucket',
    prefix: 'pre/',
    endpoint: fake.endpoint,
    region: 'us-east-1',
    credentials: CREDENTIALS,
    ...options,
  });
  fake.seen.length = 0;
  t.teardown(() => storage.close());
  return storage;
}

/** What a server adds to its answer that has compared the checksums of a put. */
export function confirmedChecksums({ headers }: SeenRequest): Record<string, string> {
  const isChecksum = (name: string): boolean => name.startsWith('x-amz-checksum-');
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      isChecksum(name) ? [[name, String(value)]] : [],
    ),
  );
}

export function answerError(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): void {
  const body =
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<Error><Code>${code}</Code><Message>${message}</Message><RequestId>R1</RequestId></Error>`;
  response.writeHead(status, { 'content-type': 'application/xml', ...headers }).end(body);
}

export function answerListing(response: ServerResponse, keys: readonly string[]): void {
  const time = '<LastModified>2026-01-02T03:04:05.000Z</LastModified>';
  const entries = keys.map(key => `<Contents><Key>${key}</Key>${time}<Size>3</Size></Contents>`);
  const body =
    '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>bucket</Name>' +
    `<IsTruncated>false</IsTruncated>${entries.join('')}</ListBucketResult>`;
  response.writeHead(200, { 'content-type': 'application/xml' }).end(body);
}
