import t from 'tap';
import { listingDifferences, treeListing } from '#test/support/tree-listing.ts';
import { changeTree } from './change-tree.ts';
import { SeededRandom } from '#test/support/random.ts';

t.test('a day of changes touches what it says, whatever the directory holds', async t => {
  const full = t.testdir({ dir: { a: 'a' }, b: 'bb', c: 'ccc', d: 'dddd' });
  const before = await treeListing(full);
  t.equal((await changeTree(full, new SeededRandom(1))).length, 6);
  t.ok(listingDifferences(before, await treeListing(full)).length >= 5);
  const empty = t.testdir({});
  t.strictSame(await changeTree(empty, new SeededRandom(1)), ['1 added']);
});
