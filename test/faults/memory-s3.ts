// A sound S3 server in memory, as a handler of the fake one: what the tests put troubles in front
// of.

import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import {
  answerError,
  confirmedChecksums,
  type Handler,
  type SeenRequest,
} from '#test/engine/storage/fake-s3.ts';

interface StoredObject {
  readonly bytes: Buffer;
  readonly modified: Date;
}

export class MemoryS3 {
  readonly #objects: Map<string, StoredObject>;

  constructor(objects: ReadonlyMap<string, StoredObject> = new Map()) {
    this.#objects = new Map(objects);
  }

  /** Another server with the same objects. */
  copy(): MemoryS3 {
    return new MemoryS3(this.#objects);
  }

  readonly handle: Handler = (request, response) => {
    const url = new URL(request.url, 'http://localhost');
    // Path style: /bucket/key
    const key = decodeURIComponent(url.pathname.split('/').slice(2).join('/'));
    if (request.method === 'PUT') return this.#put(key, request, response);
    if (request.method === 'DELETE') {
      this.#objects.delete(key);
      response.writeHead(204).end();
      return;
    }
    if (key === '') return this.#list(url.searchParams.get('prefix') ?? '', response);
    this.#get(key, request, response);
  };

  #put(key: string, request: SeenRequest, response: ServerResponse): void {
    const { headers, body } = request;
    if (headers['if-none-match'] === '*' && this.#objects.has(key)) {
      return answerError(response, 412, 'PreconditionFailed', 'it is there');
    }
    this.#objects.set(key, { bytes: body, modified: new Date() });
    const digest = createHash('md5').update(body).digest('hex');
    response.writeHead(200, { etag: `"${digest}"`, ...confirmedChecksums(request) }).end();
  }

  #get(key: string, { method, headers }: SeenRequest, response: ServerResponse): void {
    const found = this.#objects.get(key);
    if (!found) return answerError(response, 404, 'NoSuchKey', 'The key does not exist.');
    const { bytes, modified } = found;
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '');
    const first = Number(range?.[1] ?? 0);
    const end = range ? Math.min(Number(range[2]) + 1, bytes.length) : bytes.length;
    response.writeHead(range ? 206 : 200, {
      'content-length': String(end - first),
      'last-modified': modified.toUTCString(),
      ...(range && { 'content-range': `bytes ${first}-${end - 1}/${bytes.length}` }),
    });
    response.end(method === 'HEAD' ? undefined : bytes.subarray(first, end));
  }

  #list(prefix: string, response: ServerResponse): void {
    const entries = [...this.#objects]
      .filter(([key]) => key.startsWith(prefix))
      .map(
        ([key, { bytes, modified }]) =>
          `<Contents><Key>${key}</Key><LastModified>${modified.toISOString()}</LastModified>` +
          `<Size>${bytes.length}</Size></Contents>`,
      );
    const body =
      '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>bucket</Name>' +
      `<IsTruncated>false</IsTruncated>${entries.join('')}</ListBucketResult>`;
    response.writeHead(200, { 'content-type': 'application/xml' }).end(body);
  }
}
