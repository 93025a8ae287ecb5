import t from 'tap';
import { DEFAULT_EPOCH_PARAMETERS } from '#engine/format/epoch-parameters.ts';
import {
  checkRepositoryUsable,
  decodeRepositoryConfig,
  encodeRepositoryConfig,
  newRepositoryConfig,
  openRepositoryConfig,
  sealRepositoryConfig,
} from '#engine/format/repository-config.ts';
import { newSeed, seededByteSource, seededRandom } from '#test/support/seeded.ts';
import { bytesOf, sequence, textOf } from './text-bytes.ts';

const EPOCHS =
  '{"Enabled":true,"EpochRefreshFrequency":1200000000000,"FullCheckpointFrequency":7,' +
  '"CleanupSafetyMargin":14400000000000,"MinEpochDuration":86400000000000,' +
  '"EpochAdvanceOnCountThreshold":20,"EpochAdvanceOnTotalSizeBytesThreshold":10485760,' +
  '"DeleteParallelism":4}';
const SECRET = Buffer.from(sequence(0x40)).toString('base64');
const MASTER_KEY = Buffer.from(sequence(0x80)).toString('base64');
// What kopia 0.23.1 writes for a repository with all defaults.
const DEFAULT =
  '{"format":{"hash":"BLAKE2B-256-128","encryption":"AES256-GCM-HMAC-SHA256",' +
  `"secret":"${SECRET}","masterKey":"${MASTER_KEY}","version":3,"maxPackSize":20971520,` +
  `"indexVersion":2,"epochParameters":${EPOCHS},"enablePasswordChange":true,` +
  '"splitter":"DYNAMIC-4M-BUZHASH"}}';

const decode = (text: string) => decodeRepositoryConfig(bytesOf(text));
const withField = (field: string) => DEFAULT.replace('"splitter"', `${field},"splitter"`);
const NOW_NS = 1_800_000_000_000_000_000n;

t.test('the default configuration is read and written as kopia writes it', async t => {
  const config = decode(DEFAULT);
  t.equal(config.version, 3);
  t.equal(config.maxPackBytes, 20 * 2 ** 20);
  t.same(config.epochParameters, { ...DEFAULT_EPOCH_PARAMETERS, extra: undefined });
  t.same(config.masterKey, sequence(0x80));
  t.equal(textOf(encodeRepositoryConfig(config)), DEFAULT);
});

t.test('a new repository has exactly these defaults', async t => {
  const keys = [sequence(0x40), sequence(0x80)];
  const config = newRepositoryConfig(() => keys.shift() ?? sequence(0));
  t.equal(textOf(encodeRepositoryConfig(config)), DEFAULT);
});

t.test('every field survives a rewrite, unknown ones too', async t => {
  const fields = [
    '"ecc":"REED-SOLOMON-CRC32","eccOverheadPercent":2',
    '"later":[1.50,18446744073709551616,{"b":null}],"__proto__":{"x":1}',
  ];
  const text =
    withField(fields[0])
      .replace('"DeleteParallelism":4', '"DeleteParallelism":9223372036854775807,"Later":1')
      .replace('"splitter"', `${fields[1]},"splitter"`)
      .slice(0, -1) + ',"sibling":[true]}';
  const written = textOf(encodeRepositoryConfig(decode(text)));
  t.same(parse(written), parse(text));
  for (const part of ['1.50,18446744073709551616', '9223372036854775807', '"__proto__":{"x":1}']) {
    t.ok(written.includes(part), part);
  }
});

t.test('what older versions left out is filled in', async t => {
  const config = decode(`{"format":{"version":1,"masterKey":"${MASTER_KEY}","splitter":null}}`);
  t.equal(config.maxPackBytes, 20 * 2 ** 20);
  t.equal(config.indexVersion, 1);
  t.equal(config.splitter, 'FIXED');
  t.equal(config.isPasswordChangeEnabled, false);
  t.equal(config.epochParameters.isEnabled, false);
  t.same(config.secret, new Uint8Array(0));
  t.same(config.requiredFeatures, []);
});

