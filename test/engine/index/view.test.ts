import t from 'tap';
import type { IndexEntry } from '#engine/index/entry.ts';
import { IndexTableBuilder } from '#engine/index/table-builder.ts';
import { IndexView } from '#engine/index/view.ts';
import {
  fileFrom,
  mergeByRule,
  pickSeed,
  randomEntries,
  randomFrom,
  splitAtRandom,
  withoutTwins,
} from './model.ts';

const seed = pickSeed();
t.comment(`seed ${seed}`);
const random = randomFrom(seed);
const WATERMARK = 1767225601;

function tableOf(entries: readonly IndexEntry[]) {
  const builder = new IndexTableBuilder({ hashBytes: 16, expectedContents: entries.length });
  builder.addFile(fileFrom(entries, 16), { name: 'test' });
  return builder.finish();
}

function isKept(entry: IndexEntry, watermark: number): boolean {
  return !entry.isDeleted || entry.timestampSeconds > watermark;
}

for (const tableCount of [1, 2, 12]) {
  for (const watermark of [-1, WATERMARK]) {
    const entries = withoutTwins(randomEntries({ random, hashBytes: 16, count: 3000, keys: 1000 }));
    const parts = splitAtRandom(entries, tableCount, random);
    const view = new IndexView(parts.map(tableOf), watermark);
    const winners = mergeByRule(entries);
    const expected = winners.filter(entry => isKept(entry, watermark));
    const title = `${tableCount} tables, watermark ${watermark}`;

    const check = (t: { equal(a: unknown, b: unknown): boolean }, view: IndexView) => {
      let wrong = 0;
      for (const entry of winners) {
        const place = view.find(entry.key, 0, 17);
        const live = view.findLive(entry.key, 0, 17);
        const isRight = isKept(entry, watermark)
          ? place >= 0 &&
            view.timestampAt(place) === entry.timestampSeconds &&
            view.isDeletedAt(place) === entry.isDeleted &&
            view.offsetAt(place) === entry.packOffset &&
            view.packedBytesAt(place) === entry.packedBytes &&
            view.originalBytesAt(place) === entry.originalBytes &&
            view.compressionAt(place) === entry.compressionId &&
            view.formatVersionAt(place) === entry.formatVersion &&
            view.packIdAt(place) === entry.packId &&
            live === (entry.isDeleted ? -1 : place)
          : place === -1 && live === -1;
        if (!isRight) wrong++;
      }
      t.equal(wrong, 0);
    };

    t.test(`${title}: look-ups give the winner, unless it was dropped`, async t => {
      check(t, view);
      check(t, view.merged());
      check(t, IndexView.attach(structuredClone(view.share())));
    });

    t.test(`${title}: iteration gives each content once, in key order`, async t => {
      t.strictSame([...view.entries()], expected);
      t.strictSame([...view.merged().entries()], expected);
      t.strictSame(
        [...view.entries(0x6d)],
        expected.filter(({ key }) => key[0] === 0x6d),
      );
    });

    t.test(`${title}: packs are referenced by deleted entries too, not by dropped`, async t => {
      const packs = view.referencedPacks();
      const ids = Array.from({ length: packs.count }, (_, index) => packs.idAt(index));
      t.strictSame(ids.sort(), [...new Set(expected.map(({ packId }) => packId))].sort());
      t.ok(packs.find(ids[0]) >= 0);
      t.equal(packs.find('p-unknown'), -1);
    });
  }
}

t.test('any number of tables can be added one by one', async t => {
  const all = randomEntries({ random, hashBytes: 16, count: 200, keys: 100 });
  const entries = withoutTwins(all);
  let view = new IndexView([]);
  let tablesMax = 0;
  for (const part of splitAtRandom(entries, 40, random)) {
    view = view.withTable(tableOf(part));
    tablesMax = Math.max(tablesMax, view.tables.length);
    t.equal(view.shouldMerge, false);
  }
  t.equal(tablesMax, 8);
  t.strictSame([...view.entries()], mergeByRule(entries));
});

t.test(
  'a view of more than eight tables asks to be merged, of more than sixteen fails',
  async t => {
    const table = tableOf(randomEntries({ random, hashBytes: 16, count: 3, keys: 3 }));
    const view = new IndexView(Array.from({ length: 16 }, () => table));
    t.equal(view.shouldMerge, true);
    t.equal(view.rowCount, 16 * table.count);
    t.equal(view.merged().tables.length, 2);
    t.equal(view.merged().shouldMerge, false);
    t.throws(() => new IndexView([...view.tables, table]), { code: 'LIMIT_EXCEEDED' });
    t.equal(view.withTable(table).tables.length, 3, 'which adding a table comes before');
  },
);

t.test('a view without tables has no contents', async t => {
  const view = new IndexView([]);
  t.equal(view.find(new Uint8Array(17), 0, 17), -1);
  t.strictSame([...view.entries()], []);
  t.equal(view.referencedPacks().count, 0);
});

t.test('tables of different hash lengths make no view', async t => {
  const table = tableOf(randomEntries({ random, hashBytes: 16, count: 3, keys: 3 }));
  const other = new IndexTableBuilder({ hashBytes: 32 }).finish();
  t.throws(() => new IndexView([table, other]), { code: 'INTERNAL' });
});
