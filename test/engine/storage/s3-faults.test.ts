// What the S3 storage makes of a server in trouble: the right code, soon, and no secret.
import { inspect } from 'node:util';
import t from 'tap';
import type { ErrorCode } from '#engine/base/error-codes.ts';
import { retrying } from '#engine/storage/retrying.ts';
import { openS3 } from '#engine/storage/s3.ts';
import { parseRetryAfter } from '#engine/storage/s3-errors.ts';
import { bytes, failsWith, read } from './storage-asserts.ts';
import {
  answerError,
  CREDENTIALS,
  openFake,
  SECRET,
  startFakeS3,
  type Handler,
} from './fake-s3.ts';

interface Case {
  readonly status: number;
  readonly name: string;
  readonly code: ErrorCode;
  readonly isRetryable: boolean;
}

const CASES: readonly Case[] = [
  { status: 301, name: 'PermanentRedirect', code: 'STORAGE_URL_INVALID', isRetryable: false },
  { status: 302, name: 'Found', code: 'STORAGE_URL_INVALID', isRetryable: false },
  { status: 308, name: 'PermanentRedirect', code: 'STORAGE_URL_INVALID', isRetryable: false },
  { status: 400, name: 'ExpiredToken', code: 'STORAGE_ACCESS_DENIED', isRetryable: false },
  { status: 400, name: 'RequestTimeout', code: 'STORAGE_TIMEOUT', isRetryable: true },
  { status: 400, name: 'BadDigest', code: 'STORAGE_FAILED', isRetryable: true },
  { status: 400, name: 'InvalidRequest', code: 'STORAGE_FAILED', isRetryable: false },
  { status: 403, name: 'AccessDenied', code: 'STORAGE_ACCESS_DENIED', isRetryable: false },
  { status: 403, name: 'InvalidAccessKeyId', code: 'STORAGE_ACCESS_DENIED', isRetryable: false },
  { status: 403, name: 'RequestTimeTooSkewed', code: 'CLOCK_SKEW', isRetryable: false },
  { status: 404, name: 'NoSuchBucket', code: 'STORAGE_NOT_FOUND', isRetryable: false },
  { status: 404, name: 'NoSuchKey', code: 'STORAGE_BLOB_NOT_FOUND', isRetryable: false },
  { status: 408, name: 'Whatever', code: 'STORAGE_TIMEOUT', isRetryable: true },
  { status: 429, name: 'TooManyRequests', code: 'STORAGE_THROTTLED', isRetryable: true },
  { status: 500, name: 'InternalError', code: 'STORAGE_UNAVAILABLE', isRetryable: true },
  { status: 501, name: 'NotImplemented', code: 'STORAGE_FAILED', isRetryable: false },
  { status: 502, name: 'BadGateway', code: 'STORAGE_UNAVAILABLE', isRetryable: true },
  { status: 503, name: 'ServiceUnavailable', code: 'STORAGE_UNAVAILABLE', isRetryable: true },
  { status: 503, name: 'SlowDown', code: 'STORAGE_THROTTLED', isRetryable: true },
  { status: 507, name: 'InsufficientStorage', code: 'STORAGE_FULL', isRetryable: false },
  { status: 500, name: 'XMinioStorageFull', code: 'STORAGE_FULL', isRetryable: false },
];

t.test('each answer has its code, for get and for put', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake);
  for (const { status, name, code, isRetryable } of CASES) {
    fake.play((_request, response) => answerError(response, status, name, 'says the server'));
    const error = await failsWith(t, code, () => storage.get('blob'));
    t.equal(error?.retryable, isRetryable, `${status} ${name}`);
    if (code !== 'STORAGE_BLOB_NOT_FOUND') {
      await failsWith(t, code, () => storage.put('blob', [bytes('x')]));
      t.match(error?.message, name);
    }
    t.notMatch(inspect(error, { depth: 9, showHidden: true }), SECRET);
    t.notMatch(inspect(error, { depth: 9, showHidden: true }), /Signature=/);
  }
});

t.test('Retry-After is handed on, as seconds and as a date', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake);
  for (const status of [429, 503]) {
    const headers = { 'retry-after': '7' };
    fake.play((_request, response) => answerError(response, status, 'SlowDown', 'slow', headers));
    const error = await failsWith(t, 'STORAGE_THROTTLED', () => storage.get('blob'));
    t.equal(error?.details.retryAfterMs, 7000);
  }
  const nowMs = Date.UTC(2026, 0, 1);
  t.equal(parseRetryAfter('Thu, 01 Jan 2026 00:00:30 GMT', nowMs), 30_000);
  t.equal(parseRetryAfter('Thu, 01 Jan 2025 00:00:30 GMT', nowMs), 0);
  t.equal(parseRetryAfter('soon', nowMs), undefined);
  t.equal(parseRetryAfter(undefined, nowMs), undefined);
});

