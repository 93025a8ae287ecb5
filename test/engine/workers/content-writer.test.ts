import t from 'tap';
import { type Compressor, compressorByName } from '#engine/compress/compressors.ts';
import { PendingContents } from '#engine/index/pending.ts';
import { IndexTableBuilder } from '#engine/index/table-builder.ts';
import { IndexRows } from '#engine/index/rows.ts';
import type { IndexTable } from '#engine/index/table.ts';
import { encodeIndex } from '#engine/index/encode.ts';
import { IndexView } from '#engine/index/view.ts';
import { ContentWriter } from '#engine/workers/content-writer.ts';
import { PackWriter } from '#engine/workers/pack-writer.ts';
import { COUNTER } from '#engine/workers/run-control.ts';
import { SeededRandom } from '#test/support/random.ts';
import {
  FakeTickets,
  KEY_BYTES,
  keyOf,
  newCipher,
  newHash,
  openAll,
  regionOf,
} from './pack-scene.ts';

const NOW = 1_700_000_000;
const bytes = (text: string) => new Uint8Array(Buffer.from(text));

/** An index that knows one content. */
function indexOf(
  key: Uint8Array,
  fields: { timestampSeconds: number; isDeleted: boolean },
  watermarkSeconds?: number,
): IndexView {
  const rows = new IndexRows(KEY_BYTES);
  const packIndex = rows.addPack('p1');
  const place = { packIndex, packOffset: 0, packedBytes: 100, originalBytes: 72 };
  rows.add(key, 0, { ...place, compressionId: 0, formatVersion: 3, ...fields });
  return new IndexView([tableOf(rows)], watermarkSeconds);
}

function tableOf(rows: IndexRows): IndexTable {
  const builder = new IndexTableBuilder({ hashBytes: KEY_BYTES - 1 });
  for (const file of encodeIndex(rows, { version: 2 })) builder.addFile(file, { name: 'i' });
  return builder.finish();
}

function scene(
  index = new IndexView([]),
  pending = PendingContents.create({ keyBytes: KEY_BYTES, contentsMax: 1000 }),
) {
  const tickets = new FakeTickets(() => ({ buffer: new ArrayBuffer(4 << 20) }));
  const options = { packBytesMax: 2 << 20, formatVersion: 3 };
  const packs = new PackWriter(tickets, newHash(), newCipher(), options);
  const counters = new Float64Array(8);
  const known = { index, pending };
  const contents = new ContentWriter({
    hash: newHash(),
    packs,
    known,
    counters,
    nowSeconds: () => NOW,
  });
  const write = (data: Uint8Array, prefix = 0, compressor?: Compressor) =>
    contents.write(prefix, regionOf(data), data.length, compressor);
  return { tickets, packs, counters, contents, write, pending };
}

t.test('the key of what was written is left behind', async t => {
  const { contents, write } = scene();
  write(bytes('a'), 'k'.charCodeAt(0));
  t.strictSame(contents.key, keyOf(bytes('a'), 'k'.charCodeAt(0)));
});

t.test('a content that the index has is not written, and no pack is begun for it', async t => {
  const data = bytes('known');
  const index = indexOf(keyOf(data), { timestampSeconds: 5, isDeleted: false });
  const { tickets, packs, counters, write } = scene(index);
  write(data);
  packs.finishAll();
  t.strictSame(tickets.taken, []);
  t.equal(counters[COUNTER.contentsReused], 1);
  t.equal(counters[COUNTER.bytesHashed], data.length);
});

t.test('a content that another thread has claimed is not written', async t => {
  const first = scene();
  const second = scene(undefined, first.pending);
  first.write(bytes('x'));
  second.write(bytes('x'));
  second.packs.finishAll();
  t.strictSame(second.tickets.packs, []);
  t.equal(first.counters[COUNTER.contentsNew], 1);
  t.equal(second.counters[COUNTER.contentsReused], 1);
});

t.test('the same bytes under another prefix are another content', async t => {
  const { tickets, packs, counters, write } = scene();
  write(bytes('x'));
  write(bytes('x'), 'k'.charCodeAt(0));
  packs.finishAll();
  t.equal(counters[COUNTER.contentsNew], 2);
  t.strictSame(tickets.packs.map(({ packId }) => packId[0]).sort(), ['p', 'q']);
});

const NO_WATERMARK = -1;
const TIME_MAX = 2 ** 32 - 1;

for (const [title, deletedAt, watermark, expected] of [
  ['deleted', NOW - 100, NO_WATERMARK, NOW],
  ['deleted by a clock that is ahead', NOW + 100, NO_WATERMARK, NOW + 101],
  ['deleted at the end of time', TIME_MAX, NO_WATERMARK, TIME_MAX],
  ['dropped', NOW - 100, NOW - 50, NOW],
  ['dropped by a clock that is ahead', NOW + 100, NOW + 150, NOW + 101],
  ['dropped at the end of time', TIME_MAX, TIME_MAX, TIME_MAX],
] as const) {
  t.test(`a content that was ${title} is written again, with a time that counts`, async t => {
    const data = bytes('deleted');
    const key = keyOf(data);
    const index = indexOf(key, { timestampSeconds: deletedAt, isDeleted: true }, watermark);
    const { tickets, packs, write } = scene(index);
    write(data);
    packs.finishAll();
    const [{ packId, rows }] = tickets.packs;
    t.equal(rows.timestampAt(0), expected);
    const after = index.withTable(tableOf(rows));
    const place = after.findLive(key, 0, key.length);
    t.equal(place >= 0 && after.packIdAt(place), packId);
  });
}

t.test(
  'a content that was never there gets the time, however late contents are dropped',
  async t => {
    const other = { timestampSeconds: TIME_MAX, isDeleted: true };
    const { tickets, packs, write } = scene(indexOf(keyOf(bytes('other')), other, TIME_MAX));
    write(bytes('new'));
    packs.finishAll();
    t.equal(tickets.packs[0].rows.timestampAt(0), NOW);
  },
);

t.test('only what becomes smaller is stored compressed', async t => {
  const { tickets, packs, write } = scene();
  const compressor = compressorByName('zstd-fastest');
  const text = bytes('text that comes again and again\n'.repeat(1000));
  const noise = new SeededRandom(13).bytes(32_000);
  for (const data of [text, noise, new Uint8Array()]) write(data, 0, compressor);
  packs.finishAll();
  const [pack] = tickets.packs;
  const { rows } = pack;
  t.equal(rows.compressionAt(0), compressor?.headerId);
  t.ok(rows.packedBytesAt(0) < 1000);
  t.equal(rows.originalBytesAt(0), text.length);
  t.equal(rows.compressionAt(1), 0);
  t.equal(rows.packedBytesAt(1), noise.length + 28);
  t.equal(rows.compressionAt(2), 0);
  const opened = [...openAll(pack).values()];
  for (const data of [text, noise]) t.ok(opened.some(plain => Buffer.compare(plain, data) === 0));
});

t.test('a content that was claimed and could not be written fails what follows', async t => {
  const { tickets, packs, write } = scene();
  const compressor = {
    name: 'broken',
    headerId: 1,
    compress: () => {
      throw new Error('out of memory');
    },
  };
  t.throws(() => write(bytes('abcd'), 0, compressor), { message: 'out of memory' });
  t.equal(tickets.failures.length, 1);
  t.throws(() => packs.finishAll(), { message: 'out of memory' });
  t.throws(() => write(bytes('efgh')), { message: 'out of memory' });
});
