// What the S3 storage makes of answers that are not what was asked for: none is taken for a blob,
// an absence or a listing.
import t from 'tap';
import { makeAuthority, makePair } from '#test/support/certificates.ts';
import { answerError, answerListing, openFake, startFakeS3, type Handler } from './fake-s3.ts';
import { bytes, failsWith, ids } from './storage-asserts.ts';

t.test('a 404 that is not of S3 is a failure and no absence', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake);
  const key = '<Code>NoSuchKey</Code>';
  const answers = ['default backend - 404', '', '<html><body>404</body></html>', '<Error/>', key];
  for (const answer of answers) {
    fake.play((_request, response) => response.writeHead(404).end(answer));
    t.comment(answer);
    await failsWith(t, 'STORAGE_UNAVAILABLE', () => storage.get('blob'));
    await failsWith(t, 'STORAGE_UNAVAILABLE', () => storage.head('blob'));
    await failsWith(t, 'STORAGE_UNAVAILABLE', () => storage.put('blob', [bytes('x')]));
    await failsWith(t, 'STORAGE_UNAVAILABLE', () => storage.delete('blob'));
    await failsWith(t, 'STORAGE_UNAVAILABLE', () => ids(storage, ''));
  }
  for (const code of ['NoSuchKey', 'NotFound']) {
    fake.play((_request, response) => answerError(response, 404, code, 'none'));
    await failsWith(t, 'STORAGE_BLOB_NOT_FOUND', () => storage.get('blob'));
    await failsWith(t, 'STORAGE_BLOB_NOT_FOUND', () => storage.head('blob'));
    await storage.delete('blob');
  }
});

t.test('a listing that is none is a failure and no emptiness', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake);
  const answers = ['<html><body>Please log in</body></html>', '<a/>', '<a><b></a>', 'hello', ''];
  for (const answer of answers) {
    fake.play((_request, response) => response.writeHead(200).end(answer));
    await failsWith(t, 'STORAGE_FAILED', () => ids(storage, ''));
  }
  fake.play((_request, response) => answerListing(response, ['pre/a', 'other/b']));
  await failsWith(t, 'STORAGE_FAILED', () => ids(storage, ''));
  const keys = ['pre/', 'pre/a', 'pre/sub/', 'pre/.storageconfig', 'pre/b'];
  fake.play((_request, response) => answerListing(response, keys));
  t.same(await ids(storage, ''), ['a', 'b']);
});

t.test('a range that the server ignores or cuts short is noticed', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake);
  const range = { offset: 2, length: 4 };
  fake.play((_request, response) => response.end('0123456789'));
  await failsWith(t, 'STORAGE_FAILED', () => storage.get('blob', { range }));
  const part = (contentRange: string, body: string): Handler => {
    return (_request, response) =>
      response.writeHead(206, { 'content-range': contentRange }).end(body);
  };
  fake.play(part('bytes 2-4/5', '234'));
  await failsWith(t, 'STORAGE_RANGE_INVALID', () => storage.get('blob', { range }));
  fake.play(part('bytes 2-4/10', '234'));
  await failsWith(t, 'STORAGE_BLOB_TRUNCATED', () => storage.get('blob', { range }));
  fake.play(part('bytes 2-5/10', '2345'));
  t.equal(Buffer.from(await storage.get('blob', { range })).toString(), '2345');
});

t.test('a part that was not asked for is not taken for one that was', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake);
  const range = { offset: 2, length: 4 };
  const parts = {
    'of another place': { contentRange: 'bytes 0-3/10', body: '0123' },
    'of no place': { contentRange: 'bytes */10', body: '2345' },
    'of fewer bytes than come': { contentRange: 'bytes 2-3/10', body: '2345' },
    'of two places': { contentRange: 'bytes 2-5/10, bytes 0-3/10', body: '2345' },
    'that ends before it begins': { contentRange: 'bytes 2-1/10', body: '' },
    'in other units': { contentRange: 'lines 2-5/10', body: '2345' },
    'that goes on': { contentRange: 'bytes 2-9/10', body: '23456789' },
    'longer than it says': { contentRange: 'bytes 2-5/10', body: '23456789' },
  };
  for (const [which, { contentRange, body }] of Object.entries(parts)) {
    fake.play((_request, response) =>
      response
        .writeHead(206, { 'content-range': contentRange, 'content-length': body.length })
        .end(body),
    );
    t.comment(which);
    await failsWith(t, 'STORAGE_FAILED', () => storage.get('blob', { range }));
  }
  fake.play((_request, response) =>
    response.writeHead(206, { 'content-range': 'bytes 2-5/10' }).end('2345'),
  );
  t.comment('where the whole was asked for');
  await failsWith(t, 'STORAGE_FAILED', () => storage.get('blob'));
});

for (const isTls of [false, true]) {
  t.test(`a body that ends with its ${isTls ? 'TLS' : 'TCP'} connection may be cut`, async t => {
    const { certificate: cert, key } = makePair(makeAuthority());
    const fake = await startFakeS3(t, isTls ? { cert, key } : undefined);
    const storage = await openFake(t, fake, { insecureSkipTlsVerify: true });
    // Without the closure alert of TLS, as when the machine loses its power.
    const play = (head: string, body: string): void =>
      fake.play((_request, _response, socket) => {
        socket.write(`HTTP/1.1 ${head}\r\n\r\n${body}`, () => socket.destroy());
      });
    play('200 OK', 'half');
    await failsWith(t, 'STORAGE_FAILED', () => storage.get('blob'));
    play('200 OK\r\ntransfer-encoding: chunked', '4\r\nhalf\r\n');
    await failsWith(t, 'STORAGE_BLOB_TRUNCATED', () => storage.get('blob'));
    const range = { offset: 2, length: 6 };
    play('206 Partial Content\r\ncontent-range: bytes 2-7/10', 'half');
    await failsWith(t, 'STORAGE_BLOB_TRUNCATED', () => storage.get('blob', { range }));
    play('206 Partial Content\r\ncontent-range: bytes 2-5/10', 'half');
    await failsWith(t, 'STORAGE_BLOB_TRUNCATED', () => storage.get('blob', { range }));
    play('206 Partial Content\r\ncontent-range: bytes 2-7/10', 'thesix');
    t.equal(Buffer.from(await storage.get('blob', { range })).toString(), 'thesix');
  });
}

