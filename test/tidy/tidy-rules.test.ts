import t from 'tap';
import { readSourceFiles } from './source-files.ts';
import { TIDY_RULES, tidyFaults } from './tidy-rules.ts';

const good = { path: 'agent/engine/base/bytes.ts', text: 'export const one = 1;\n' };

const faulty: readonly (readonly [string, { path: string; text: string }, RegExp])[] = [
  ['too long a file', { ...good, text: 'x\n'.repeat(401) }, /401 lines/],
  ['too long a line', { ...good, text: `\n${'x'.repeat(101)}\n` }, /line 2: 101 columns/],
  ['a default export', { ...good, text: 'export default 1;\n' }, /name what you export/],
  ['an open end', { ...good, text: `/${'/'} TODO later\n` }, /write an issue/],
  ['utils', { ...good, path: 'agent/engine/base/utils.ts' }, /fits anything/],
  ['a manager', { ...good, path: 'agent/engine/content/epoch-manager.ts' }, /fits anything/],
  ['data', { ...good, path: 'test/engine/data.test.ts' }, /fits anything/],
  ['camel case', { ...good, path: 'agent/engine/base/mapBounded.ts' }, /lower case/],
];

t.test('a tidy file has no faults', async t => {
  t.strictSame(tidyFaults([good, { ...good, text: 'x\n'.repeat(400) }]), []);
  t.strictSame(tidyFaults([{ ...good, path: 'agent/engine/cli/repo-info.ts' }]), []);
});

t.test('each rule finds what it is there for, once', async t => {
  for (const [name, file, reason] of faulty) {
    const faults = tidyFaults([file]);
    t.equal(faults.length, 1, name);
    t.match(faults[0], reason, name);
  }
});

t.test('the tree is tidy', async t => {
  t.strictSame(tidyFaults(readSourceFiles()), []);
  t.ok(TIDY_RULES.length > 0);
});
