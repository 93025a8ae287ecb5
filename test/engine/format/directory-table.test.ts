import t from 'tap';
import { decodeDirectory } from '#engine/format/directory-decode.ts';
import { encodeDirectory, encodeEntry, type DirEntry } from '#engine/format/directory.ts';
import { DirectoryTable } from '#engine/format/directory-table.ts';
import { goNameText } from '#engine/format/go-name.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';

const summary = {
  bytes: 1,
  files: 2,
  symlinks: 3,
  directories: 4,
  maxTimeSeconds: 5,
  maxTimeNanoseconds: 6,
  incomplete: '',
  failedCount: 1,
  ignoredErrorCount: 0,
  failedEntries: [{ path: 'a}"', error: '{\\' }],
};
const base: DirEntry = {
  name: 'a',
  type: 'f',
  mode: 0o644,
  bytes: 0,
  mtimeSeconds: 0,
  mtimeNanoseconds: 0,
  uid: 0,
  gid: 0,
  objectId: 'aabb',
};
const fail = (problem: string): never => {
  throw new Error(problem);
};

const bytesOf = (entries: readonly DirEntry[], extra?: Record<string, unknown>) =>
  new Uint8Array(
    Buffer.from(
      encodeDirectory(
        entries.map(e => encodeEntry(e)),
        summary,
        extra,
      ),
    ),
  );

function tableOf(bytes: Uint8Array): DirectoryTable {
  const table = new DirectoryTable();
  table.read(bytes, 'it');
  return table;
}

function nameOf(table: DirectoryTable, index: number): string {
  const start = table.nameStarts[index];
  return Buffer.from(table.bytes.subarray(start, start + table.nameLengths[index])).toString();
}

/** What the columns say of an entry. */
function columns(table: DirectoryTable, index: number): DirEntry {
  return {
    name: nameOf(table, index),
    type: String.fromCharCode(table.types[index]),
    mode: table.modes[index],
    bytes: table.sizes[index],
    mtimeSeconds: table.mtimeSeconds[index],
    mtimeNanoseconds: table.mtimeNanoseconds[index],
    uid: table.uids[index],
    gid: table.gids[index],
    objectId: table.objectIdAt(index),
  };
}

const NAMES = ['a', 'b"\\', 'c\n<&>', 'é', '\u{1f600}', '\ufffd', 'z'.repeat(300), 'a b', '~'];

/** The last two are as far as kopia's times go: what programs set for "never". */
const FAR_TIMES = [
  { mtimeSeconds: 9_223_372_035, mtimeNanoseconds: 999_999_999 },
  { mtimeSeconds: -9_223_372_036, mtimeNanoseconds: 0 },
  { mtimeSeconds: 9_223_372_036, mtimeNanoseconds: 854_775_807 },
  { mtimeSeconds: -9_223_372_037, mtimeNanoseconds: 145_224_192 },
];

function randomTime(random: SeededRandom): Pick<DirEntry, 'mtimeSeconds' | 'mtimeNanoseconds'> {
  if (random.once(4)) return random.pick(FAR_TIMES);
  return {
    mtimeSeconds: random.pick([0, -1, random.below(2 ** 31), -9_000_000_000]),
    mtimeNanoseconds: random.pick([0, 1, 500_000_000, 999_999_999, random.below(1e9)]),
  };
}

function randomEntry(random: SeededRandom, index: number): DirEntry {
  return {
    name: `${random.pick(NAMES)}${index}`,
    type: random.pick(['f', 's', 'd']),
    mode: random.below(0o10000),
    bytes: random.pick([0, 1, random.below(1e9), 2 ** 49, 2 ** 53 - 1]),
    ...randomTime(random),
    uid: random.pick([0, 1, 2 ** 32 - 1]),
    gid: random.pick([0, 1000]),
    objectId: random.pick(['aabb', 'Ixaabb', 'k00ff', 'IIx0011']),
  };
}

t.test('columns say what the decoder says, whatever the entries are', async t => {
  const seed = newSeed();
  t.comment(`seed ${seed}`);
  const random = new SeededRandom(seed);
  for (let round = 0; round < 100; round++) {
    const count = random.below(40);
    const entries = Array.from({ length: count }, (_, index) => {
      const entry = randomEntry(random, index);
      const extra = random.once(4) ? { stevedore: { link: '}"{' } } : undefined;
      return { ...entry, ...(entry.type === 'd' ? { summary } : {}), extra };
    });
    const bytes = bytesOf(
      entries,
      random.once(2) ? { stevedore: { self: { flags: 8 } } } : undefined,
    );
    const table = tableOf(bytes);
    const decoded = decodeDirectory(bytes);
    t.equal(table.count, decoded.entries.length);
    decoded.entries.forEach((entry, index) => {
      const { summary: _summary, extra, ...plain } = entry;
      t.strictSame(columns(table, index), plain);
      t.strictSame(table.entryAt(index, fail), entry);
      t.equal(table.hasExtra[index] === 1, extra !== undefined);
      t.equal(Buffer.from(table.textsOf(index, index)).toString(), encodeEntry(entry));
    });
    t.strictSame(table.summary, decoded.summary);
    t.strictSame(table.extras(fail)?.self, decoded.extra && { flags: 8 });
  }
});

t.test('an entry whose type is not one letter costs no other entry anything', async t => {
  for (const type of ['', 'ff', 'é', '\\']) {
    const plain = randomEntry(new SeededRandom(1), 1);
    const entries = [
      { ...plain, name: 'a' },
      { ...plain, name: 'b', type },
      { ...plain, name: 'c' },
    ];
    const table = tableOf(bytesOf(entries));
    t.equal(table.count, 3);
    t.equal(table.types[1], type === '\\' ? 0 : table.types[1]);
    t.strictSame(
      [0, 2].map(index => nameOf(table, index)),
      ['a', 'c'],
    );
    t.equal(table.entryAt(1, fail).type, type);
  }
});