t.test('a success that says nothing of the blob is none', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake);
  // Of a proxy: 203 is what it has made of the answer, 204 is nothing.
  for (const status of [202, 203, 204]) {
    fake.play((_request, response) => response.writeHead(status).end());
    await failsWith(t, 'STORAGE_FAILED', () => storage.get('blob'));
  }
});

t.test('an error is not read for ever, and is what its status says', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake);
  const body = Buffer.alloc(1024 * 1024 + 1, ' ');
  for (const headers of [{ 'content-length': body.length }, {}]) {
    for (const { status, code } of [
      { status: 503, code: 'STORAGE_UNAVAILABLE' },
      { status: 403, code: 'STORAGE_ACCESS_DENIED' },
      // Nobody has said that it is the blob that is not there.
      { status: 404, code: 'STORAGE_UNAVAILABLE' },
    ] as const) {
      fake.play((_request, response) =>
        response.writeHead(status, { ...headers, 'retry-after': '7' }).end(body),
      );
      const error = await failsWith(t, code, () => storage.get('blob'));
      t.match(error?.details, { status, retryAfterMs: 7000 });
    }
  }
  fake.play((_request, response) => {
    response.writeHead(200);
    response.write(body);
    response.end();
  });
  t.equal((await storage.get('blob')).length, body.length, 'a blob is');
});

t.test("an error that announces the blob's length and ends is what its status says", async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake);
  for (const length of [4_000_000, 1000]) {
    // So rclone serve s3 1.75 does, where an object is replaced while it is opened.
    fake.play((_request, response, socket) => {
      response.writeHead(500, { 'content-length': length });
      response.write('<Error>', () => socket.end());
    });
    const error = await failsWith(t, 'STORAGE_UNAVAILABLE', () => storage.get('blob'));
    t.equal(error?.retryable, true);
  }
});

t.test('a listing that comes round again ends', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake);
  for (const round of [1, 2, 3, 7]) {
    fake.seen.length = 0;
    fake.play((_request, response) => {
      const index = fake.seen.length;
      // Three pages that lead into the circle.
      const token = index < 3 ? `first ${index}` : `again ${index % round}`;
      response.end(
        '<ListBucketResult><Name>bucket</Name><IsTruncated>true</IsTruncated>' +
          `<NextContinuationToken>${token}</NextContinuationToken></ListBucketResult>`,
      );
      if (index > 100) response.destroy();
    });
    const error = await failsWith(t, 'STORAGE_FAILED', () => ids(storage, ''));
    t.match(error?.message, /a page without a way to the next/, `of ${round}`);
  }
});

t.test('a listing that never gives anything ends', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake);
  fake.play((_request, response) => {
    response.end(
      '<ListBucketResult><Name>bucket</Name><IsTruncated>true</IsTruncated>' +
        `<NextContinuationToken>${fake.seen.length}</NextContinuationToken></ListBucketResult>`,
    );
    if (fake.seen.length > 2000) response.destroy();
  });
  await failsWith(t, 'STORAGE_FAILED', () => ids(storage, ''));
  t.equal(fake.seen.length, 1001);
});

t.test('an entry whose size is none is a failure', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake);
  for (const size of ['-5', '1.5', 'abc', '99999999999999999999']) {
    const entry =
      `<Contents><Key>pre/a</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>` +
      `<Size>${size}</Size></Contents>`;
    fake.play((_request, response) =>
      response.end(
        '<ListBucketResult><Name>bucket</Name><IsTruncated>false</IsTruncated>' +
          `${entry}</ListBucketResult>`,
      ),
    );
    await failsWith(t, 'STORAGE_FAILED', () => ids(storage, ''));
  }
});

t.test('no answer is gathered for ever', async t => {
  const fake = await startFakeS3(t);
  const storage = await openFake(t, fake);
  const piece = Buffer.alloc(1024 * 1024, ' ');
  let sentBytes = 0;
  const endless =
    (status: number): Handler =>
    (_request, response) => {
      response.writeHead(status, { etag: '"x"' });
      const send = (): void => {
        sentBytes += piece.length;
        if (sentBytes > 200 * piece.length) response.end();
        else response.write(piece, send);
      };
      send();
    };
  const works = {
    put: () => storage.put('blob', [bytes('x')]),
    delete: () => storage.delete('blob'),
    list: () => ids(storage, ''),
  };
  for (const [name, work] of Object.entries(works)) {
    for (const { status, code } of [
      { status: 503, code: 'STORAGE_UNAVAILABLE' },
      { status: 403, code: 'STORAGE_ACCESS_DENIED' },
      { status: 200, code: 'LIMIT_EXCEEDED' },
    ] as const) {
      fake.play(endless(status));
      sentBytes = 0;
      await failsWith(t, code, work);
      t.ok(sentBytes < 100 * piece.length, `${name} ${status}: ${sentBytes} bytes`);
    }
  }
});
