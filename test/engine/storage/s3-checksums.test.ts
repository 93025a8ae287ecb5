// Which checksum goes with a put, and what counts as the server's word that it has compared it.
import { createHash } from 'node:crypto';
import t from 'tap';
import { crc32c } from '#engine/hash/crc32c.ts';
import { S3_CHECKSUMS } from '#engine/storage/s3-checksum.ts';
import {
  answerError,
  confirmedChecksums,
  type FakeS3,
  openFake,
  startFakeS3,
  type Handler,
} from './fake-s3.ts';
import { bytes, failsWith } from './storage-asserts.ts';

const ETAG = { etag: '"x"' };
const CRC32 = 'x-amz-checksum-crc32';
const BODY = [bytes('1234'), bytes('56789')];
/** Of "123456789", the text that checksums are described by (reveng's catalogue, RFC 1321). */
const HEADERS: Readonly<Record<string, readonly [name: string, value: string]>> = {
  crc32: ['x-amz-checksum-crc32', base64('cbf43926')],
  crc32c: ['x-amz-checksum-crc32c', base64('e3069283')],
  sha1: ['x-amz-checksum-sha1', base64('f7c3bc1d808e04732adf679965ccc34ca7ae3441')],
  sha256: [
    'x-amz-checksum-sha256',
    base64('15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'),
  ],
  md5: ['content-md5', base64('25f9e794323b453885f5181f1b624d0b')],
};

function base64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}

/** Checksum headers of each put, in order. */
function sentTo({ seen }: FakeS3): string[][] {
  return seen
    .filter(({ method }) => method === 'PUT')
    .map(({ headers }) =>
      Object.keys(headers)
        .filter(name => /checksum|md5/.test(name))
        .sort(),
    );
}

const CONFIRMED: Handler = (request, response) => {
  response.writeHead(200, { ...ETAG, ...confirmedChecksums(request) }).end();
};
const PASSED_OVER: Handler = (_request, response) => response.writeHead(200, ETAG).end();

t.test('what the server confirms is all that is sent from then on', async t => {
  for (const checksum of S3_CHECKSUMS) {
    const fake = await startFakeS3(t);
    const storage = await openFake(t, fake, { checksum });
    fake.play(CONFIRMED);
    await storage.put('first', BODY);
    await storage.put('second', BODY);
    const [name, value] = HEADERS[checksum];
    const both = checksum === 'md5' ? [name] : ['content-md5', name];
    t.strictSame(sentTo(fake), [both, [name]], checksum);
    for (const { headers } of fake.seen) t.equal(headers[name], value);
    t.equal(fake.seen[0]?.headers['content-md5'], HEADERS.md5?.[1]);
  }
});

t.test('a server that passes the header over gets MD5, and nothing twice', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake);
  fake.play(PASSED_OVER);
  for (const id of ['first', 'second', 'third']) await storage.put(id, BODY);
  t.strictSame(sentTo(fake), [['content-md5', CRC32], ['content-md5'], ['content-md5']]);
});

const refusing = (status: number, name: string): Handler => {
  return (request, response, socket) => {
    const hasNewer = Object.keys(confirmedChecksums(request)).length > 0;
    if (hasNewer) answerError(response, status, name, 'says the server');
    else PASSED_OVER(request, response, socket);
  };
};

const REFUSING: Readonly<Record<string, Handler>> = {
  'does not implement it': refusing(501, 'NotImplemented'),
  'calls it an invalid argument': refusing(400, 'InvalidArgument'),
  'calls the request invalid': refusing(400, 'InvalidRequest'),
  'wants Content-MD5': refusing(400, 'MissingContentMD5'),
  'never sees it, behind a proxy': refusing(403, 'SignatureDoesNotMatch'),
};

