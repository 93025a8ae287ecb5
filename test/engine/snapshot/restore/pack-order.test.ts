import t from 'tap';
import { allocateColumns, attachColumns } from '#engine/base/columns.ts';
import { chunkRanges, fetchOrder } from '#engine/snapshot/restore/pack-order.ts';
import {
  CHUNK_COLUMNS,
  CHUNK_FLAG,
  type ChunkColumns,
  NO_ROW,
} from '#engine/snapshot/restore/plan-tables.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';

const LIMITS = { gapBytesMax: 10, rangeBytesMax: 100, chunksMax: 4 };

/** Chunks as [pack, offset, bytes]. */
function chunksOf(rows: readonly (readonly [number, number, number])[]): ChunkColumns {
  const memory = allocateColumns(CHUNK_COLUMNS, rows.length, { isShared: true });
  const chunks = attachColumns(CHUNK_COLUMNS, memory);
  rows.forEach(([pack, offset, bytes], row) => {
    chunks.pack[row] = pack;
    chunks.packOffset[row] = offset;
    chunks.packedBytes[row] = bytes;
  });
  return chunks;
}

const plan = (rows: readonly (readonly [number, number, number])[]) => {
  const chunks = chunksOf(rows);
  const order = fetchOrder(chunks, rows.length, () => true);
  const ranges = [...chunkRanges(chunks, order, LIMITS)];
  return {
    order: [...order],
    ranges: ranges.map(r => [r.pack, r.offset, r.length, r.to - r.from]),
  };
};

t.test('neighbours come with one range, up to a gap and a length', async t => {
  t.strictSame(plan([]).ranges, []);
  t.strictSame(
    plan([
      [0, 50, 10],
      [0, 0, 45],
    ]),
    { order: [1, 0], ranges: [[0, 0, 60, 2]] },
  );
  t.strictSame(
    plan([
      [0, 0, 10],
      [0, 21, 10],
    ]).ranges,
    [
      [0, 0, 10, 1],
      [0, 21, 10, 1],
    ],
  );
  t.strictSame(
    plan([
      [0, 0, 60],
      [0, 60, 60],
    ]).ranges,
    [
      [0, 0, 60, 1],
      [0, 60, 60, 1],
    ],
  );
  t.strictSame(plan([[0, 0, 500]]).ranges, [[0, 0, 500, 1]], 'one content may be longer');
  t.strictSame(
    plan([
      [0, 0, 5],
      [1, 5, 5],
    ]).ranges,
    [
      [0, 0, 5, 1],
      [1, 5, 5, 1],
    ],
  );
});

t.test('places of one content are never divided', async t => {
  const rows = Array.from({ length: 9 }, () => [3, 7, 5] as const);
  t.strictSame(plan(rows).ranges, [[3, 7, 5, 9]]);
});

t.test('what is there, unknown or not wanted is not fetched', async t => {
  const chunks = chunksOf([
    [0, 0, 1],
    [NO_ROW, 0, 0],
    [0, 1, 1],
    [0, 2, 1],
  ]);
  chunks.flags[0] = CHUNK_FLAG.present;
  t.strictSame([...fetchOrder(chunks, 4, chunk => chunk !== 3)], [2]);
});

t.test('ranges cover every content and no byte twice', async t => {
  const seed = newSeed();
  t.comment(`STEVEDORE_TEST_SEED=${seed}`);
  const random = new SeededRandom(seed);
  for (let round = 0; round < 200; round++) {
    const rows: [number, number, number][] = [];
    for (let pack = 0; pack < 3; pack++) {
      for (let offset = 0; offset < 600;) {
        const bytes = 1 + random.below(90);
        for (let copies = random.below(3); copies > 0; copies--) rows.push([pack, offset, bytes]);
        offset += bytes + random.below(2) * random.below(30);
      }
    }
    const chunks = chunksOf(rows);
    const order = fetchOrder(chunks, rows.length, () => true);
    let next = 0;
    const ends = new Map<number, number>();
    for (const { pack, offset, length, from, to } of chunkRanges(chunks, order, LIMITS)) {
      if (from !== next) t.fail(`the range begins at ${from} instead of ${next}`);
      if (offset < (ends.get(pack) ?? 0)) t.fail('a byte is fetched twice');
      for (let at = from; at < to; at++) {
        const [chunkPack, start, bytes] = rows[order[at]];
        const isWithin = chunkPack === pack && start >= offset && start + bytes <= offset + length;
        if (!isWithin) t.fail('a content lies outside of its range');
      }
      ends.set(pack, offset + length);
      next = to;
    }
    if (next !== rows.length) t.fail('chunks are missing');
  }
  t.pass('200 plans');
});
