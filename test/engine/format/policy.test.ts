import t from 'tap';
import { POLICY_FIELDS } from '#engine/format/policy-fields.ts';
import { checkPolicy, decodePolicy, encodePolicy, policyLabels } from '#engine/format/policy.ts';

const PATH = { host: 'h', userName: 'u', path: '/a' };
// What Velero sets before a backup.
const VELERO =
  '{"retention":{"keepLatest":2147483647,"keepHourly":2147483647,"keepDaily":2147483647,' +
  '"keepWeekly":2147483647,"keepMonthly":2147483647,"keepAnnual":2147483647},"files":{},' +
  '"errorHandling":{"ignoreUnknownTypes":true},"scheduling":{"manual":true},' +
  '"compression":{"compressorName":"none"},"metadataCompression":{},"splitter":{},"actions":{},' +
  '"osSnapshots":{"volumeShadowCopy":{}},"logging":{"directories":{},"entries":{}},' +
  '"upload":{"maxParallelFileReads":4,"parallelUploadAboveSize":9223372036854775807}}';

t.test('a policy is read and written without losing a digit', async t => {
  const policy = decodePolicy(VELERO, 'ab');
  t.equal(policy.retention?.keepLatest, 2147483647);
  t.equal(policy.upload?.parallelUploadAboveSize, 9223372036854775807n);
  t.equal(encodePolicy(policy), VELERO);
  const later = VELERO.replaceAll('}', ',"later":1.50}').replaceAll('{,', '{');
  t.equal(encodePolicy(decodePolicy(later, 'ab')), later);
});

t.test('null is absent', async t => {
  t.ok(decodePolicy('{"retention":null,"files":{"ignore":null},"noParent":null}', 'ab'));
});

t.test('every field is checked', async t => {
  const wrong = {
    optional: '1.5',
    amount: '"1"',
    choice: '1',
    flag: '"true"',
    barrier: '1',
    text: '1',
  };
  const lists = { texts: '[1]', union: '"x"', times: '[1]', command: '[]', ownCommand: '"x"' };
  for (const { section, name, kind } of POLICY_FIELDS) {
    const value = { ...wrong, ...lists }[kind];
    const text = [...section, name].reduceRight((inner, key) => `{"${key}":${inner}}`, value);
    const path = [...section, name].join('.');
    t.throws(
      () => decodePolicy(text, 'ab'),
      { code: 'POLICY_INVALID', message: new RegExp(path) },
      path,
    );
  }
});

t.test('what is no policy is refused', async t => {
  const texts = ['', 'null', '[]', '{"retention":[]}', '{"logging":{"entries":5}}'];
  for (const text of [...texts, '{"scheduling":{"timeOfDay":[{"hour":"x"}]}}']) {
    t.throws(
      () => decodePolicy(text, 'ab'),
      { code: 'POLICY_INVALID', message: /policy ab/ },
      text,
    );
  }
});

t.test('labels say what a policy is for', async t => {
  t.same(policyLabels(PATH), {
    type: 'policy',
    policyType: 'path',
    username: 'u',
    hostname: 'h',
    path: '/a',
  });
  t.same(policyLabels({ ...PATH, path: '' }), {
    type: 'policy',
    policyType: 'user',
    username: 'u',
    hostname: 'h',
  });
  t.same(policyLabels({ host: 'h', userName: '', path: '' }), {
    type: 'policy',
    policyType: 'host',
    hostname: 'h',
  });
  t.same(policyLabels({ host: '', userName: '', path: '' }), {
    type: 'policy',
    policyType: 'global',
  });
});

t.test('a policy that kopia would not set is refused', async t => {
  const invalid = { code: 'POLICY_INVALID' };
  t.doesNotThrow(() => checkPolicy(PATH, decodePolicy(VELERO, 'ab')));
  t.throws(() => checkPolicy(PATH, { scheduling: { manual: true, cron: ['x'] } }), invalid);
  t.throws(() => checkPolicy(PATH, { upload: { maxParallelSnapshots: 2 } }), invalid);
  t.doesNotThrow(() => checkPolicy({ ...PATH, path: '' }, { upload: { maxParallelSnapshots: 2 } }));
  for (const path of ['/a/', 'C:\\a\\'])
    t.throws(() => checkPolicy({ ...PATH, path }, {}), invalid);
  for (const path of ['/', 'C:\\', 'relative'])
    t.doesNotThrow(() => checkPolicy({ ...PATH, path }, {}));
});
