import t from 'tap';
import { encodeIndex, contentIdHash } from '#engine/index/encode.ts';
import { IndexRows } from '#engine/index/rows.ts';
import { winningRows } from '#engine/index/row-order.ts';
import {
  hexOf,
  mergeByRule,
  pickSeed,
  randomEntries,
  randomFrom,
  rowsFrom,
  splitAtRandom,
  withoutTwins,
} from './model.ts';

const seed = pickSeed();
t.comment(`seed ${seed}`);
const random = randomFrom(seed);

function entriesIn(rows: IndexRows, order = winningRows(rows)) {
  return Array.from(order, row => rows.entryAt(row));
}

for (const hashBytes of [16, 28, 32]) {
  const raw = randomEntries({ random, hashBytes, count: 3000, keys: 1200 });
  const entries = withoutTwins(raw);
  const expected = mergeByRule(entries);

  t.test(
    `${hashBytes}-byte hashes: sorting keeps the winner of each key, in key order`,
    async t => {
      t.strictSame(entriesIn(rowsFrom(entries, hashBytes)), expected);
    },
  );

  t.test(`${hashBytes}-byte hashes: merged and transferred rows say the same`, async t => {
    const merged = new IndexRows(hashBytes + 1);
    for (const part of splitAtRandom(entries, 5, random)) {
      const { rows, transferList } = rowsFrom(part, hashBytes).transfer();
      merged.merge(IndexRows.from(structuredClone(rows, { transfer: transferList })));
    }
    t.equal(merged.count, entries.length);
    t.strictSame(entriesIn(merged), expected);
  });

  t.test(`${hashBytes}-byte hashes: an encoded file decodes to the same entries`, async t => {
    const decoded = new IndexRows(hashBytes + 1);
    const files = encodeIndex(rowsFrom(entries, hashBytes), { version: 2 });
    t.equal(files.length, 1);
    decoded.addFile(files[0], { name: 'test' });
    t.equal(decoded.count, expected.length);
    t.strictSame(entriesIn(decoded), expected);
  });

  t.test(
    `${hashBytes}-byte hashes: shards together hold every entry where kopia puts it`,
    async t => {
      const shardEntriesMax = 100;
      const files = encodeIndex(rowsFrom(entries, hashBytes), { version: 2, shardEntriesMax });
      t.equal(files.length, Math.ceil(expected.length / shardEntriesMax));
      const all = new IndexRows(hashBytes + 1);
      let misplaced = 0;
      files.forEach((file, shard) => {
        const before = all.count;
        all.addFile(file, { name: `shard ${shard}` });
        for (let row = before; row < all.count; row++) {
          const { key } = all.entryAt(row);
          if (contentIdHash(key, 0, key.length) % files.length !== shard) misplaced++;
        }
      });
      t.equal(misplaced, 0);
      t.strictSame(entriesIn(all), expected);
    },
  );
}

t.test('a transferred list is empty and can be filled again', async t => {
  const entries = randomEntries({ random, hashBytes: 16, count: 10, keys: 10 });
  const rows = rowsFrom(entries, 16);
  rows.transfer();
  t.equal(rows.count, 0);
  rows.add(entries[0].key, 0, { ...entries[0], packIndex: rows.addPack('p1') });
  t.equal(hexOf(rows.entryAt(0).key), hexOf(entries[0].key));
  t.equal(rows.entryAt(0).packId, 'p1');
});

t.test('more than 65536 packs need entries of 18 bytes and come back right', async t => {
  const count = 66_000;
  const rows = new IndexRows(17, count);
  const key = new Uint8Array(17);
  const view = new DataView(key.buffer);
  for (let i = 0; i < count; i++) {
    view.setUint32(1, i * 7919);
    rows.add(key, 0, {
      packIndex: rows.addPack(`p${i}`),
      timestampSeconds: i,
      packOffset: i,
      packedBytes: i,
      originalBytes: i,
      compressionId: 0,
      formatVersion: 3,
      isDeleted: false,
    });
  }
  const [file] = encodeIndex(rows, { version: 2 });
  t.equal(file[3], 18);
  const decoded = new IndexRows(17);
  decoded.addFile(file, { name: 'many packs' });
  let wrong = 0;
  for (let row = 0; row < count; row++) {
    const { packId, packOffset } = decoded.entryAt(row);
    if (packId !== `p${packOffset}`) wrong++;
  }
  t.equal(wrong, 0);
});

t.test('many entries of one key leave one', async t => {
  const entries = withoutTwins(randomEntries({ random, hashBytes: 16, count: 500, keys: 1 }));
  t.strictSame(entriesIn(rowsFrom(entries, 16)), mergeByRule(entries));
});

t.test('values that no index file can hold are refused', async t => {
  const rows = new IndexRows(17);
  const packIndex = rows.addPack('p1');
  const [entry] = randomEntries({ random, hashBytes: 16, count: 1, keys: 1 });
  const good = { ...entry, packIndex };
  for (const bad of [
    { packOffset: 2 ** 30 },
    { packedBytes: 2 ** 28 },
    { originalBytes: -1 },
    { timestampSeconds: 2 ** 32 },
    { timestampSeconds: NaN },
    { packIndex: 1 },
    { formatVersion: 256 },
  ]) {
    t.throws(() => rows.add(entry.key, 0, { ...good, ...bad }), { code: 'LIMIT_EXCEEDED' });
  }
  const badKey = Uint8Array.from(entry.key);
  badKey[0] = 0x61;
  t.throws(() => rows.add(badKey, 0, good), { code: 'LIMIT_EXCEEDED' });
  t.equal(rows.count, 0);
});

t.test('version 1 cannot say that a content is compressed', async t => {
  const [entry] = randomEntries({ random, hashBytes: 16, count: 1, keys: 1 });
  const rows = rowsFrom([{ ...entry, compressionId: 0x1101 }], 16);
  t.throws(() => encodeIndex(rows, { version: 1 }), { code: 'LIMIT_EXCEEDED' });
});

t.test('more formats than a file can number are refused', async t => {
  const entries = randomEntries({ random, hashBytes: 16, count: 256, keys: 100_000 });
  const many = entries.map((entry, compressionId) => {
    const key = Uint8Array.from(entry.key);
    key[16] = compressionId;
    key[15] = compressionId >> 8;
    return { ...entry, key, compressionId };
  });
  t.throws(() => encodeIndex(rowsFrom(many, 16), { version: 2 }), { code: 'LIMIT_EXCEEDED' });
  t.equal(encodeIndex(rowsFrom(many.slice(0, 255), 16), { version: 2 })[0][12], 255);
});
