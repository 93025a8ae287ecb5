// What is said of mistakes in rules, and what `*` stands for.

import t from 'tap';
import { fits } from '#controller/annotator/annotator-rules.ts';
import { parseRules } from '#controller/annotator/parse-rules.ts';
import { isEngineError } from '#engine/base/errors.ts';

function problemsOf(text: string): unknown {
  try {
    parseRules(text, '--annotator-rules');
  } catch (error) {
    if (isEngineError(error, 'USAGE')) return error.details.problems ?? [error.message];
    throw error;
  }
  return [];
}

t.test('all that is wrong is said at once, with its place', async t => {
  const text = `
    - {action: include, namespaces: [shop, 1], sizeMin: 5 apples}
    - {acton: include}
    - just text
    - {action: drop, volumeTypes: [hostPath, emptydir], podLabels: {app: [], tier: [x, null]}}
    - {action: ignore, sizeMin: 2Gi, sizeMax: 1Gi, podLabels: [app], storageClasses: "", name: []}
  `;
  t.strictSame(problemsOf(text), [
    '[0].namespaces[1] of --annotator-rules is 1; give a name, in which * stands for anything',
    "[0].sizeMin of --annotator-rules is '5 apples'; give a size as claims have it, such as 10Gi",
    '[1] of --annotator-rules has no action; give include or exclude or ignore',
    '[1].acton of --annotator-rules is no condition; try action',
    '[2] of --annotator-rules is no mapping; give {action: include, namespaces: [shop], …}',
    "[3].action of --annotator-rules is 'drop'; give one of include, exclude, ignore",
    "[3].volumeTypes[0] of --annotator-rules is 'hostPath', which cannot be backed up by its " +
      'files; there are persistentVolumeClaim, ephemeral, emptyDir, nfs, csi, ' +
      'awsElasticBlockStore, azureDisk, azureFile, cephfs, cinder, fc, flexVolume, ' +
      'gcePersistentDisk, glusterfs, iscsi, photonPersistentDisk, portworxVolume, quobyte, rbd, ' +
      'scaleIO, storageos, vsphereVolume',
    "[3].volumeTypes[1] of --annotator-rules is 'emptydir', which cannot be backed up by its " +
      'files; try emptyDir',
    '[3].podLabels.app of --annotator-rules is empty, and so it fits nothing; leave it out',
    '[3].podLabels.tier[1] of --annotator-rules is null; give a name, in which * stands for ' +
      'anything',
    '[4].podLabels of --annotator-rules is no mapping; give {app: db} or {app: [db, cache-*]}',
    "[4].storageClasses of --annotator-rules is ''; give a name, in which * stands for anything",
    '[4].name of --annotator-rules is no text; give a name for the log',
    '[4].sizeMin of --annotator-rules is more than its sizeMax',
  ]);
});

t.test('what is no list, no YAML or too much is refused as a whole', async t => {
  t.match(problemsOf('{action: include}'), [/^the value of --annotator-rules is no list; give/]);
  t.match(problemsOf('[['), [/^--annotator-rules is not YAML/]);
  const many = JSON.stringify(Array.from({ length: 101 }, () => ({ action: 'ignore' })));
  t.match(problemsOf(many), [/has 101 rules; give at most 100$/]);
  const names = Array.from({ length: 1001 }, (_, index) => `n${index}`);
  const long = JSON.stringify([{ action: 'ignore', namespaces: names }]);
  t.match(problemsOf(long), [/^\[0\].namespaces of .* has 1001 entries; give at most 1000$/]);
  const labels = Object.fromEntries(names.map(name => [name, 'x']));
  const labelled = JSON.stringify([{ action: 'ignore', podLabels: labels }]);
  t.match(problemsOf(labelled), [/^\[0\].podLabels of .* has 1001 labels; give at most 1000$/]);
  t.match(problemsOf(`[{action: ignore, namespaces: ${'x'.repeat(501)}}]`), [
    /\[0\].namespaces of/,
  ]);
});

t.test('a rule is what it says', async t => {
  const text = '[{name: db, action: include, namespaces: shop, sizeMin: 1000}, {action: ignore}]';
  t.strictSame(parseRules(text, 'it'), [
    { name: 'db', action: 'include', namespaces: ['shop'], sizeBytesMin: 1000 },
    { name: 'rule 2', action: 'ignore' },
  ]);
  t.strictSame(parseRules('', 'it'), []);
});

t.test('a star stands for any characters', async t => {
  const yes = [
    ['a', 'a'],
    ['*', ''],
    ['*', 'abc'],
    ['a*', 'a'],
    ['a*c', 'abbc'],
    ['*b*', 'abc'],
    ['a*b*c', 'a-b-c'],
    ['**', 'x'],
    ['*aab', 'aaab'],
    ['__proto__', '__proto__'],
  ];
  const no = [
    ['a', 'ab'],
    ['a', ''],
    ['a*a', 'a'],
    ['ab*ba', 'aba'],
    ['a*b*c', 'acb'],
    ['*b', 'ba'],
    ['a.c', 'abc'],
  ];
  for (const [pattern = '', text = ''] of yes) t.ok(fits(pattern, text), `${pattern} ${text}`);
  for (const [pattern = '', text = ''] of no) t.notOk(fits(pattern, text), `${pattern} ${text}`);
});
