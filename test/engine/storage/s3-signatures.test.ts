// What the S3 storage does when it cannot sign, or signs at a time that the server finds wrong.
import { writeFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { retrying } from '#engine/storage/retrying.ts';
import { openS3 } from '#engine/storage/s3.ts';
import { cleanEnvironment } from './clean-environment.ts';
import {
  ABSENT,
  answerError,
  answerListing,
  CREDENTIALS,
  openFake,
  startFakeS3,
  type Handler,
} from './fake-s3.ts';
import { bytes, failsWith, ids, read } from './storage-asserts.ts';

const HOUR_MS = 3_600_000;
/** Amazon's bound. */
const SKEW_MS_MAX = 15 * 60_000;

/** A server whose clock is ahead by `aheadMs` and says so; the rest is for `handler`. */
function ahead(aheadMs: number, handler: Handler): Handler {
  return (request, response, socket) => {
    const now = Date.now() + aheadMs;
    response.setHeader('date', new Date(now).toUTCString());
    const said = String(request.headers['x-amz-date']);
    const [, day, hour] = /^(\d{8})T(\d{6})Z$/.exec(said) ?? [];
    const iso = `${day} ${hour}`.replace(/(....)(..)(..) (..)(..)(..)/, '$1-$2-$3T$4:$5:$6Z');
    if (Math.abs(Date.parse(iso) - now) < SKEW_MS_MAX) handler(request, response, socket);
    else if (request.method === 'HEAD') response.writeHead(403).end();
    else answerError(response, 403, 'RequestTimeTooSkewed', 'The difference is too large.');
  };
}

const SERVED: Handler = (request, response) => {
  if (request.method === 'PUT') response.setHeader('etag', '"x"');
  if (request.method === 'HEAD') response.setHeader('content-length', 3);
  response.setHeader('last-modified', 'Thu, 01 Jan 2026 00:00:00 GMT');
  if (request.url.includes('list-type')) answerListing(response, ['pre/a']);
  else response.end(request.method === 'HEAD' ? undefined : 'abc');
};

t.test('a clock that is an hour off is corrected by the server, for each request', async t => {
  const fake = await startFakeS3(t);
  const works = {
    GET: async () => {
      const storage = await openFake(t, fake);
      fake.play(ahead(HOUR_MS, SERVED));
      t.equal(await read(storage, 'a'), 'abc');
    },
    PUT: async () => {
      const storage = await openFake(t, fake);
      fake.play(ahead(-HOUR_MS, SERVED));
      await storage.put('a', [bytes('abc'), bytes('def')]);
      t.same(String(fake.seen[1]?.body), 'abcdef');
    },
    HEAD: async () => {
      const storage = await openFake(t, fake);
      fake.play(ahead(HOUR_MS, SERVED));
      await storage.head('a');
    },
    DELETE: async () => {
      const storage = await openFake(t, fake);
      fake.play(ahead(HOUR_MS, SERVED));
      await storage.delete('a');
    },
    LIST: async () => {
      const storage = await openFake(t, fake);
      fake.play(ahead(HOUR_MS, SERVED));
      t.same(await ids(storage, ''), ['a']);
    },
  };
  for (const [method, work] of Object.entries(works)) {
    fake.play(ABSENT);
    await work();
    t.equal(fake.seen.length, 2, method);
  }
});

t.test('many requests at once meet a wrong clock together', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake);
  fake.play(ahead(HOUR_MS, SERVED));
  const work = [1, 2, 3, 4].flatMap(() => [
    storage.get('a'),
    storage.put('b', [bytes('x')]),
    storage.head('c'),
  ]);
  await Promise.all(work);
  t.ok(fake.seen.length <= 2 * work.length, `${fake.seen.length} requests`);
});

t.test('a server that finds every time wrong is asked twice', async t => {
  const fake = await startFakeS3(t);
  for (const work of ['get', 'put'] as const) {
    fake.play(ABSENT);
    const storage = await openFake(t, fake);
    const refused: Handler = (_request, response) =>
      answerError(response, 403, 'RequestTimeTooSkewed', 'The difference is too large.', {
        date: new Date(Date.now() + HOUR_MS).toUTCString(),
      });
    fake.play(refused);
    const error = await failsWith(t, 'CLOCK_SKEW', () =>
      work === 'get' ? storage.get('a') : storage.put('a', [bytes('x')]),
    );
    t.match(error?.message, /RequestTimeTooSkewed: The difference is too large.; set this machine/);
    t.equal(error?.retryable, false);
    t.equal(fake.seen.length, 2, work);
  }
});

const STS_NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';
/** Over as soon as it is given: each request asks again. */
const ROLE =
  `<AssumeRoleWithWebIdentityResponse xmlns="${STS_NAMESPACE}"><AssumeRoleWithWebIdentityResult>` +
  '<Credentials><AccessKeyId>AKID</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>' +
  '<SessionToken>token</SessionToken><Expiration>2026-01-01T00:00:00Z</Expiration></Credentials>' +
  '</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>';

t.test('a token that is being rotated and an STS that fails are waited for', async t => {
  const sts = await startFakeS3(t);
  const fake = await startFakeS3(t);
  const token = join(t.testdir({ token: 'first' }), 'token');
  cleanEnvironment(t, {
    AWS_WEB_IDENTITY_TOKEN_FILE: token,
    AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/mover',
    AWS_ENDPOINT_URL_STS: sts.endpoint,
  });
  const given: Handler = (_request, response) => response.end(ROLE);
  const failing: Handler = (_request, response) =>
    answerError(response, 503, 'ServiceUnavailable', 'of STS');
  sts.play(failing);
  const unopened = () => openFake(t, fake, { credentials: undefined });
  const error = await failsWith(t, 'STORAGE_CREDENTIALS_MISSING', unopened);
  t.equal(error?.retryable, false, 'there never were any');
  sts.play(given);
  const storage = await unopened();
  fake.play(SERVED);
  t.equal(await read(storage, 'a'), 'abc');

  rmSync(token);
  const code = 'STORAGE_CREDENTIALS_MISSING';
  const missing = await failsWith(t, code, () => storage.get('a'));
  t.match(missing, { retryable: true, message: /ENOENT/ });
  writeFileSync(token, 'second');
  sts.play(failing);
  const failed = await failsWith(t, code, () => storage.put('a', [bytes('x')]));
  t.match(failed, { retryable: true, message: /of STS/ });
  const onRetry = () => sts.play(given);
  await retrying(storage, { onRetry }).put('a', [bytes('x')]);
  t.equal(await read(storage, 'a'), 'abc');
});

t.test('a source of credentials that fails is waited for once it has given some', async t => {
  const fake = await startFakeS3(t);
  let failures = 1;
  const credentials = async () => {
    if (failures-- > 0) throw new Error('no answer');
    return CREDENTIALS;
  };
  const options = { bucket: 'b', prefix: '', endpoint: fake.endpoint, credentials };
  const error = await failsWith(t, 'STORAGE_CREDENTIALS_MISSING', () => openS3(options));
  t.equal(error?.retryable, false);
  const storage = await openFake(t, fake, { credentials });
  fake.play(SERVED);
  failures = 1;
  t.equal(await read(retrying(storage, { random: () => 0 }), 'a'), 'abc');
});
