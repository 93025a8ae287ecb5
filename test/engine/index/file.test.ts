import t from 'tap';
import { isEngineError } from '#engine/base/errors.ts';
import { contentIdHash, encodeIndex } from '#engine/index/encode.ts';
import { openIndexFile } from '#engine/index/file.ts';
import { IndexRows } from '#engine/index/rows.ts';
import { winningRows } from '#engine/index/row-order.ts';
import { INDEX_VECTORS, rowsOf } from './vectors.ts';

function entriesOf(bytes: Uint8Array, keyBytes = 17) {
  const rows = new IndexRows(keyBytes);
  rows.addFile(bytes, { name: 'test' });
  return Array.from({ length: rows.count }, (_, row) => rows.entryAt(row));
}

for (const { name, version, entries, hex } of INDEX_VECTORS) {
  t.test(`${name}: encoding gives the bytes that kopia wrote`, async t => {
    const files = encodeIndex(rowsOf(entries), { version });
    t.strictSame(
      files.map(file => Buffer.from(file).toString('hex')),
      [hex],
    );
  });

  t.test(`${name}: decoding kopia's bytes gives the entries in key order`, async t => {
    const rows = rowsOf(entries);
    const expected = Array.from(winningRows(rows), row => rows.entryAt(row));
    t.strictSame(entriesOf(Buffer.from(hex, 'hex')), expected);
    t.strictSame(entriesOf(Buffer.from(`${hex}${'a5'.repeat(32)}`, 'hex')), expected);
  });

  t.test(`${name}: a flipped or cut file is damaged or decodes within its limits`, async t => {
    const good = Buffer.from(hex, 'hex');
    let damaged = 0;
    let decoded = 0;
    const probe = (bytes: Uint8Array, what: string) => {
      try {
        checkWalk(t, bytes);
        decoded++;
      } catch (error) {
        if (!isEngineError(error, 'INDEX_DAMAGED')) {
          t.fail(what, { error });
        }
        damaged++;
      }
    };
    for (let i = 0; i < good.length; i++) {
      for (const mask of [1, 2, 4, 8, 16, 32, 64, 128, 255]) {
        const bytes = Uint8Array.from(good);
        bytes[i] ^= mask;
        probe(bytes, `byte ${i} ^ ${mask}`);
      }
      probe(good.subarray(0, i), `cut to ${i}`);
    }
    t.ok(damaged > good.length && decoded > 0, `${damaged} damaged, ${decoded} decoded`);
    t.throws(() => openIndexFile(good.subarray(0, good.length - 1), { name: 'cut' }), {
      code: 'INDEX_DAMAGED',
    });
  });
}

/** Walks a file that may be damaged and checks what the cursor promises. */
function checkWalk(t: { fail(message: string): boolean }, bytes: Uint8Array): void {
  const cursor = openIndexFile(bytes, { name: 'probe' });
  let count = 0;
  let last: Uint8Array | undefined;
  while (cursor.next()) {
    const key = bytes.slice(cursor.keyOffset, cursor.keyOffset + cursor.keyBytes);
    const isGood =
      (last === undefined || Buffer.compare(last, key) < 0) &&
      key.length === cursor.keyBytes &&
      cursor.packIndex < cursor.packs.count &&
      cursor.packOffset < 2 ** 30 &&
      cursor.packedBytes < 2 ** 28 &&
      cursor.originalBytes < 2 ** 28 &&
      cursor.formatVersion < 256;
    if (!isGood) t.fail('a value is outside its limits');
    last = key;
    count++;
  }
  if (count !== cursor.entryCount) t.fail('entries are missing');
}

t.test('an empty file of version 1 is legal and has no entries', async t => {
  const empty = encodeIndex(rowsOf([]), { version: 1 });
  t.strictSame(empty, [], 'we write none');
  t.strictSame(entriesOf(Buffer.from('01ff001400000000', 'hex')), []);
});

t.test('bytes that are no index at all are damaged', async t => {
  for (const hex of ['', '00', '02', '03110010', '01110014', `02${'ff'.repeat(40)}`]) {
    t.throws(() => openIndexFile(Buffer.from(hex, 'hex'), { name: hex }), {
      code: 'INDEX_DAMAGED',
    });
  }
});

t.test('a header that claims billions of entries is refused before memory is taken', async t => {
  const header = '021100100fffffff000000010100000000';
  t.throws(() => openIndexFile(Buffer.from(header, 'hex'), { name: 'huge' }), {
    code: 'INDEX_DAMAGED',
    message: /cannot read index file huge: it ends inside its tables/,
  });
});

t.test(
  'a file whose keys have another size does not mix with the rows of a repository',
  async t => {
    const rows = new IndexRows(33);
    const bytes = Buffer.from(INDEX_VECTORS[0].hex, 'hex');
    t.throws(() => rows.addFile(bytes, { name: 'other' }), { code: 'INDEX_DAMAGED' });
    t.equal(rows.count, 0);
  },
);

t.test('content ids hash to the shards that kopia chooses', async t => {
  const hash = '00112233445566778899aabbccddeeff';
  t.equal(contentIdHash(Buffer.from(`00${hash}`, 'hex'), 0, 17), 545826473);
  t.equal(contentIdHash(Buffer.from(`6b${hash}`, 'hex'), 0, 17), 1304347594);
});
