// No test file is forgotten: `npm test` runs the folders that files of test/together name.

import { dirname } from 'node:path';
import t from 'tap';
import { readSourceFiles } from './source-files.ts';

const SUITES = 'cluster|compat|csi|fidelity|long|observability|pages|together|velero';
/** Suites of their own, by folder or by name, and files that tap starts by themselves. */
const ELSEWHERE = new RegExp(`^test/(${SUITES})/|\\.(apart|slow)\\.test\\.ts$`);
/** Within a folder of others. */
const ON_AN_API_SERVER = /^test\/charts\/installed\//;

const isElsewhere = (path: string) => ELSEWHERE.test(path) || ON_AN_API_SERVER.test(path);
const files = readSourceFiles();

t.test('every folder of tests runs in one process with others', async t => {
  const starters = files.filter(({ path }) => /^test\/together\/.*\.test\.ts$/.test(path));
  const named = starters.flatMap(({ text }) => {
    const [, folders] = /runTogether\(([^)]*)\)/.exec(text) ?? [];
    return [...(folders ?? '').matchAll(/'([^']+)'/g)].map(([, folder]) => `test/${folder}`);
  });
  const tests = files.filter(({ path }) => path.endsWith('.test.ts') && !isElsewhere(path));
  const folders = new Set(tests.map(({ path }) => dirname(path)));
  t.same(named.map(folder => folder.replace(/\/\.$/, '')).sort(), [...folders].sort());
});
