// The benchmark's own tools: a change can be taken back, and trees that differ are told apart.

import {
  chmodSync,
  cpSync,
  lstatSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import t, { type Test } from 'tap';
import { planChange } from './change.ts';
import { compareTrees } from './equal-trees.ts';

const ALL = { oneIn: 1, seed: 1 };
const HALF = { seed: 7, share: 0.5 };

function twoTrees(t: Test): { source: string; copy: string } {
  const files = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`f${i}`, `text ${i}`]));
  const directory = t.testdir({ source: { ...files, below: files, empty: '' } });
  const copy = `${directory}/copy`;
  cpSync(`${directory}/source`, copy, { recursive: true, preserveTimestamps: true });
  // What cpSync keeps of a time is less than nanoseconds.
  cpSync(copy, `${directory}/second`, { recursive: true, preserveTimestamps: true });
  return { source: `${directory}/second`, copy };
}

t.test('a change changes its share of the files, and is taken back whole', async t => {
  const { source } = twoTrees(t);
  const before = readFileSync(`${source}/below/f3`);
  const timeBefore = lstatSync(`${source}/below/f3`).mtimeMs;
  const change = planChange(source, { seed: 7, share: 1 });
  t.match(change, { files: 20, bytes: 20 * 'text 1'.length });
  change.apply();
  t.notOk(readFileSync(`${source}/below/f3`).equals(before));
  change.revert();
  t.ok(readFileSync(`${source}/below/f3`).equals(before));
  t.ok(Math.abs(lstatSync(`${source}/below/f3`).mtimeMs - timeBefore) < 1);
});

t.test('the same seed changes two trees to the same', async t => {
  const { source, copy } = twoTrees(t);
  const changes = [source, copy].map(path => planChange(path, HALF));
  t.equal(changes[0]?.files, 10);
  for (const change of changes) change.apply();
  const { differences } = compareTrees(source, copy, ALL);
  t.ok(
    differences.every(line => line.includes('modified at')),
    'nothing but times',
  );
});

t.test('trees that are the same have no differences', async t => {
  const directory = t.testdir({ a: 'a', b: { c: 'c' } });
  t.match(compareTrees(directory, directory, ALL), { files: 2, bytes: 2, differences: [] });
});

for (const [what, spoil] of [
  ['is missing', path => rmSync(`${path}/f1`)],
  ['is there, too', path => writeFileSync(`${path}/more`, '')],
  ['f2: mode', path => chmodSync(`${path}/f2`, 0o600)],
  ['f3: 2 bytes of 6', path => writeFileSync(`${path}/f3`, 'xx')],
  ['f4: modified', path => writeFileSync(`${path}/f4`, 'text 4')],
] as const satisfies readonly (readonly [string, (path: string) => void])[]) {
  t.test(`a difference is found: ${what}`, async t => {
    const { source, copy } = twoTrees(t);
    t.strictSame(compareTrees(source, copy, ALL).differences, []);
    spoil(copy);
    const { differences } = compareTrees(source, copy, ALL);
    t.ok(differences.some(line => line.includes(what)));
  });
}

t.test('bytes that differ are found although size and time are the same', async t => {
  const { source, copy } = twoTrees(t);
  writeFileSync(`${copy}/f5`, 'tex! 5');
  for (const tree of [source, copy]) utimesSync(`${tree}/f5`, 1_700_000_000, 1_700_000_000);
  t.strictSame(compareTrees(source, copy, ALL).differences, ['f5: other bytes']);
});