t.test('a directory that is written otherwise reads the same', async t => {
  const text = JSON.stringify(
    {
      summary: { size: 7 },
      entries: [
        {
          obj: 'aabb',
          name: 'x',
          mode: '420',
          mtime: '2020-01-01T00:00:00+01:00',
          type: 'f',
          size: 3,
        },
        { name: 'y\ufffd', type: 'f', obj: 'ccdd', later: { a: [1] } },
      ],
      stream: 'kopia:directory',
    },
    undefined,
    2,
  );
  const table = tableOf(Buffer.from(text));
  t.match(columns(table, 0), { name: 'x', mode: 0o644, mtimeSeconds: 1577833200, bytes: 3 });
  t.equal(table.nameLengths[1], 0, 'whether it is a real U+FFFD is not known');
  t.equal(table.summary?.bytes, 7);
  t.throws(() => tableOf(Buffer.from('{}')), { code: 'DIRECTORY_DAMAGED' });
  t.throws(() => tableOf(Buffer.from('{"stream":"kopia:directory","entries":[{"name":"a"}]}')), {
    code: 'DIRECTORY_DAMAGED',
  });
  const twice = bytesOf([base, base]);
  t.notOk(tableOf(twice).isSorted, 'one name twice');
});

/** An entry as nobody writes it: in any order, some fields twice, and others among them. */
function oddText(random: SeededRandom, index: number): string {
  const plain = JSON.parse(encodeEntry(randomEntry(random, index))) as Record<string, unknown>;
  const fields = Object.entries({ ...plain, later: [1], Uid: 7 }).filter(() => !random.once(12));
  const again = random.once(3) ? [random.pick(fields)] : [];
  const far = random.once(8) ? [['gid', 2 ** 32] as const] : [];
  const start = random.once(3) ? 0 : random.below(fields.length);
  const ordered = [...fields.slice(start), ...fields.slice(0, start)];
  if (random.once(3)) ordered.splice(random.below(ordered.length), 0, ...ordered.splice(0, 2));
  const texts = [...ordered, ...again, ...far].map(
    ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
  );
  return `{${texts.join()}}`;
}

t.test('fields in any order are read as the decoder reads them, or refused', async t => {
  const seed = newSeed();
  t.comment(`seed ${seed}`);
  const random = new SeededRandom(seed);
  for (let round = 0; round < 2000; round++) {
    const text = oddText(random, round);
    const bytes = Buffer.from(`{"stream":"kopia:directory","entries":[${text}]}`);
    const decoded = outcomeOf(() => decodeDirectory(bytes).entries[0]);
    const table = outcomeOf(() => tableOf(bytes));
    if (typeof decoded === 'string' || typeof table === 'string') {
      t.equal(typeof table, typeof decoded, text);
      continue;
    }
    const { summary: _summary, extra: _extra, name: _name, ...plain } = decoded;
    const { type, ...read } = columns(table, 0);
    t.match({ ...read, type: type.replace('\0', '') }, plain, text);
  }
  const twice = `{"stream":"kopia:directory","entries":[],"entries":[${encodeEntry(base)}]}`;
  t.equal(tableOf(Buffer.from(twice)).count, 1, 'the last list of entries counts');
});

function outcomeOf<Result>(read: () => Result): Result | string {
  try {
    return read();
  } catch (error) {
    return String(error);
  }
}

t.test('names have their bytes where anybody knows them', async t => {
  const raw = Uint8Array.of(0x61, 0xff);
  const literal = goNameText(raw);
  const extra = { stevedore: { name: Buffer.from(raw).toString('base64') } };
  const texts = [
    encodeEntry(base, '"a"'),
    encodeEntry({ ...base, extra }, literal),
    encodeEntry(base, literal),
    encodeEntry(base, goNameText(Buffer.from('b\ufffd'))),
  ];
  const table = tableOf(Buffer.from(encodeDirectory(texts, summary)));
  t.equal(table.compareName(1, raw, 0, 2), 0);
  t.equal(table.nameLengths[2], 0);
  t.equal(nameOf(table, 3), 'b\ufffd');
  t.ok(table.isSorted, 'what has no known name does not count');
});

t.test("the order is known to be kopia's, or not to be", async t => {
  const of = (...pairs: string[]) =>
    tableOf(bytesOf(pairs.map(pair => ({ ...base, type: pair[0], name: pair.slice(1) }))));
  t.match(of('da', 'db', 'fa', 'sb', 'fé'), { isSorted: true, directoryCount: 2 });
  t.match(of('fa', 'db'), { isSorted: false, directoryCount: 1 });
  t.match(of('fb', 'fa'), { isSorted: false });
  t.match(of(), { isSorted: true, count: 0 });
});

t.test('entries of another table can be read by themselves', async t => {
  const entries = ['a', 'b', 'c"', 'd'].map(name => ({ ...base, name }));
  const whole = tableOf(bytesOf(entries));
  const part = new DirectoryTable();
  t.ok(part.readEntries(whole.textsOf(1, 2)));
  t.equal(part.count, 2);
  t.strictSame([nameOf(part, 0), nameOf(part, 1)], ['b', 'c"']);
  t.ok(part.readEntries(new Uint8Array(0)));
  t.equal(part.count, 0);
  t.notOk(part.readEntries(Buffer.from('{"name":"a"}')));
});