t.test('a newer format is told from a damaged one', async t => {
  t.throws(() => decode(DEFAULT.replace('"version":3', '"version":4')), {
    code: 'REPOSITORY_FORMAT_TOO_NEW',
    details: { version: 4 },
  });
  const damaged = [
    DEFAULT.replace('"version":3', '"version":0'),
    DEFAULT.replace('"version":3', '"version":"3"'),
    DEFAULT.replace('"version":3', '"version":3.0'),
    DEFAULT.replace('"indexVersion":2', '"indexVersion":3'),
    DEFAULT.replace(MASTER_KEY, ''),
    DEFAULT.replace(MASTER_KEY, '***'),
    DEFAULT.replace(EPOCHS, '[]'),
    withField('"eccOverheadPercent":101'),
    withField('"requiredFeatures":[7]'),
    withField('"upgradeLock":{"creationTime":"yesterday"}'),
    '{}',
    'null',
    '{',
  ];
  for (const text of damaged)
    t.throws(() => decode(text), { code: 'REPOSITORY_FORMAT_INVALID' }, text);
});

t.test('features and a lock are looked at', async t => {
  t.same(checkRepositoryUsable(decode(DEFAULT), NOW_NS), []);
  const known = '"requiredFeatures":[{"feature":"index-v2","ifNotUnderstood":{"warn":false}}]';
  t.same(checkRepositoryUsable(decode(withField(known)), NOW_NS), []);
  const unknown = '"requiredFeatures":[{"feature":"teleport","ifNotUnderstood":{"warn":false}}]';
  t.throws(() => checkRepositoryUsable(decode(withField(unknown)), NOW_NS), {
    code: 'REPOSITORY_FEATURE_UNSUPPORTED',
  });
  const lock = '"upgradeLock":{"ownerID":"a@b","creationTime":"2020-01-01T00:00:00Z"}';
  t.throws(() => checkRepositoryUsable(decode(withField(lock)), NOW_NS), {
    code: 'REPOSITORY_UPGRADE_IN_PROGRESS',
  });
  t.equal(textOf(encodeRepositoryConfig(decode(withField(known)))).includes(known), true);
});

t.test('a sealed configuration opens with its key alone', async t => {
  const seed = newSeed();
  const random = seededByteSource(seededRandom(seed));
  const config = newRepositoryConfig(random);
  const key = { formatKey: random(32), uniqueId: random(32) };
  const sealed = sealRepositoryConfig(key, config, random);
  const opened = openRepositoryConfig(key, sealed);
  t.same(encodeRepositoryConfig(opened), encodeRepositoryConfig(config), `seed ${seed}`);
  const other = { ...key, formatKey: random(32) };
  t.throws(() => openRepositoryConfig(other, sealed), { code: 'REPOSITORY_PASSWORD_WRONG' });
});

t.test('limits of a new repository are checked', async t => {
  for (const maxPackBytes of [10 * 2 ** 20 - 1, 120 * 2 ** 20 + 1]) {
    t.throws(() => newRepositoryConfig(sequenceOf, { maxPackBytes }), { code: 'USAGE' });
  }
  const minute = 60_000_000_000n;
  const changes = [
    { minEpochDurationNs: 9n * minute, refreshFrequencyNs: minute },
    { refreshFrequencyNs: 481n * minute },
    { fullCheckpointFrequency: 0 },
    { cleanupSafetyMarginNs: 59n * minute },
    { advanceOnCount: 9 },
    { advanceOnTotalBytes: 2 ** 20 - 1 },
  ];
  for (const change of changes) {
    const epochParameters = { ...DEFAULT_EPOCH_PARAMETERS, ...change };
    t.throws(() => newRepositoryConfig(sequenceOf, { epochParameters }), { code: 'USAGE' });
    const off = { ...epochParameters, isEnabled: false };
    t.ok(newRepositoryConfig(sequenceOf, { epochParameters: off }));
  }
  t.ok(newRepositoryConfig(sequenceOf, { maxPackBytes: 120 * 2 ** 20 }));
});

const sequenceOf = (count: number) => sequence(0, count);
const parse = (text: string): unknown => JSON.parse(text);
