import t from 'tap';
import {
  DEFAULT_MAINTENANCE_PARAMETERS,
  MAINTENANCE_LABELS,
  decodeMaintenanceParameters,
  encodeMaintenanceParameters,
} from '#engine/format/maintenance-parameters.ts';

const TEXT =
  '{"owner":"user@host","quick":{"enabled":true,"interval":3600000000000},"full":{"enabled":true,' +
  '"interval":86400000000000},"logRetention":{"maxTotalSize":1073741824,"maxCount":10000,' +
  '"maxAge":2592000000000000},"extendObjectLocks":false,"listParallelism":0}';

t.test('the defaults are those of kopia', async t => {
  const parameters = { ...DEFAULT_MAINTENANCE_PARAMETERS, owner: 'user@host' };
  t.equal(encodeMaintenanceParameters(parameters), TEXT);
  t.same(MAINTENANCE_LABELS, { type: 'maintenance' });
});

t.test('parameters survive a rewrite, unknown fields too', async t => {
  t.equal(encodeMaintenanceParameters(decodeMaintenanceParameters(TEXT, 'ab')), TEXT);
  const later = TEXT.replaceAll('}', ',"later":9223372036854775808}');
  t.equal(encodeMaintenanceParameters(decodeMaintenanceParameters(later, 'ab')), later);
  t.equal(decodeMaintenanceParameters('{}', 'ab').quick.isEnabled, false);
});

t.test('damaged parameters are refused', async t => {
  const texts = ['', '[]', TEXT.replace('"user@host"', '1'), TEXT.replace('86400000000000', '1.5')];
  for (const text of [...texts, TEXT.replace('"enabled":true', '"enabled":1')]) {
    const expected = { code: 'MANIFEST_DAMAGED', message: /ab/ };
    t.throws(() => decodeMaintenanceParameters(text, 'ab'), expected);
  }
});
