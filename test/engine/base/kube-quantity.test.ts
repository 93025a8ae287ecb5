import t from 'tap';
import { parseQuantity } from '#engine/base/kube-quantity.ts';

t.test('quantities are read as Kubernetes writes them', async t => {
  const rows: [string, number | undefined][] = [
    ['0', 0],
    ['1000', 1000],
    ['1Ki', 1024],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['100M', 100e6],
    ['12e6', 12e6],
    ['1E', 1e18],
    ['2Ei', 2 ** 61],
    ['.5k', 500],
    ['', undefined],
    ['1 Gi', undefined],
    ['1GiB', undefined],
    ['-1', undefined],
    ['ten', undefined],
  ];
  for (const [text, expected] of rows) t.equal(parseQuantity(text), expected, JSON.stringify(text));
});
