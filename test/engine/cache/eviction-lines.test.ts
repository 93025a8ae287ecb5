import t from 'tap';
import {
  DEFAULT_EVICTION_LINES,
  evictionLinesOf,
  parseThreshold,
} from '#engine/cache/eviction-lines.ts';

t.test('a threshold is a percentage or a quantity', async t => {
  t.same(parseThreshold('10%'), { share: 0.1 });
  t.same(parseThreshold('1Gi'), { amount: 2 ** 30 });
  t.equal(parseThreshold('%'), undefined);
});

t.test('what the kubelet does not mention has its default', async t => {
  const hard = { 'nodefs.available': '8%', 'imagefs.available': 1024, 'memory.available': '1Gi' };
  t.same(evictionLinesOf(hard), [
    { signal: 'nodefs.available', threshold: { share: 0.08 } },
    { signal: 'imagefs.available', threshold: { amount: 1024 } },
    { signal: 'nodefs.inodesFree', threshold: { share: 0.05 } },
    { signal: 'imagefs.inodesFree', threshold: { share: 0.05 } },
  ]);
  t.same(evictionLinesOf({}), DEFAULT_EVICTION_LINES);
  t.same(evictionLinesOf({ 'nodefs.available': 'lots' }), DEFAULT_EVICTION_LINES);
  t.same(evictionLinesOf({ 'nodefs.available': ['8%'] }), DEFAULT_EVICTION_LINES);
});
