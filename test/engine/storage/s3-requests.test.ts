// What the S3 storage sends: checksums, encryption, locks, storage classes, credentials, TLS.
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import t from 'tap';
import { openStorageAt } from '#engine/storage/open-storage.ts';
import { openS3 } from '#engine/storage/s3.ts';
import { makeAuthority, makePair } from '#test/support/certificates.ts';
import { cleanEnvironment } from './clean-environment.ts';
import { bytes, failsWith, read } from './storage-asserts.ts';
import {
  ABSENT,
  answerError,
  confirmedChecksums,
  CREDENTIALS,
  openFake,
  startFakeS3,
  type Handler,
} from './fake-s3.ts';

const STORED: Handler = (request, response) =>
  response.writeHead(200, { etag: '"x"', ...confirmedChecksums(request) }).end();

t.test('a put is one request with length, checksum, type and a signed body', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake);
  fake.play(STORED);
  await storage.put('first', [bytes('x')]);
  for (const pieces of [[bytes('onetwo')], [bytes('one'), bytes('two')], []]) {
    fake.seen.length = 0;
    await storage.put('p1', pieces);
    const body = Buffer.concat(pieces);
    const [request] = fake.seen;
    t.match(request, { method: 'PUT', url: '/bucket/pre/p1?x-id=PutObject' });
    t.ok(request?.body.equals(body));
    t.match(request?.headers, {
      'content-length': String(body.length),
      'x-amz-checksum-crc32': base64OfCrc(crc32(body)),
      'content-type': 'application/x-kopia',
      'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'),
    });
    const names = Object.keys(request?.headers ?? {});
    const odd = /checksum-(?!crc32$)|md5|trailer|expect|transfer|encoding/;
    t.same(
      names.filter(name => odd.test(name)),
      [],
      'plain',
    );
    t.equal(fake.seen.length, 1);
  }
});

t.test('encryption, lock and storage class are headers of the put', async t => {
  const fake = await startFakeS3(t);
  const rules = '{"blobOptions":[{"prefix":"p","storageClass":"COLD"},{"storageClass":"WARM"}]}';
  fake.play((_request, response) => response.end(rules));
  const kms = { kind: 'aws:kms' as const, keyId: 'the-key' };
  const storage = await openFake(t, fake, { encryption: kms });
  fake.play(STORED);
  const retention = { mode: 'COMPLIANCE' as const, untilMs: Date.UTC(2030, 0, 2, 3, 4, 5) };
  await storage.put('p1', [bytes('x')], { retention });
  t.match(fake.seen[0]?.headers, {
    'x-amz-server-side-encryption': 'aws:kms',
    'x-amz-server-side-encryption-aws-kms-key-id': 'the-key',
    'x-amz-object-lock-mode': 'COMPLIANCE',
    'x-amz-object-lock-retain-until-date': /^2030-01-02T03:04:05(\.000)?Z$/,
    'x-amz-storage-class': 'COLD',
  });
  await storage.put('q1', [bytes('x')]);
  t.match(fake.seen[1]?.headers, { 'x-amz-storage-class': 'WARM' });
  t.notOk(fake.seen[1]?.headers['x-amz-object-lock-mode']);
});

t.test('tags go with every put', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake, { tagging: 'team=a&kind=backup' });
  fake.play(STORED);
  await storage.put('p1', [bytes('x')]);
  t.equal(fake.seen[0]?.headers['x-amz-tagging'], 'team=a&kind=backup');
});

t.test('a source of credentials is asked again for every request', async t => {
  const fake = await startFakeS3(t);
  let accessKeyId = 'AKFIRST';
  const credentials = () => Promise.resolve({ ...CREDENTIALS, accessKeyId });
  const storage = await openFake(t, fake, { credentials });
  fake.play(STORED);
  await storage.put('p1', [bytes('x')]);
  accessKeyId = 'AKSECOND';
  await storage.put('p2', [bytes('x')]);
  const used = fake.seen.map(({ headers }) => /Credential=(\w+)/.exec(headers.authorization ?? ''));
  t.same(
    used.map(match => match?.[1]),
    ['AKFIRST', 'AKSECOND'],
  );
});

t.test('a place that is no URL is opened with all that can be said of it', async t => {
  const fake = await startFakeS3(t);
  const s3 = { bucket: 'b', prefix: 'kopia/ns/', endpoint: fake.endpoint, tagging: 'a=b' };
  await using storage = new AsyncDisposableStack();
  const opened = await openStorageAt({ scheme: 's3', s3: { ...s3, credentials: CREDENTIALS } });
  storage.defer(() => opened.close());
  fake.play(STORED);
  await opened.put('p1', [bytes('x')]);
  t.match(fake.seen.at(-1), { url: '/b/kopia/ns/p1?x-id=PutObject' });
  t.equal(fake.seen.at(-1)?.headers['x-amz-tagging'], 'a=b');
  const directory = t.testdir({ repository: {} });
  const files = await openStorageAt({ scheme: 'file', directory: `${directory}/repository` });
  await files.put('p1', [bytes('x')]);
  t.equal(await read(files, 'p1'), 'x');
  await files.close();
  const absent = { scheme: 'file', directory: `${directory}/absent` } as const;
  await failsWith(t, 'STORAGE_NOT_FOUND', () => openStorageAt(absent));
});

