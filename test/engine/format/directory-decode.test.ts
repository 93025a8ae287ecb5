import { constants } from 'node:buffer';
import t from 'tap';
import { encodeDirectory, encodeEntry, type DirEntry } from '#engine/format/directory.ts';
import { decodeDirectory } from '#engine/format/directory-decode.ts';
import { goNameText } from '#engine/format/go-name.ts';
import {
  newSeed,
  seededByteSource,
  seededRandom,
  type SeededRandom,
} from '#test/support/seeded.ts';
import { bytesOf, hex } from './text-bytes.ts';

const OBJECT = '67d102b539e87f5bebb4503c87ebc993';
const SUMMARY =
  '{"size":5,"files":1,"symlinks":2,"dirs":3,"maxTime":"2026-01-02T03:04:05.6789Z","numFailed":0}';

const directoryOf = (entries: string, rest = `,"summary":${SUMMARY}`) =>
  bytesOf(`{"stream":"kopia:directory","entries":${entries}${rest}}\n`);
const rewrite = (bytes: Uint8Array) => {
  const { entries, summary, extra } = decodeDirectory(bytes);
  if (summary === undefined) throw new Error('no summary');
  return bytesOf(
    encodeDirectory(
      entries.map(entry => encodeEntry(entry)),
      summary,
      extra,
    ),
  );
};

t.test('a directory is read', async t => {
  const text =
    `[{"name":"sub","type":"d","mode":"0755","mtime":"2026-01-02T03:04:05Z","obj":"k${OBJECT}",` +
    `"summ":${SUMMARY}},{"name":"a","type":"f","mode":"04000777","size":5,` +
    `"mtime":"1969-12-31T23:59:59.5Z","uid":7,"gid":8,"obj":"Ix${OBJECT}"}]`;
  const { entries, summary, extra } = decodeDirectory(directoryOf(text));
  t.equal(extra, undefined);
  t.match(summary, { bytes: 5, files: 1, symlinks: 2, directories: 3, maxTimeSeconds: 1767323045 });
  t.same(entries[0].summary, summary);
  t.match(entries[1], {
    name: 'a',
    type: 'f',
    mode: 0o1777,
    bytes: 5,
    mtimeSeconds: -1,
    mtimeNanoseconds: 500_000_000,
    uid: 7,
    gid: 8,
    objectId: `Ix${OBJECT}`,
  });
  t.same(rewrite(directoryOf(text)), directoryOf(text));
});

t.test('an empty directory has null or an empty list', async t => {
  for (const entries of ['null', '[]']) t.same(decodeDirectory(directoryOf(entries)).entries, []);
  t.same(decodeDirectory(bytesOf('{"stream":"kopia:directory"}')).entries, []);
  t.equal(decodeDirectory(directoryOf('[]', '')).summary, undefined);
});

t.test('absent and null fields are zero, names match whatever their case', async t => {
  const [first, second] = decodeDirectory(
    directoryOf(
      `[{"obj":"${OBJECT}","name":null,"size":null,"mtime":null,"summ":null,"uid":null},` +
        `{"NAME":"b","Obj":"${OBJECT}","Mode":"0600"}]`,
    ),
  ).entries;
  t.match(first, { name: '', type: '', mode: 0, bytes: 0, mtimeSeconds: 0, mtimeNanoseconds: 0 });
  t.equal(first.summary, undefined);
  t.match(second, { name: 'b', mode: 0o600, extra: undefined });
});

t.test('unknown fields at every level survive a rewrite', async t => {
  const later = '"later":[1.50,18446744073709551616,{"<":null}],"__proto__":1e2';
  const written = later.replace('<', '\\u003c');
  const summary = SUMMARY.replace('}', `,${written}}`);
  const text = directoryOf(
    `[{"name":"a","type":"d","obj":"k${OBJECT}","summ":${summary},${written}}]`,
    `,"summary":${summary},${written}`,
  );
  t.same(rewrite(text), text);
});

t.test('names that were not UTF-8 may read the same, others may not', async t => {
  const literals = [hex('ff'), hex('fe')].map(goNameText);
  const texts = literals.map(name => `{"name":${name},"type":"f","obj":"${OBJECT}"}`);
  t.equal(decodeDirectory(directoryOf(`[${texts.join(',')}]`)).entries.length, 2);
  const twice = `{"name":"a","type":"f","obj":"${OBJECT}"}`;
  t.throws(() => decodeDirectory(directoryOf(`[${twice},${twice}]`)), {
    code: 'DIRECTORY_DAMAGED',
    message: /"a" occurs twice/,
  });
});

t.test('slashes in names are left to those who use them', async t => {
  // Velero stores a block device under its path.
  const text = `[{"name":"/dev/block/1","type":"f","obj":"${OBJECT}"}]`;
  t.equal(decodeDirectory(directoryOf(text)).entries[0].name, '/dev/block/1');
});

