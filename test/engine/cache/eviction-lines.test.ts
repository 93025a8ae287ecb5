import t from 'tap';
import {
  DEFAULT_EVICTION_LINES,
  evictionLinesOf,
  linesFor,
  parseQuantity,
  parseThreshold,
} from '#engine/cache/eviction-lines.ts';

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

t.test('a threshold is a percentage or a quantity', async t => {
  t.same(parseThreshold('10%'), { share: 0.1 });
  t.same(parseThreshold('1Gi'), { amount: 2 ** 30 });
  t.equal(parseThreshold('%'), undefined);
});

const CONFIGURATIONS: Readonly<Record<string, string>> = {
  YAML: [
    'kind: KubeletConfiguration',
    'evictionHard:',
    '  memory.available: 100Mi',
    '  nodefs.available: "8%"',
    '  imagefs.available: 20Gi # images',
    'maxPods: 110',
    'nodefs.available: 99%',
    '',
  ].join('\n'),
  'YAML in one line': 'evictionHard: {nodefs.available: 8%, imagefs.available: 20Gi}\n',
  JSON: JSON.stringify({
    kind: 'KubeletConfiguration',
    evictionHard: { 'nodefs.available': '8%', 'imagefs.available': '20Gi' },
    maxPods: 1,
  }),
};

for (const [form, text] of Object.entries(CONFIGURATIONS)) {
  t.test(`lines come from the kubelet's configuration in ${form}`, async t => {
    t.same(evictionLinesOf(text), [
      { signal: 'nodefs.available', threshold: { share: 0.08 } },
      { signal: 'imagefs.available', threshold: { amount: 20 * 2 ** 30 } },
      { signal: 'nodefs.inodesFree', threshold: { share: 0.05 } },
      { signal: 'imagefs.inodesFree', threshold: { share: 0.05 } },
    ]);
  });
}

t.test('where nothing is known or readable the defaults stand', async t => {
  t.same(evictionLinesOf(undefined), DEFAULT_EVICTION_LINES);
  t.same(evictionLinesOf('evictionHard:\n  nodefs.available: lots\n'), DEFAULT_EVICTION_LINES);
  t.same(evictionLinesOf('\0\x01'), DEFAULT_EVICTION_LINES);
});

t.test('only lines of the disk at hand apply', async t => {
  const signals = (place: Parameters<typeof linesFor>[1]) =>
    linesFor(DEFAULT_EVICTION_LINES, place).map(({ signal }) => signal);
  t.same(signals({ isNodeDisk: true, isImageDisk: false }), [
    'nodefs.available',
    'nodefs.inodesFree',
  ]);
  t.same(signals({ isNodeDisk: false, isImageDisk: false }), []);
});