for (const [does, handler] of Object.entries(REFUSING)) {
  t.test(`a server that ${does} gets the object with MD5, and all others so`, async t => {
    const fake = await startFakeS3(t);
    const storage = await openFake(t, fake);
    fake.play(handler);
    await storage.put('first', BODY);
    await storage.put('second', BODY);
    t.strictSame(sentTo(fake), [['content-md5', CRC32], ['content-md5'], ['content-md5']]);
    const bodies = fake.seen.map(({ body }) => body.toString());
    t.strictSame(bodies, ['123456789', '123456789', '123456789']);
  });
}

t.test('a server that confirms no more gets the object again, with MD5', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake);
  fake.play(CONFIRMED);
  await storage.put('first', BODY);
  fake.play(PASSED_OVER);
  await storage.put('second', BODY);
  await storage.put('third', BODY);
  const md5 = ['content-md5'];
  t.strictSame(sentTo(fake), [['content-md5', CRC32], [CRC32], md5, md5]);
});

t.test('what is refused for another reason is refused, and nothing is learned', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake);
  fake.play((_request, response) => answerError(response, 403, 'AccessDenied', 'no'));
  await failsWith(t, 'STORAGE_ACCESS_DENIED', () => storage.put('blob', BODY));
  fake.play((_request, response) => answerError(response, 400, 'InvalidArgument', 'tags'));
  await failsWith(t, 'STORAGE_FAILED', () => storage.put('blob', BODY));
  fake.play(CONFIRMED);
  await storage.put('blob', BODY);
  await storage.put('blob', BODY);
  const both = ['content-md5', CRC32];
  t.strictSame(sentTo(fake), [both, both, ['content-md5'], both, [CRC32]]);
});

t.test('a server that has got other bytes is found out, and it is worth trying again', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake);
  fake.play((_request, response) => {
    response.writeHead(200, { ...ETAG, [CRC32]: base64('00000000') }).end();
  });
  const error = await failsWith(t, 'STORAGE_FAILED', () => storage.put('blob', BODY));
  t.match(error, { retryable: true, message: /other bytes than were sent/ });
  fake.play((_request, response) => answerError(response, 400, 'BadDigest', 'no match'));
  const refused = await failsWith(t, 'STORAGE_FAILED', () => storage.put('blob', BODY));
  t.match(refused, { retryable: true });
  t.equal(fake.seen.length, 2, 'neither was sent with another checksum');
});

t.test('a put that may replace nothing has MD5: it could not be sent twice', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake, { conditionalPut: 'always' });
  fake.play(CONFIRMED);
  await storage.put('lock', BODY, { ifAbsent: true });
  await storage.put('blob', BODY);
  await storage.put('lock', BODY, { ifAbsent: true });
  t.strictSame(sentTo(fake), [['content-md5'], ['content-md5', CRC32], ['content-md5']]);
});

t.test('CRC-32C is that of RFC 3720, whole and in pieces', async t => {
  const vectors: readonly (readonly [Uint8Array, number])[] = [
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
    [Uint8Array.from({ length: 32 }, (_, index) => 31 - index), 0x113fdb5c],
    [bytes('123456789'), 0xe3069283],
    [new Uint8Array(0), 0],
  ];
  for (const [input, expected] of vectors) {
    t.equal(crc32c(input), expected);
    for (let at = 0; at <= input.length; at++) {
      const before = crc32c(input.subarray(0, at));
      t.equal(crc32c(input.subarray(at), before), expected, `cut at ${at}`);
    }
  }
});

t.test('digests of a body do not depend on how it is cut', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake, { checksum: 'sha1' });
  fake.play(CONFIRMED);
  const whole = Buffer.alloc(1_300_000, 'a body of more than two steps ');
  await storage.put('blob', [whole.subarray(0, 700_001), whole.subarray(700_001)]);
  await storage.put('blob', [whole]);
  const sha1 = createHash('sha1').update(whole).digest('base64');
  const sent = fake.seen.map(({ headers }) => headers['x-amz-checksum-sha1']);
  t.strictSame(sent, [sha1, sha1]);
});
