import { resolve } from 'node:path';
import t from 'tap';
import { openStorage } from '#engine/storage/open-storage.ts';
import { parseStorageUrl, STORAGE_URL_PARAMETERS } from '#engine/storage/storage-url.ts';
import { bytes, failsWith, ids } from './storage-asserts.ts';

t.test('paths and file URLs name directories', async t => {
  t.match(parseStorageUrl('/a/b'), { scheme: 'file', directory: '/a/b' });
  t.match(parseStorageUrl('a?b#c%20'), { scheme: 'file', directory: resolve('a?b#c%20') });
  t.match(parseStorageUrl('file:///a%20b/c'), { directory: '/a b/c', shards: undefined });
  t.match(parseStorageUrl('file:///a?shards=2,2'), { directory: '/a', shards: [2, 2] });
  t.same(parseStorageUrl('file:///a?shards='), { scheme: 'file', directory: '/a', shards: [] });
});

t.test('the path of an s3 URL is a folder, as Velero has it', async t => {
  const prefixes = {
    's3://b': '',
    's3://b/': '',
    's3://b/a': 'a/',
    's3://b/a/b/': 'a/b/',
    's3://b/velero/kopia/ns%201': 'velero/kopia/ns 1/',
  };
  for (const [url, prefix] of Object.entries(prefixes)) {
    t.match(parseStorageUrl(url), { scheme: 's3', s3: { bucket: 'b', prefix } }, url);
  }
});

t.test('every parameter of the table is understood', async t => {
  const values: Record<string, string> = {
    endpoint: 'https://minio.example:9000/',
    region: 'eu-1',
    pathStyle: 'false',
    profile: 'p',
    caFile: '/ca.pem',
    insecureSkipTlsVerify: 'true',
    sse: 'aws:kms',
    sseKmsKeyId: 'k',
    checksum: 'sha256',
    conditionalPut: 'never',
    parallelism: '3',
    connectTimeoutMs: '1',
    idleTimeoutMs: '2',
    requestTimeoutMs: '3',
  };
  const location = parseStorageUrl(`s3://b/a?${new URLSearchParams(values).toString()}`);
  t.match(location, {
    caFile: '/ca.pem',
    s3: {
      endpoint: 'https://minio.example:9000',
      region: 'eu-1',
      pathStyle: false,
      profile: 'p',
      insecureSkipTlsVerify: true,
      encryption: { kind: 'aws:kms', keyId: 'k' },
      checksum: 'sha256',
      conditionalPut: 'never',
      parallelism: 3,
      connectTimeoutMs: 1,
      idleTimeoutMs: 2,
      requestTimeoutMs: 3,
    },
  });
  t.match(parseStorageUrl('s3://b?sseCustomerKeyFile=/k'), { sseCustomerKeyFile: '/k' });
  const tested = new Set([...Object.keys(values), 'sseCustomerKeyFile', 'shards']);
  t.same(
    STORAGE_URL_PARAMETERS.filter(({ name }) => !tested.has(name)),
    [],
  );
});

t.test('what makes no sense is refused, and never repeated in the message', async t => {
  const urls = [
    '',
    'http://b/a',
    'gs://b/a',
    'file:a',
    'file://host/a',
    'file:///a?shards=0',
    'file:///a?endpoint=http://x',
    's3:b',
    's3://',
    's3:///a',
    's3://user:hunter2@b/a',
    's3://b:80/a',
    's3://b/a//b',
    's3://b/../a',
    's3://b/%zz',
    's3://b/a#b',
    's3://b?endpoint=minio:9000',
    's3://b?endpoint=ftp://x',
    's3://b?endpoint=http://user:hunter2@x',
    's3://b?endpoint=http://x?y',
    's3://b?pathStyle=yes',
    's3://b?parallelism=0',
    's3://b?parallelism=hunter2',
    's3://b?sse=none',
    's3://b?sseKmsKeyId=k',
    's3://b?sse=AES256&sseCustomerKeyFile=/k',
    's3://b?unknown=hunter2',
    's3://b?region=a&region=b',
    's3://b?secretAccessKey=hunter2',
    's3://b?AWS_SESSION_TOKEN=hunter2',
  ];
  for (const url of urls) {
    const error = await failsWith(t, 'STORAGE_URL_INVALID', async () => parseStorageUrl(url));
    t.notMatch(error?.message, 'hunter2', url);
  }
});

t.test('a file storage is opened, made and read without the S3 code', async t => {
  const directory = `${t.testdir()}/repo`;
  await failsWith(t, 'STORAGE_NOT_FOUND', () => openStorage(directory));
  const samples: string[] = [];
  const metrics = {
    operationEnded: (sample: { operation: string }) => samples.push(sample.operation),
  };
  const storage = await openStorage(`file://${directory}`, { create: true, metrics });
  await storage.put('a', [bytes('x')]);
  t.same(await ids(storage, ''), ['a']);
  t.same(samples, ['put', 'list']);
  t.equal(typeof storage.stage, 'function', 'files are handed on');
  await storage.close();
  const reader = await openStorage(directory, { isReadOnly: true });
  await failsWith(t, 'STORAGE_READ_ONLY', () => reader.put('b', [bytes('x')]));
  await failsWith(t, 'STORAGE_READ_ONLY', () => reader.delete('a'));
  t.equal(typeof reader.stage, 'undefined');
  t.equal(reader.localPath?.('a'), `${directory}/a.f`);
  t.same(await ids(reader, ''), ['a']);
  await reader.close();
  const loaded = process.getBuiltinModule('node:module').Module;
  const cache = Object.keys((loaded as unknown as { _cache: object })._cache);
  t.notOk(
    cache.some(path => path.includes('@aws-sdk')),
    'the SDK was not loaded',
  );
});

t.test('files that a URL names are read, and their faults told', async t => {
  const directory = t.testdir({ short: 'too short' });
  for (const parameter of ['caFile=/nonexistent/ca', `sseCustomerKeyFile=${directory}/short`]) {
    await failsWith(t, 'STORAGE_URL_INVALID', () => openStorage(`s3://b?${parameter}`));
  }
});