t.test('a customer key goes with put, get and head', async t => {
  const fake = await startFakeS3(t);
  const key = new Uint8Array(32).fill(9);
  const storage = await openFake(t, fake, { encryption: { kind: 'customer', key } });
  const head = { etag: '"x"', 'content-length': '0', 'last-modified': new Date().toUTCString() };
  fake.play((_request, response) => response.writeHead(200, head).end());
  await storage.put('b', [bytes('x')]);
  await storage.get('b');
  await storage.head('b');
  for (const { headers } of fake.seen) {
    t.match(headers, {
      'x-amz-server-side-encryption-customer-algorithm': 'AES256',
      'x-amz-server-side-encryption-customer-key': Buffer.from(key).toString('base64'),
      'x-amz-server-side-encryption-customer-key-md5': createHash('md5')
        .update(key)
        .digest('base64'),
    });
  }
  t.equal(fake.seen.length, 3);
});

t.test('damaged storage classes are named', async t => {
  const fake = await startFakeS3(t);
  for (const text of ['{', '[]x', '{"blobOptions":7}', '{"blobOptions":[{"prefix":1}]}']) {
    fake.play((_request, response) => response.end(text));
    await failsWith(t, 'STORAGE_FAILED', () => openFake(t, fake));
  }
});

t.test('a conditional put asks the server, and looks first where it may not know', async t => {
  const fake = await startFakeS3(t);
  const sure = await openFake(t, fake, { conditionalPut: 'always' });
  fake.play((_request, response) => answerError(response, 412, 'PreconditionFailed', 'there'));
  await failsWith(t, 'STORAGE_BLOB_EXISTS', () => sure.put('b', [bytes('x')], { ifAbsent: true }));
  t.match(fake.seen, [{ method: 'PUT', headers: { 'if-none-match': '*' } }]);
  fake.play(ABSENT);
  const auto = await openFake(t, fake);
  fake.play((request, response, socket) => {
    if (request.method !== 'PUT') ABSENT(request, response, socket);
    else if (request.headers['if-none-match']) answerError(response, 501, 'NotImplemented', 'no');
    else STORED(request, response, socket);
  });
  await auto.put('b', [bytes('x')], { ifAbsent: true });
  t.same(
    fake.seen.map(({ method, headers }) => `${method} ${headers['if-none-match'] ?? '-'}`),
    ['HEAD -', 'GET -', 'PUT *', 'PUT -'],
  );
});

t.test('profile files and session tokens are used', async t => {
  const directory = t.testdir({
    credentials:
      '[default]\naws_access_key_id = AKDEFAULT\naws_secret_access_key = s1\n' +
      '[other]\naws_access_key_id = AKOTHER\naws_secret_access_key = s2\n' +
      'aws_session_token = the-token\n',
  });
  const fake = await startFakeS3(t);
  cleanEnvironment(t, { AWS_SHARED_CREDENTIALS_FILE: `${directory}/credentials` });
  const options = { bucket: 'b', prefix: '', endpoint: fake.endpoint };
  await (await openS3(options)).close();
  await (await openS3({ ...options, profile: 'other' })).close();
  t.match(fake.seen[0]?.headers.authorization, /Credential=AKDEFAULT\/\d+\/us-east-1\//);
  t.match(fake.seen[1]?.headers.authorization, /Credential=AKOTHER\//);
  t.equal(fake.seen[1]?.headers['x-amz-security-token'], 'the-token');
  await failsWith(t, 'STORAGE_CREDENTIALS_MISSING', () => openS3({ ...options, profile: 'none' }));
});

t.test('the environment and the region of it are used', async t => {
  const fake = await startFakeS3(t);
  cleanEnvironment(t, {
    AWS_ACCESS_KEY_ID: 'AKENV',
    AWS_SECRET_ACCESS_KEY: 's',
    AWS_SESSION_TOKEN: 'env-token',
    AWS_REGION: 'eu-west-9',
  });
  await (await openS3({ bucket: 'b', prefix: '', endpoint: fake.endpoint })).close();
  t.match(fake.seen[0]?.headers.authorization, /Credential=AKENV\/\d+\/eu-west-9\//);
  t.equal(fake.seen[0]?.headers['x-amz-security-token'], 'env-token');
});

t.test('without credentials opening says what to set', async t => {
  const fake = await startFakeS3(t);
  cleanEnvironment(t, {});
  const error = await failsWith(t, 'STORAGE_CREDENTIALS_MISSING', () =>
    openS3({ bucket: 'b', prefix: '', endpoint: fake.endpoint }),
  );
  t.match(error?.message, /AWS_ACCESS_KEY_ID.*AWS_SHARED_CREDENTIALS_FILE/);
  t.equal(fake.seen.length, 0, 'before anything is asked');
});

t.test('TLS with a certificate authority of our own', async t => {
  const authority = makeAuthority();
  const { certificate: cert, key } = makePair(authority);
  const fake = await startFakeS3(t, { cert, key });
  const untrusted = { bucket: 'b', prefix: '', endpoint: fake.endpoint, credentials: CREDENTIALS };
  const error = await failsWith(t, 'STORAGE_FAILED', () => openS3(untrusted));
  t.match(error?.message, /caFile=/);
  t.equal(error?.retryable, false);
  const lax = await openFake(t, fake, { insecureSkipTlsVerify: true });
  fake.play((_request, response) => response.end('abc'));
  t.equal(await read(lax, 'b'), 'abc');
  fake.play(ABSENT);
  const trusting = await openFake(t, fake, { caPem: authority.certificate });
  fake.play(STORED);
  await trusting.put('b', [bytes('one'), bytes('two')]);
  t.equal(fake.seen[0]?.headers['x-amz-content-sha256'], 'UNSIGNED-PAYLOAD');
  t.equal(fake.seen[0]?.body.toString(), 'onetwo');
});

function base64OfCrc(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes.toString('base64');
}