t.test('a damaged directory is refused', async t => {
  const entry = (fields: string) => directoryOf(`[{"name":"a","obj":"${OBJECT}",${fields}}]`);
  const cases: [string, Uint8Array][] = [
    ['nothing', new Uint8Array(0)],
    ['not JSON', bytesOf('{"stream":"kopia:directory","entries":[')],
    ['not JSON with a long number', bytesOf('{"a":12345678901234567890')],
    ['more than one document', bytesOf('{"stream":"kopia:directory"}{}')],
    ['no object', bytesOf('[]')],
    ['no stream', bytesOf('{"entries":[]}')],
    ['another stream', bytesOf('{"stream":"kopia:indirect","entries":[]}')],
    ['entries that are no list', directoryOf('{}')],
    ['an entry that is null', directoryOf('[null]')],
    ['an entry that is a list', directoryOf('[[]]')],
    ['an entry that is a number', directoryOf('[1.5]')],
    ['no object id', directoryOf('[{"name":"a"}]')],
    ['an empty object id', directoryOf('[{"name":"a","obj":""}]')],
    ['a bad object id', directoryOf('[{"name":"a","obj":"../etc"}]')],
    ['a numeric mode', entry('"mode":420')],
    ['a null mode', entry('"mode":null')],
    ['a decimal fraction as mode', entry('"mode":"4.2"')],
    ['a numeric name', directoryOf(`[{"name":1,"obj":"${OBJECT}"}]`)],
    ['a numeric type', entry('"type":1')],
    ['a size as text', entry('"size":"1"')],
    ['a fractional size', entry('"size":1.5')],
    ['a size with a point', entry('"size":1.0')],
    ['a negative size', entry('"size":-1')],
    ['a size beyond all files', entry('"size":9223372036854775807')],
    ['an owner beyond 32 bits', entry('"uid":4294967296')],
    ['a negative group', entry('"gid":-1')],
    ['a time that is none', entry('"mtime":"yesterday"')],
    ['a numeric time', entry('"mtime":5')],
    ['a summary that is no object', entry('"summ":5')],
    ['a summary with a fraction', entry('"summ":{"files":1.5}')],
    ['a summary with a bad time', entry('"summ":{"maxTime":5}')],
    ['failures that are no list', entry('"summ":{"errors":{}}')],
    ['a directory summary that is no object', directoryOf('[]', ',"summary":[]')],
  ];
  for (const [what, bytes] of cases) {
    const expected = { code: 'DIRECTORY_DAMAGED', message: /directory k1/ };
    t.throws(() => decodeDirectory(bytes, 'directory k1'), expected, what);
  }
});

t.test('what is longer than a string can be is refused', async t => {
  // Nobody writes to this memory, so it is never really there.
  const bytes = new Uint8Array(constants.MAX_STRING_LENGTH + 1);
  t.throws(() => decodeDirectory(bytes, 'directory k1'), { code: 'LIMIT_EXCEEDED', message: /k1/ });
});

t.test('any flipped byte gives a directory or an error', async t => {
  const bytes = directoryOf(`[{"name":"a","type":"f","mode":"0644","size":5,"obj":"${OBJECT}"}]`);
  for (let at = 0; at < bytes.length; at++) {
    for (const bit of [1, 4, 0x20, 0x80]) {
      const flipped = Uint8Array.from(bytes);
      flipped[at] ^= bit;
      try {
        decodeDirectory(flipped);
      } catch (error) {
        t.match(error, { code: 'DIRECTORY_DAMAGED' }, `byte ${at}`);
      }
    }
  }
});

t.test('random directories survive writing and reading', async t => {
  const seed = newSeed();
  const random = seededRandom(seed);
  for (let round = 0; round < 100; round++) {
    const entries = Array.from({ length: random(20) }, (_, i) => randomEntry(random, i));
    const { summary } = randomEntry(random, 0, true);
    if (summary === undefined) throw new Error('no summary');
    const text = encodeDirectory(
      entries.map(entry => encodeEntry(entry)),
      summary,
    );
    const decoded = decodeDirectory(bytesOf(text));
    t.same(decoded.entries, entries, `seed ${seed}`);
    t.same(decoded.summary, summary, `seed ${seed}`);
  }
});

function randomEntry(random: SeededRandom, index: number, isDirectory = random(4) === 0): DirEntry {
  const time = () => random(2 ** 31) - random(2 ** 31);
  const extra = random(3) === 0 ? { later: random(100), text: 'é<' } : undefined;
  const summary = {
    bytes: random(2 ** 31),
    files: random(100),
    symlinks: random(100),
    directories: 1 + random(100),
    maxTimeSeconds: time(),
    maxTimeNanoseconds: random(1e9),
    incomplete: random(5) === 0 ? 'checkpoint' : '',
    failedCount: random(3),
    ignoredErrorCount: random(3),
    failedEntries: random(5) === 0 ? [{ path: 'a', error: 'b' }] : [],
    extra,
  };
  const names = ['plain', 'é中😀', '<&>', '\n\t"\\', '\u2028', ' '];
  return {
    name: `${names[random(names.length)]}${index}`,
    type: isDirectory ? 'd' : random(4) === 0 ? 's' : 'f',
    mode: random(0o10000),
    bytes: isDirectory ? 0 : random(2) * random(2 ** 31) * 1000,
    mtimeSeconds: time(),
    mtimeNanoseconds: random(2) * random(1e9),
    uid: random(2) * random(2 ** 31) * 2,
    gid: random(2) * random(2 ** 31),
    objectId: Buffer.from(seededByteSource(random)(16)).toString('hex'),
    summary: isDirectory ? summary : undefined,
    extra,
  };
}
