// Gets one object, or a range of it, whole into memory. The SDK resolves and signs the request and
// understands the answer; what is between, the HTTP, is ours (http/connection.ts says why).

import { throwIfAborted } from '#engine/base/abort.ts';
import { EngineError } from '#engine/base/errors.ts';
import { rangeError, truncatedError } from './blob-id.ts';
import { CutBodyError, contentLengthOf } from './http/answer-body.ts';
import type { AnswerHead } from './http/answer-head.ts';
import type { BodyLimit, Question, ServerAddress } from './http/connection.ts';
import type { Connections } from './http/connections.ts';
import { ERROR_BYTES_MAX, WholeBody } from './s3-answer.ts';
import type { S3Connection, Sdk } from './s3-client.ts';
import { notS3, UnreadError } from './s3-errors.ts';
import { S3_DEFAULTS } from './s3-options.ts';
import type { BlobRange } from './storage.ts';

/**
 * @param input without a range, which is `range`'s
 * @returns memory of its own
 * @throws what the SDK throws, and what Connection.ask throws
 * @throws STORAGE_BLOB_TRUNCATED, STORAGE_RANGE_INVALID, LIMIT_EXCEEDED
 * @throws STORAGE_FAILED the server is none of S3
 */
export async function getObject(
  { sdk, client, gets }: S3Connection,
  { id, range, ...input }: Sdk.GetObjectCommandInput & { id: string; range?: BlobRange },
  abortSignal: AbortSignal,
): Promise<Uint8Array> {
  const Range = range && `bytes=${range.offset}-${range.offset + range.length - 1}`;
  const command = new sdk.GetObjectCommand({ ...input, Range });
  fetchWhole(command, gets, head => limitOf(head, id, range), abortSignal);
  try {
    const { Body: body, ContentRange: contentRange } = await client.send(command, { abortSignal });
    if (!(body instanceof WholeBody)) throw truncatedError(id, range?.length ?? 0, 0);
    requireAll(body.content, id, range, contentRange);
    return body.content;
  } catch (error) {
    if (error instanceof CutBodyError) throw truncatedError(id, error.bytes, error.gotBytes);
    throw error;
  }
}

/** Of an error the status says what it is: rclone's have the blob's length and not a byte. */
function limitOf(head: AnswerHead, id: string, range: BlobRange | undefined): BodyLimit {
  if (head.status >= 300) return { bytesMax: ERROR_BYTES_MAX, isRequired: false };
  const bytes = contentLengthOf(head.headers);
  const misfit = misfitOf(head, bytes, range);
  if (misfit !== undefined) {
    throw notS3(`read ${range ? 'a range of ' : ''}blob ${id}`, 'the bucket', misfit);
  }
  const bytesMax = range?.length ?? S3_DEFAULTS.blobBytesMax;
  if (bytes !== undefined && bytes > bytesMax) {
    throw new EngineError(
      'LIMIT_EXCEEDED',
      `the answer for blob ${id} has more than the ${bytesMax} bytes that can be read at once`,
    );
  }
  return { bytesMax, isRequired: true };
}

/**
 * What comes in the place of what was asked for (RFC 9110 15.3.7: a client has to look). A part may
 * be shorter than asked for, where the blob ends.
 */
function misfitOf(
  { status, headers }: AnswerHead,
  bytes: number | undefined,
  range: BlobRange | undefined,
): string | undefined {
  if (status !== 200 && status !== 206) return `status ${status}`;
  if (!range) {
    if (status === 206) return 'a part of the blob';
    // Else it ends with its connection, which looks the same when the server dies. Node does not
    // tell whether TLS was closed or cut (RFC 9112 9.8), and what is read need not have a hash.
    const isMeasured = bytes !== undefined || headers['transfer-encoding'] !== undefined;
    return isMeasured ? undefined : 'a blob without its length';
  }
  const said = headers['content-range'];
  if (said === undefined) {
    return range.offset === 0 && bytes === range.length ? undefined : 'the whole blob';
  }
  const [, first, last] = /^bytes (\d{1,15})-(\d{1,15})\/(?:\d{1,15}|\*)$/i.exec(said) ?? [];
  const partBytes = Number(last) + 1 - Number(first);
  const isPart = Number(first) === range.offset && partBytes > 0 && partBytes <= range.length;
  return isPart && (bytes ?? partBytes) === partBytes ? undefined : 'another part of it';
}

function requireAll(
  found: Uint8Array,
  id: string,
  range: BlobRange | undefined,
  contentRange: string | undefined,
): void {
  if (!range || found.length === range.length) return;
  const blobBytes = Number(/\/(\d+)$/.exec(contentRange ?? '')?.[1] ?? Number.NaN);
  if (range.offset + range.length > blobBytes) throw rangeError(id, range, blobBytes);
  throw truncatedError(id, range.length, found.length);
}

/** What we use of the SDK's HttpRequest. */
interface SdkRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
}

/** Has the command fetched by us, in the place of the SDK's handler of requests. */
function fetchWhole(
  command: Sdk.GetObjectCommand,
  connections: Connections,
  limit: Question['limitOf'],
  signal: AbortSignal,
): void {
  command.middlewareStack.add(
    () => async args => {
      throwIfAborted(signal);
      // What the steps before have built, for HTTP is what S3 speaks.
      const request = args.request as SdkRequest;
      const text = headOf(request);
      const { head, body } = await connections.ask(
        addressOf(request),
        { limitOf: limit, text },
        signal,
      );
      const { status: statusCode, headers } = head;
      if (!body) throw new UnreadError(statusCode, headers);
      // The SDK fills in `output` from it, further out.
      return {
        response: { statusCode, headers, body: new WholeBody(body) },
        output: undefined as never,
      };
    },
    { step: 'deserialize', priority: 'low', name: 'fetchWhole' },
  );
}

function addressOf({ protocol, hostname, port }: SdkRequest): ServerAddress {
  const isTls = protocol === 'https:';
  // Of an IPv6 address in a URL the brackets are no part.
  return { isTls, host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port ?? (isTls ? 443 : 80) };
}

/** Request line and headers. @throws STORAGE_FAILED one of them would be more than a line */
function headOf({ method, path, query = {}, headers }: SdkRequest): string {
  const parameters = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map(one => (one === null ? escape(name) : `${escape(name)}=${escape(one)}`)),
  );
  const target = parameters.length > 0 ? `${path}?${parameters.join('&')}` : path;
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const lines = [`${method} ${target} HTTP/1.1`, ...fields];
  if (lines.some(line => /[^\t\x20-\x7e]/.test(line))) {
    throw new EngineError(
      'STORAGE_FAILED',
      'a header of the request has a character that it cannot',
    );
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** As requests are signed: all but the unreserved characters of RFC 3986. */
function escape(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