t.test('a put without proof of storing is a failure', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake);
  fake.play((_request, response) => response.writeHead(200).end());
  await failsWith(t, 'STORAGE_FAILED', () => storage.put('blob', [bytes('x')]));
});

const BROKEN: Readonly<Record<string, { play: Handler; code: ErrorCode }>> = {
  'dies in the middle of a body': {
    code: 'STORAGE_BLOB_TRUNCATED',
    play: (_request, response, socket) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('only some', () => socket.destroy());
    },
  },
  'resets the connection in the middle of a body': {
    code: 'STORAGE_BLOB_TRUNCATED',
    play: (_request, response, socket) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('only some', () => socket.resetAndDestroy());
    },
  },
  'stalls in the middle of a body': {
    code: 'STORAGE_TIMEOUT',
    play: (_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('only some');
    },
  },
  'never answers': { code: 'STORAGE_TIMEOUT', play: () => undefined },
  'hangs up without an answer': {
    code: 'STORAGE_UNAVAILABLE',
    play: (_request, _response, socket) => socket.destroy(),
  },
  'resets the connection': {
    code: 'STORAGE_UNAVAILABLE',
    play: (_request, _response, socket) => socket.resetAndDestroy(),
  },
  'answers something that is not HTTP': {
    code: 'STORAGE_FAILED',
    play: (_request, _response, socket) => socket.end('220 mail.example.org ESMTP\r\n'),
  },
};

for (const [trouble, { play, code }] of Object.entries(BROKEN)) {
  t.test(`a server that ${trouble} gives ${code} for a get`, async t => {
    const fake = await startFakeS3(t);
    const idleTimeoutMs = code === 'STORAGE_TIMEOUT' ? 150 : 10_000;
    const storage = await openFake(t, fake, { idleTimeoutMs });
    fake.play(play);
    const error = await failsWith(t, code, () => storage.get('blob'));
    t.equal(error?.retryable, code !== 'STORAGE_FAILED');
    fake.play((_request, response) => response.end('abc'));
    t.equal(await read(storage, 'blob'), 'abc', 'and the next request works');
  });
}

for (const trouble of ['never answers', 'hangs up without an answer', 'resets the connection']) {
  t.test(`a server that ${trouble} fails a put`, async t => {
    const fake = await startFakeS3(t);
    // Long enough for what is not about silence, on a machine that does other things as well.
    const idleTimeoutMs = trouble === 'never answers' ? 150 : 10_000;
    const storage = await openFake(t, fake, { idleTimeoutMs });
    const { play, code } = BROKEN[trouble] ?? { play: () => undefined, code: 'INTERNAL' };
    fake.play(play);
    const large = new Uint8Array(3_000_000);
    await failsWith(t, code, () => storage.put('blob', [large]));
    await failsWith(t, code, () => storage.put('blob', [large, large]));
  });
}

t.test('a body that trickles for ever ends at the time of the request', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake, { requestTimeoutMs: 300, idleTimeoutMs: 200 });
  fake.play((_request, response) => {
    response.writeHead(200, { 'content-length': '1000000' });
    const timer = setInterval(() => response.write('.'), 10);
    response.on('close', () => clearInterval(timer));
  });
  await failsWith(t, 'STORAGE_TIMEOUT', () => storage.get('blob'));
});

t.test('an abort ends a get and a put that wait', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake);
  for (const work of ['get', 'put'] as const) {
    const controller = new AbortController();
    const { signal } = controller;
    fake.play(() => controller.abort());
    await failsWith(t, 'ABORTED', () =>
      work === 'get' ? storage.get('b', { signal }) : storage.put('b', [bytes('x')], { signal }),
    );
  }
});

t.test('credentials that never come hold nobody longer than a request may take', async t => {
  const fake = await startFakeS3(t);
  let isStuck = false;
  const stuck = Promise.withResolvers<typeof CREDENTIALS>();
  const credentials = async () => (isStuck ? stuck.promise : CREDENTIALS);
  const storage = await openFake(t, fake, { credentials, requestTimeoutMs: 200 });
  isStuck = true;
  await failsWith(t, 'STORAGE_TIMEOUT', () => storage.get('b'));
  await failsWith(t, 'STORAGE_TIMEOUT', () => storage.put('b', [bytes('x')]));
  await failsWith(t, 'STORAGE_TIMEOUT', () => storage.head('b'));
  const controller = new AbortController();
  const { signal } = controller;
  const given = failsWith(t, 'ABORTED', () => storage.put('b', [bytes('x')], { signal }));
  setImmediate(() => controller.abort());
  await given;
  stuck.resolve(CREDENTIALS);
  isStuck = false;
  fake.play((_request, response) => response.end('x'));
  t.equal(await read(storage, 'b'), 'x');
  t.same(
    fake.seen.map(({ method }) => method),
    ['GET'],
    'what was given up is not sent afterwards',
  );
});

