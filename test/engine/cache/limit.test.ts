import t from 'tap';
import { DEFAULT_EVICTION_LINES } from '#engine/cache/eviction-lines.ts';
import { cacheLimit, type DiskState, type LimitSettings } from '#engine/cache/limit.ts';
import { GROWTH_DELAY_MS, settleLimit } from '#engine/cache/limit-growth.ts';
import { FallRate } from '#engine/cache/fall-rate.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';

const GIB = 2 ** 30;

function disk(changes: Partial<DiskState> = {}): DiskState {
  return {
    totalBytes: 100 * GIB,
    freeBytes: 30 * GIB,
    ownBytes: 4 * GIB,
    totalInodes: 1_000_000,
    freeInodes: 500_000,
    ownInodes: 100,
    fallBytesPerSecond: 0,
    ...changes,
  };
}

const NODE: LimitSettings = { evictionLines: DEFAULT_EVICTION_LINES };

const ROWS: readonly {
  readonly title: string;
  readonly settings: LimitSettings;
  readonly disk?: Partial<DiskState>;
  readonly gib: number;
  readonly reason: string;
}[] = [
  {
    title: 'a number binds',
    settings: { ...NODE, absoluteBytes: GIB },
    gib: 1,
    reason: 'absolute',
  },
  { title: 'a share binds', settings: { ...NODE, share: 0.05 }, gib: 5, reason: 'percentage' },
  {
    title: 'the example of docs/cache.md',
    settings: { ...NODE, share: 0.2 },
    gib: 18,
    reason: 'imagefs.available',
  },
  {
    title: 'the size of an emptyDir binds',
    settings: { ...NODE, absoluteBytes: 9 * GIB, emptyDirBytes: 2 * GIB },
    gib: 2,
    reason: 'emptyDir size',
  },
  {
    title: 'memory binds',
    settings: { evictionLines: [], memoryBytes: GIB / 2 },
    gib: 0.5,
    reason: 'memory',
  },
  {
    title: 'a volume of its own has no line',
    settings: { evictionLines: [] },
    gib: 33,
    reason: 'file system',
  },
  {
    title: 'a line may be an amount',
    settings: {
      evictionLines: [{ signal: 'nodefs.available', threshold: { amount: 20 * GIB } }],
    },
    gib: 13,
    reason: 'nodefs.available',
  },
  {
    title: 'what others are writing is kept free for two seconds more',
    settings: { evictionLines: [], marginBytes: 0 },
    disk: { fallBytesPerSecond: 0.5 * GIB },
    gib: 33,
    reason: 'file system',
  },
  {
    title: 'below the line nothing remains',
    settings: NODE,
    disk: { freeBytes: 5 * GIB },
    gib: 0,
    reason: 'imagefs.available',
  },
];

for (const row of ROWS) {
  t.test(`of the limits, ${row.title}`, async t => {
    const { bytes } = cacheLimit(row.settings, disk(row.disk));
    t.equal(bytes.amount / GIB, row.gib);
    t.equal(bytes.reason, row.reason);
  });
}

t.test('inodes have a limit and a line of their own', async t => {
  const { inodes } = cacheLimit(NODE, disk({ freeInodes: 60_000 }));
  t.equal(inodes.reason, 'nodefs.inodesFree');
  t.equal(inodes.amount, 60_000 + 100 - 1024 - 50_000);
  const unlimited = cacheLimit(NODE, disk({ totalInodes: 0, freeInodes: 0 }));
  t.ok(unlimited.inodes.amount > 1e9, 'btrfs counts none');
});

t.test(
  'whatever the disk says, a cache at its limit leaves the line and the margin free',
  async t => {
    const seed = newSeed();
    t.comment(`STEVEDORE_TEST_SEED=${seed}`);
    const random = new SeededRandom(seed);
    for (let run = 0; run < 2000; run++) {
      const totalBytes = 1 + random.below(2 ** 31) * 512;
      const ownBytes = random.below(totalBytes);
      const freeBytes = random.below(totalBytes - ownBytes);
      const state = disk({ totalBytes, ownBytes, freeBytes });
      const { bytes } = cacheLimit(NODE, state);
      const freeThen = freeBytes + ownBytes - bytes.amount;
      if (bytes.amount > 0 && freeThen < totalBytes * 0.15) {
        t.fail(`total ${totalBytes} own ${ownBytes} free ${freeBytes}: ${bytes.amount}`);
      }
    }
  },
);

const sized = (amount: number) =>
  ({
    bytes: { amount, reason: 'absolute' },
    inodes: { amount: 1000, reason: 'file system' },
  }) as const;

const lookAt = (nowMs: number, totalBytes = 100 * GIB) => ({ nowMs, totalBytes });

t.test('a limit falls at once', async t => {
  const first = settleLimit(undefined, sized(10 * GIB), lookAt(0));
  t.equal(settleLimit(first, sized(3 * GIB), lookAt(1)).limit.bytes.amount, 3 * GIB);
});

t.test('a limit that fell grows only after a quiet time, and for something', async t => {
  const first = settleLimit(undefined, sized(10 * GIB), lookAt(0));
  const fallen = settleLimit(first, sized(3 * GIB), lookAt(1000));
  const at = (wanted: number, ms: number) =>
    settleLimit(fallen, sized(wanted), lookAt(1000 + ms)).limit.bytes.amount;
  t.equal(at(9 * GIB, GROWTH_DELAY_MS - 1), 3 * GIB);
  t.equal(at(9 * GIB, GROWTH_DELAY_MS), 9 * GIB);
  t.equal(at(3 * GIB + 4096, GROWTH_DELAY_MS), 3 * GIB, 'not for a block');
});

t.test('a limit of nothing grows again', async t => {
  const first = settleLimit(undefined, sized(GIB), lookAt(0));
  const fallen = settleLimit(first, sized(0), lookAt(1));
  const later = settleLimit(fallen, sized(GIB), lookAt(1 + GROWTH_DELAY_MS));
  t.equal(later.limit.bytes.amount, GIB);
});

t.test('a file system that was made larger is used at once, however lately it filled', async t => {
  const first = settleLimit(undefined, sized(10 * GIB), lookAt(0));
  const fallen = settleLimit(first, sized(3 * GIB), lookAt(1));
  const after = (nowMs: number, totalBytes: number) =>
    settleLimit(fallen, sized(9 * GIB), lookAt(nowMs, totalBytes));
  t.equal(after(2, 100.5 * GIB).limit.bytes.amount, 3 * GIB, 'not for half a percent');
  const grown = after(2, 102 * GIB);
  t.equal(grown.limit.bytes.amount, 9 * GIB);
  const full = settleLimit(grown, sized(2 * GIB), lookAt(3, 102 * GIB));
  const freed = settleLimit(full, sized(9 * GIB), lookAt(4, 102 * GIB));
  t.equal(freed.limit.bytes.amount, 2 * GIB, 'once for each time');
  const slowly = [100.5, 100.9, 101.3].map(gib => gib * GIB);
  let settled = fallen;
  for (const total of slowly) settled = settleLimit(settled, sized(9 * GIB), lookAt(5, total));
  t.equal(settled.limit.bytes.amount, 9 * GIB, 'in small steps, too');
});

t.test('how fast a disk fills is remembered for a while', async t => {
  const rate = new FallRate();
  t.equal(rate.note(0, 0), 0);
  t.equal(rate.note(500e6, 1000), 500e6);
  t.ok(rate.isFalling);
  t.equal(rate.note(500e6, 2000), 250e6);
  for (let second = 3; second < 12; second++) rate.note(400e6, second * 1000);
  t.notOk(rate.isFalling);
});
