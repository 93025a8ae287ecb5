// Answers of S3, read whole as far as they can be answers: the SDK gathers whatever comes.
// Those to GetObject come from s3-get.ts.

import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { EngineError } from '#engine/base/errors.ts';
import { nodeHttp } from '#engine/base/node-http.ts';
import type { Sdk } from './s3-client.ts';
import { UnreadError } from './s3-errors.ts';

/** An error of S3's is some hundred bytes of XML. */
export const ERROR_BYTES_MAX = 1024 * 1024;
/**
 * A page of a listing has at most 1000 keys of 1024 bytes, each of them six in XML at worst, and
 * some 500 bytes beside each key.
 */
const PAGE_BYTES_MAX = 16 * 1024 * 1024;

/** The body of an answer that we fetched; of an error the SDK reads it as a stream. */
export class WholeBody extends Readable {
  readonly content: Uint8Array;

  constructor(content: Uint8Array) {
    super();
    this.content = content;
  }

  override _read(): void {
    this.push(this.content);
    this.push(null);
  }
}

/** What we use of the SDK's HttpResponse. */
interface SdkResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  body?: unknown;
}

/** From now on `client` ends an answer that is too long, with LIMIT_EXCEEDED or by its status. */
export function boundAnswers(client: Sdk.S3Client): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async args => {
        const result = await next(args);
        // What the SDK's handler of requests returns is an HTTP response.
        const response = result.response as SdkResponse;
        const { body, statusCode } = response;
        const isBlob = commandName === 'GetObjectCommand' && statusCode < 300;
        if (body instanceof nodeHttp.IncomingMessage && !isBlob) {
          response.body = new WholeBody(await readAnswer(response, body));
        }
        return result;
      },
    { step: 'deserialize', priority: 'low', name: 'boundAnswers' },
  );
}

/** @throws UnreadError, LIMIT_EXCEEDED, and the errors of Node's streams */
async function readAnswer(
  { statusCode, headers }: SdkResponse,
  body: IncomingMessage,
): Promise<Uint8Array> {
  if (statusCode < 300) return readWithin(PAGE_BYTES_MAX, body);
  try {
    return await readWithin(ERROR_BYTES_MAX, body);
  } catch {
    // The status says what it is.
    throw new UnreadError(statusCode, headers);
  }
}

async function readWithin(bytesMax: number, body: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Whoever leaves the loop ends the connection. Without an encoding each is a buffer.
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      throw new EngineError(
        'LIMIT_EXCEEDED',
        `the answer has more than the ${bytesMax} bytes that it can have`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