t.test('no server, and no such host, are unavailability', async t => {
  const common = { bucket: 'b', prefix: '', credentials: CREDENTIALS, connectTimeoutMs: 1500 };
  const fake = await startFakeS3(t);
  const gone = await openFake(t, fake);
  await gone.close();
  const unused = openS3({ ...common, endpoint: 'http://127.0.0.1:1' });
  await failsWith(t, 'STORAGE_UNAVAILABLE', () => unused);
  const unknown = openS3({ ...common, endpoint: 'http://no-such-host.invalid' });
  await failsWith(t, 'STORAGE_UNAVAILABLE', () => unknown);
});

t.test('a put that is tried again sends its body again, pieces and all', async t => {
  const fake = await startFakeS3(t);
  const raw = await openFake(t, fake);
  const policy = {
    attemptsMax: 4,
    firstDelayMs: 1,
    delayMsMax: 2,
    retryAfterMsMax: 1,
    totalMsMax: 10_000,
  };
  const storage = retrying(raw, { policy });
  fake.play((request, response) => {
    if (fake.seen.length < 4)
      answerError(response, 503, 'SlowDown', 'slow', { 'retry-after': '9' });
    else response.writeHead(200, { etag: '"x"' }).end(String(request.body.length));
  });
  const pieces = [new Uint8Array(100_000).fill(1), new Uint8Array(200_000).fill(2), bytes('end')];
  await storage.put('blob', pieces);
  t.equal(fake.seen.length, 4);
  for (const { body } of fake.seen) t.ok(body.equals(Buffer.concat(pieces)));
});

t.test('no more connections than the parallelism, and those are kept', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake, { parallelism: 3 });
  let active = 0;
  let most = 0;
  fake.play((_request, response) => {
    most = Math.max(most, ++active);
    setImmediate(() => {
      active--;
      response.end('abc');
    });
  });
  await Promise.all(Array.from({ length: 40 }, (_, index) => storage.get(`b${index}`)));
  t.ok(most <= 3, `${most} at once`);
  t.ok(fake.connections() <= 4, `${fake.connections()} connections for 41 requests`);
});

t.test('a kept connection that the server has ended is no failure', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake);
  const used = new WeakSet<object>();
  // It ends as soon as another request is there: nobody could have known before.
  const ending: Handler = (request, response, socket) => {
    if (used.has(socket)) return void socket.destroy();
    used.add(socket);
    if (request.method === 'PUT') response.setHeader('etag', '"x"');
    if (request.method === 'HEAD') response.setHeader('content-length', 1);
    response.setHeader('last-modified', 'Thu, 01 Jan 2026 00:00:00 GMT').end();
  };
  fake.play(ending);
  const pieces = [bytes('one'), bytes('two')];
  await storage.put('a', pieces);
  fake.seen.length = 0;
  for (const work of [
    () => storage.put('a', pieces),
    () => storage.head('a'),
    () => storage.delete('a'),
    () => Promise.all([1, 2, 3, 4, 5].map(() => storage.put('a', pieces))),
    () => Promise.all([1, 2, 3, 4, 5].map(() => storage.put('a', pieces))),
  ]) {
    await work();
  }
  for (const { method, body } of fake.seen) {
    if (method === 'PUT') t.equal(String(body), 'onetwo');
  }
  // It may have been stored: it is for whoever tries again to look whose it is.
  fake.play((_request, response) => answerError(response, 404, 'NoSuchKey', 'none'));
  const conditional = await openFake(t, fake, { conditionalPut: 'always' });
  fake.play(ending);
  await conditional.put('a', pieces, { ifAbsent: true });
  const lost = () => conditional.put('a', pieces, { ifAbsent: true });
  await failsWith(t, 'STORAGE_UNAVAILABLE', lost);
});

t.test('opening asks again when the server is busy, if told to', async t => {
  const fake = await startFakeS3(t);
  fake.play((_request, response) => {
    if (fake.seen.length < 3) answerError(response, 500, 'InternalError', 'oh');
    else answerError(response, 404, 'NoSuchKey', 'none');
  });
  const options = {
    bucket: 'b',
    prefix: '',
    region: 'us-east-1',
    endpoint: fake.endpoint,
    credentials: CREDENTIALS,
  };
  await failsWith(t, 'STORAGE_UNAVAILABLE', () => openS3(options));
  const storage = await openS3(options, { retry: { random: () => 0 } });
  await storage.close();
  t.equal(fake.seen.length, 3);
});
