import t from 'tap';
import { isEngineError } from '#engine/base/errors.ts';
import { planLocation } from '#agent/repositories/location-plan.ts';
import type { StorageLocation } from '#agent/repositories/repository-objects.ts';

type Spec = NonNullable<StorageLocation['spec']>;

const objectStorage = { bucket: 'backups', prefix: 'cluster-a' };
const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

function plan(spec: Spec, namespace = 'shop') {
  const location = {
    metadata: { name: 'default' },
    spec: { provider: 'aws', objectStorage, ...spec },
  };
  return planLocation(location, namespace);
}

function s3Of(config: Record<string, string>, more: Spec = {}) {
  const found = plan({ ...more, config });
  return found.kind === 'bucket' ? found.s3 : undefined;
}

t.test('the repository lies where Velero looks for it', async t => {
  t.match(plan({}), { kind: 'bucket', s3: { bucket: 'backups', prefix: 'cluster-a/kopia/shop/' } });
  for (const prefix of [undefined, '', '/']) {
    const found = plan({ objectStorage: { bucket: 'b', prefix } });
    t.match(found, { s3: { prefix: 'kopia/shop/' } });
  }
  const deep = plan({ objectStorage: { bucket: 'b', prefix: '/a//b/' } });
  t.match(deep, { s3: { prefix: 'a/b/kopia/shop/' } });
  const fs = plan({ provider: 'velero.io/fs', config: { fspath: '/data' } });
  t.strictSame(fs, {
    kind: 'directory',
    directory: '/data/cluster-a/kopia/shop',
    isReadOnly: false,
    notices: [],
  });
});

t.test('every key of the plugin that concerns data is heeded', async t => {
  t.match(s3Of({ region: 'minio', s3ForcePathStyle: 'true', s3Url: 'http://minio:9000/' }), {
    region: 'minio',
    pathStyle: true,
    endpoint: 'http://minio:9000',
  });
  t.match(s3Of({ s3ForcePathStyle: 'false' }), { pathStyle: false });
  t.equal(s3Of({})?.pathStyle, undefined, 'the engine knows better');
  t.match(s3Of({ insecureSkipTLSVerify: 'true' }), { insecureSkipTlsVerify: true });
  t.match(s3Of({ tagging: 'a=b' }), { tagging: 'a=b' });
  t.match(s3Of({ kmsKeyId: 'k' }), { encryption: { kind: 'aws:kms', keyId: 'k' } });
  t.match(s3Of({ serverSideEncryption: 'AES256' }), { encryption: { kind: 'AES256' } });
  t.equal(s3Of({ publicUrl: 'https://x', enableSharedConfig: 'true' })?.endpoint, undefined);
  const caCert = Buffer.from(PEM).toString('base64');
  t.match(s3Of({}, { objectStorage: { ...objectStorage, caCert } }), { caPem: PEM });
  const caCertRef = { name: 'ca', key: 'ca.crt' };
  t.match(plan({ objectStorage: { ...objectStorage, caCertRef } }), { caSecret: caCertRef });
  const credential = { name: 'cloud-credentials', key: 'cloud' };
  const config = { profile: 'other', credentialsFile: '/c' };
  const who = { credential, profile: 'other', credentialsFile: '/c' };
  t.match(plan({ credential, config }), who);
  t.equal(plan({ accessMode: 'ReadOnly' }).isReadOnly, true);
  t.equal(plan({ accessMode: 'ReadWrite' }).isReadOnly, false);
  const other = { provider: 'example.com/store', config: { s3Url: 'https://s3.example.com' } };
  t.match(plan(other), { kind: 'bucket' });
});

t.test('the checksum is the one that the location asks for', async t => {
  t.equal(s3Of({})?.checksum, undefined, 'the engine knows better');
  for (const name of ['CRC32', 'CRC32C', 'SHA1', 'SHA256']) {
    t.equal(s3Of({ checksumAlgorithm: name })?.checksum, name.toLowerCase());
    t.strictSame(plan({ config: { checksumAlgorithm: name } }).notices, []);
  }
  t.equal(s3Of({ checksumAlgorithm: '' })?.checksum, undefined, 'that is for the plugin');
  t.strictSame(plan({ config: { checksumAlgorithm: '' } }).notices, []);
  const unknown = { checksumAlgorithm: 'CRC64NVME' };
  t.equal(s3Of(unknown)?.checksum, undefined);
  t.match(plan({ config: unknown }).notices, [/checksumAlgorithm CRC64NVME has no effect/]);
});

t.test("a customer's key is not applied, and that is said", async t => {
  const found = plan({ config: { customerKeyEncryptionFile: '/key' } });
  t.match(found, { s3: { encryption: undefined } });
  t.match(found.notices, [/customerKeyEncryptionFile is not applied to the data of volumes/]);
  t.match(plan({ config: { signatureVersion: '1' } }).notices, [/version 4/]);
  t.strictSame(plan({ config: { signatureVersion: '4' } }).notices, []);
});

t.test('settings without effect on volumes are said', async t => {
  const { notices } = plan({ config: { publicUrl: 'https://x', enableSharedConfig: 'true' } });
  t.match(notices, [
    /^config.publicUrl has no effect: .* volumes go through s3Url$/,
    /^config.enableSharedConfig has no effect: profile files of the agent are read/,
  ]);
  t.equal(notices.length, 2);
  t.strictSame(plan({ config: { publicUrl: '', enableSharedConfig: '' } }).notices, []);
  t.strictSame(plan({ config: { region: 'r', s3Url: 'https://x', profile: 'p' } }).notices, []);
});

const REFUSED: readonly [why: RegExp, spec: Spec][] = [
  [/azure is not supported yet/, { provider: 'azure' }],
  [/gcp is not supported yet/, { provider: 'velero.io/gcp' }],
  [/example.com\/x is not known/, { provider: 'example.com/x' }],
  [/bucket is empty/, { objectStorage: {} }],
  [/prefix holds/, { objectStorage: { bucket: 'b', prefix: 'a/../b' } }],
  [/fspath has to be/, { provider: 'fs', config: { fspath: 'data' } }],
  [/s3Url has to be/, { config: { s3Url: 'minio:9000' } }],
  [/s3Url must not hold/, { config: { s3Url: 'http://u:secret@minio' } }],
  [/s3ForcePathStyle has to be/, { config: { s3ForcePathStyle: 'yes' } }],
  [/serverSideEncryption has to be/, { config: { serverSideEncryption: 'rot13' } }],
  [/no PEM text/, { objectStorage: { bucket: 'b', caCert: 'AAAA' } }],
  [
    /exclude each other/,
    { objectStorage: { bucket: 'b', caCert: 'AA==', caCertRef: { name: 'n', key: 'k' } } },
  ],
];

t.test('what cannot be used is named, and no secret with it', async t => {
  for (const [why, spec] of REFUSED) {
    try {
      plan(spec);
      t.fail(`${why} was not refused`);
    } catch (error) {
      t.ok(isEngineError(error, 'STORAGE_LOCATION_INVALID'));
      const message = error instanceof Error ? error.message : '';
      t.match(message, why);
      t.match(message, /^cannot use backup storage location default: /);
      t.notMatch(message, 'secret');
    }
  }
  t.throws(() => plan({}, '../x'), { message: /is no namespace/ });
});
