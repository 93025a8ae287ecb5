import t from 'tap';
import { type DirEntry, encodeEntry } from '#engine/format/directory.ts';
import { EntryBytes } from '#engine/format/entry-bytes.ts';
import { newSeed, seededRandom } from '#test/support/seeded.ts';

const seed = newSeed();
t.comment(`seed ${seed}`);

const entry: DirEntry = {
  name: 'name',
  type: 'f',
  mode: 0o644,
  bytes: 12,
  mtimeSeconds: 1767323045,
  mtimeNanoseconds: 678_900_000,
  uid: 1000,
  gid: 100,
  objectId: '67d102b539e87f5bebb4503c87ebc993',
};

/** Undefined where it was not added. */
function plainText(of: DirEntry): string | undefined {
  const entries = new EntryBytes();
  const bytes = Buffer.from(`<${of.name}>`);
  const isAdded = entries.addPlain(of, { bytes, start: 1, end: bytes.length - 1 });
  return isAdded ? Buffer.from(entries.view).toString() : undefined;
}

t.test('bytes of an entry are those of its text', async t => {
  const edges: Partial<DirEntry>[] = [
    {},
    { type: 's', mode: 0, bytes: 0, uid: 0, gid: 0 },
    { mode: 0o7777, bytes: 2 ** 31 - 1, uid: 2 ** 31, gid: 2 ** 32 - 1 },
    { bytes: Number.MAX_SAFE_INTEGER, objectId: `Ik${'ab'.repeat(32)}` },
    { mtimeSeconds: 0, mtimeNanoseconds: 0 },
    { mtimeSeconds: 0, mtimeNanoseconds: 1 },
    { mtimeSeconds: -1, mtimeNanoseconds: 100_000_000 },
    { mtimeSeconds: 9_223_372_035, mtimeNanoseconds: 999_999_999 },
    { mtimeSeconds: -9_223_372_035, mtimeNanoseconds: 0 },
    { mtimeSeconds: 9_223_372_037, mtimeNanoseconds: 0 },
    { mtimeSeconds: -99_223_372_037, mtimeNanoseconds: 5 },
    { name: 'n'.repeat(100_000) },
  ];
  for (const edge of edges) {
    t.equal(plainText({ ...entry, ...edge }), encodeEntry({ ...entry, ...edge }));
  }
});

t.test('and so are those of any other', async t => {
  const random = seededRandom(seed);
  let wrong = 0;
  for (let round = 0; round < 5000; round++) {
    const any: DirEntry = {
      ...entry,
      mode: random(0o10000),
      bytes: random(10 ** random(10)),
      mtimeSeconds: random(2 ** 32) * (random(2) === 0 ? 1 : -1),
      mtimeNanoseconds: random(10 ** random(10)),
      uid: random(10 ** random(10)),
      gid: random(3),
    };
    if (plainText(any) !== encodeEntry(any)) wrong++;
  }
  t.equal(wrong, 0);
});

t.test('a name with something to escape is left to others', async t => {
  for (const name of ['"', '\\', '&', '<', '>', '\n', '\x7f', 'é', '\u2028', 'a\0']) {
    t.equal(plainText({ ...entry, name }), undefined);
  }
});

t.test('entries stand behind one another, whatever they were given as', async t => {
  const entries = new EntryBytes();
  const name = { bytes: Buffer.from('name'), start: 0, end: 4 };
  entries.addText('{"é"}');
  entries.addPlain(entry, name);
  entries.addBytes(Buffer.from('{},{}'));
  t.equal(Buffer.from(entries.view).toString(), `{"é"},${encodeEntry(entry)},{},{}`);
  entries.clear();
  t.equal(entries.view.length, 0);
  entries.addPlain(entry, name);
  t.equal(Buffer.from(entries.view).toString(), encodeEntry(entry));
});

t.test('it grows, and what was large is given up', async t => {
  const entries = new EntryBytes();
  const text = 'x'.repeat(100_000);
  for (let count = 0; count < 20; count++) entries.addText(text);
  t.equal(Buffer.from(entries.view).toString(), Array<string>(20).fill(text).join(','));
  entries.clear();
  entries.addText('y');
  t.ok(entries.view.buffer.byteLength < 100_000);
});
