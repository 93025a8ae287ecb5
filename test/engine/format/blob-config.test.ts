import { randomBytes } from 'node:crypto';
import t from 'tap';
import { isRetainedBlob, openBlobConfig, sealBlobConfig } from '#engine/format/blob-config.ts';
import { openWithPassword, sealWithPassword } from '#engine/format/format-blob.ts';
import { bytesOf, sequence, textOf } from './text-bytes.ts';

const KEY = { formatKey: sequence(7), uniqueId: sequence(0) };
const DAY = 86_400_000_000_000n;
const seal = (text: string) => sealWithPassword(KEY, bytesOf(text), randomBytes);

t.test('no retention is an empty object', async t => {
  const sealed = sealBlobConfig(KEY, {}, randomBytes);
  t.equal(textOf(openWithPassword(KEY, sealed)), '{}');
  t.equal(openBlobConfig(KEY, sealed).retention, undefined);
  t.equal(openBlobConfig(KEY, seal('{"retentionMode":"GOVERNANCE"}')).retention, undefined);
});

t.test('a period of more than 104 days loses no digit', async t => {
  const retention = { mode: 'COMPLIANCE' as const, periodNs: 365n * DAY + 1n };
  const sealed = sealBlobConfig(KEY, { retention, extra: { later: 1 } }, randomBytes);
  const text = '{"retentionMode":"COMPLIANCE","retentionPeriod":31536000000000001,"later":1}';
  t.equal(textOf(openWithPassword(KEY, sealed)), text);
  t.same(openBlobConfig(KEY, sealed), { retention, extra: { later: 1 } });
});

t.test('a damaged blob is refused', async t => {
  const mode = '{"retentionMode":"SOMETIMES","retentionPeriod":86400000000000}';
  for (const sealed of [seal(mode), seal('[]'), seal('{"retentionPeriod":1.5}')]) {
    t.throws(() => openBlobConfig(KEY, sealed), { code: 'REPOSITORY_FORMAT_INVALID' });
  }
  const other = sealWithPassword({ ...KEY, formatKey: sequence(9) }, bytesOf('{}'), randomBytes);
  for (const sealed of [other, new Uint8Array(5)]) {
    t.throws(() => openBlobConfig(KEY, sealed), { code: 'REPOSITORY_PASSWORD_WRONG' });
  }
});

t.test('less than a day is not retained', async t => {
  const retention = { mode: 'GOVERNANCE' as const, periodNs: DAY - 1n };
  t.throws(() => sealBlobConfig(KEY, { retention }, randomBytes), { code: 'USAGE' });
});

t.test('packs, indexes and the format are retained, markers and logs are not', async t => {
  for (const id of ['p00', 'q00', 'n00', 'xn0_', 'xe5', 'kopia.repository', 'kopia.blobcfg']) {
    t.ok(isRetainedBlob(id), id);
  }
  for (const id of ['s00', '_log_1', 'kopia.maintenance', 'm00', 'l00', 'udmrepo.Repository']) {
    t.notOk(isRetainedBlob(id), id);
  }
});
