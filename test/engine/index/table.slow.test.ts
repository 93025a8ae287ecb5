import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import type { IndexEntry } from '#engine/index/entry.ts';
import type { IndexTable } from '#engine/index/table.ts';
import { IndexTableBuilder } from '#engine/index/table-builder.ts';
import { IndexRows } from '#engine/index/rows.ts';
import { encodeIndex } from '#engine/index/encode.ts';
import {
  fileFrom,
  hexOf,
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

function tableOf(entries: readonly IndexEntry[], hashBytes: number, parts = 4): IndexTable {
  const builder = new IndexTableBuilder({ hashBytes });
  for (const part of splitAtRandom(entries, parts, random)) {
    builder.addFile(fileFrom(part, hashBytes), { name: 'part' });
  }
  return builder.finish();
}

function entriesIn(table: IndexTable, prefixByte?: number): IndexEntry[] {
  return Array.from(table.rows(prefixByte), row => table.entryAt(row));
}

for (const hashBytes of [16, 28, 30, 32]) {
  const entries = withoutTwins(randomEntries({ random, hashBytes, count: 4000, keys: 1500 }));
  const expected = mergeByRule(entries);
  const table = tableOf(entries, hashBytes);

  t.test(`${hashBytes}-byte hashes: every key is found with the winner's values`, async t => {
    t.equal(table.count, expected.length);
    const padded = new Uint8Array(hashBytes + 20);
    let wrong = 0;
    for (const entry of expected) {
      padded.set(entry.key, 7);
      const row = table.find(padded, 7, hashBytes + 1);
      const isRight =
        row >= 0 &&
        table.timestampAt(row) === entry.timestampSeconds &&
        table.offsetAt(row) === entry.packOffset &&
        table.packedBytesAt(row) === entry.packedBytes &&
        table.originalBytesAt(row) === entry.originalBytes &&
        table.compressionAt(row) === entry.compressionId &&
        table.formatVersionAt(row) === entry.formatVersion &&
        table.isDeletedAt(row) === entry.isDeleted &&
        table.packId(table.packAt(row)) === entry.packId &&
        hexOf(table.entryAt(row).key) === hexOf(entry.key);
      if (!isRight) wrong++;
    }
    t.equal(wrong, 0);
  });

  t.test(`${hashBytes}-byte hashes: keys that differ in one byte are not found`, async t => {
    const known = new Set(expected.map(({ key }) => hexOf(key)));
    let wrong = 0;
    for (const { key } of expected.slice(0, 200)) {
      for (let i = 0; i <= hashBytes; i++) {
        const other = Uint8Array.from(key);
        other[i] = i === 0 ? (key[0] === 0x68 ? 0x69 : 0x68) : key[i] ^ (1 << random(8));
        if (table.find(other, 0, other.length) >= 0 !== known.has(hexOf(other))) wrong++;
      }
    }
    t.equal(wrong, 0);
  });

  t.test(`${hashBytes}-byte hashes: rows come in key order, all or of one prefix`, async t => {
    t.strictSame(entriesIn(table), expected);
    for (const prefix of [0, 0x6d, 0x78, 0x79]) {
      t.strictSame(
        entriesIn(table, prefix),
        expected.filter(({ key }) => key[0] === prefix),
      );
    }
  });

  t.test(`${hashBytes}-byte hashes: a table made of tables is the same`, async t => {
    const builder = new IndexTableBuilder({ hashBytes });
    for (const part of splitAtRandom(entries, 3, random)) {
      builder.addTable(tableOf(part, hashBytes));
    }
    t.strictSame(entriesIn(builder.finish()), expected);
  });
}

t.test('a table with more buckets than the least keeps every key', async t => {
  const count = 600_000;
  const rows = new IndexRows(17, count);
  const key = new Uint8Array(17);
  const words = new DataView(key.buffer);
  const pack = rows.addPack('p1');
  const setKey = (i: number) => {
    words.setUint32(1, Math.imul(i, 0x9e3779b1));
    words.setUint32(13, i);
  };
  for (let i = 0; i < count; i++) {
    setKey(i);
    rows.add(key, 0, {
      packIndex: pack,
      timestampSeconds: 1,
      packOffset: i,
      packedBytes: 1,
      originalBytes: 1,
      compressionId: 0,
      formatVersion: 3,
      isDeleted: false,
    });
  }
  const builder = new IndexTableBuilder({ hashBytes: 16, expectedContents: 1 });
  for (const file of encodeIndex(rows, { version: 2, shardEntriesMax: count / 4 })) {
    builder.addFile(file, { name: 'shard' });
  }
  const table = builder.finish();
  let wrong = 0;
  for (let i = 0; i < count; i++) {
    setKey(i);
    const row = table.find(key, 0, 17);
    if (row < 0 || table.offsetAt(row) !== i) wrong++;
    words.setUint32(13, i + count);
    if (table.find(key, 0, 17) >= 0) wrong++;
  }
  t.equal(wrong, 0);
  t.ok(table.memory.totalBytes / count < 36, 'a content takes less than 36 bytes');
});

t.test('a table of nothing finds nothing', async t => {
  const table = new IndexTableBuilder({ hashBytes: 16 }).finish();
  t.equal(table.count, 0);
  t.equal(table.find(new Uint8Array(17), 0, 17), -1);
  t.strictSame(entriesIn(table), []);
});

t.test('many duplicates cost no memory afterwards', async t => {
  const entries = randomEntries({ random, hashBytes: 16, count: 1000, keys: 100 });
  const builder = new IndexTableBuilder({ hashBytes: 16, expectedContents: 5000 });
  for (let i = 0; i < 20; i++) builder.addFile(fileFrom(entries, 16), { name: 'again' });
  t.ok(builder.count > 1000);
  const table = builder.finish();
  t.equal(table.memory.rowBytes, table.count * 34);
  t.strictSame(entriesIn(table).length, mergeByRule(entries).length);
});

t.test('a damaged file adds nothing', async t => {
  const entries = randomEntries({ random, hashBytes: 16, count: 50, keys: 50 });
  const bytes = fileFrom(entries, 16);
  const damaged = Uint8Array.from(bytes);
  // The key size stays, the last entries swap: entries before them are read first.
  const stride = 17 + bytes[3];
  const last = 17 + stride * (new DataView(bytes.buffer).getUint32(4) - 1);
  damaged.copyWithin(last, last - stride, last);
  const builder = new IndexTableBuilder({ hashBytes: 16 });
  t.throws(() => builder.addFile(damaged, { name: 'xn0_bad' }), {
    code: 'INDEX_DAMAGED',
    message: /xn0_bad/,
  });
  t.equal(builder.count, 0);
  builder.addFile(bytes, { name: 'good' });
  t.strictSame(entriesIn(builder.finish()).length, mergeByRule(entries).length);
});

t.test('files with another hash length are damaged, keys of another length invalid', async t => {
  const entries = randomEntries({ random, hashBytes: 32, count: 5, keys: 5 });
  const builder = new IndexTableBuilder({ hashBytes: 16 });
  t.throws(() => builder.addFile(fileFrom(entries, 32), { name: 'long' }), {
    code: 'INDEX_DAMAGED',
  });
  const table = builder.finish();
  t.throws(() => table.find(new Uint8Array(33), 0, 33), { code: 'CONTENT_ID_INVALID' });
  t.throws(() => table.find(new Uint8Array(17).fill(0x41), 0, 17), { code: 'CONTENT_ID_INVALID' });
  t.throws(() => [...table.rows(0x41)], { code: 'CONTENT_ID_INVALID' });
});

t.test('a worker attaches to a table and finds what the main thread finds', async t => {
  const entries = randomEntries({ random, hashBytes: 16, count: 500, keys: 300 });
  const table = tableOf(entries, 16);
  const keys = mergeByRule(entries).map(({ key }) => key);
  const script = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.module).then(({ IndexTable }) => {
      const table = IndexTable.attach(workerData.table);
      parentPort.postMessage(workerData.keys.map(key => table.entryAt(table.find(key, 0, 17))));
    });`;
  const module = import.meta.resolve('#engine/index/table.ts');
  const workerData = { module, table: table.share(), keys };
  const worker = new Worker(script, { eval: true, workerData });
  const [found] = (await once(worker, 'message')) as [IndexEntry[]];
  t.strictSame(
    found,
    keys.map(key => table.entryAt(table.find(key, 0, 17))),
  );
  t.strictSame(found.length, table.count);
  await worker.terminate();
});
