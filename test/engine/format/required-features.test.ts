import t from 'tap';
import { failing } from '#engine/format/json-fields.ts';
import {
  checkRequiredFeatures,
  readRequiredFeatures,
  requiredFeaturesJson,
} from '#engine/format/required-features.ts';

const fail = failing('REPOSITORY_FORMAT_INVALID', 'features', 'give up');
const LIST = [
  { feature: 'index-v1', ifNotUnderstood: { warn: false } },
  {
    feature: 'teleport',
    ifNotUnderstood: { warn: true, message: 'beam', url: 'https://x', upgradeToVersion: '9' },
    later: 1,
  },
];

t.test('features are read and written', async t => {
  const features = readRequiredFeatures(LIST, fail);
  t.same(JSON.parse(JSON.stringify(requiredFeaturesJson(features))), LIST);
});

t.test('an optional feature that is unknown is a warning with all there is to say', async t => {
  const [warning, ...others] = checkRequiredFeatures(readRequiredFeatures(LIST, fail));
  t.same(others, []);
  for (const part of ['"teleport"', 'beam', 'https://x', 'kopia 9']) t.ok(warning.includes(part));
});

t.test('a mandatory feature that is unknown is an error', async t => {
  const features = readRequiredFeatures([{ feature: 'teleport' }], fail);
  t.throws(() => checkRequiredFeatures(features), {
    code: 'REPOSITORY_FEATURE_UNSUPPORTED',
    details: { feature: 'teleport' },
    message: /does not have$/,
  });
  t.same(checkRequiredFeatures(features, ['teleport']), []);
});
