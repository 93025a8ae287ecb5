import t from 'tap';
import {
  compareEntries,
  directoryPieces,
  encodeDirectory,
  encodeEntry,
  encodeSummary,
  firstFailedEntries,
  type DirEntry,
  type DirSummary,
} from '#engine/format/directory.ts';
import { goNameText } from '#engine/format/go-name.ts';
import { hex } from './text-bytes.ts';

const OBJECT = '67d102b539e87f5bebb4503c87ebc993';

const entry: DirEntry = {
  name: 'é中😀 name & <tag>.txt',
  type: 'f',
  mode: 0o4755,
  bytes: 12,
  mtimeSeconds: 1767323045,
  mtimeNanoseconds: 678_900_000,
  uid: 1000,
  gid: 4294967295,
  objectId: OBJECT,
};

const summary: DirSummary = {
  bytes: 0,
  files: 0,
  symlinks: 0,
  directories: 1,
  maxTimeSeconds: 1767323045,
  maxTimeNanoseconds: 678_900_000,
  incomplete: '',
  failedCount: 0,
  ignoredErrorCount: 0,
  failedEntries: [],
};

t.test('the empty directory of the reference', async t => {
  const text =
    '{"stream":"kopia:directory","entries":null,"summary":{"size":0,"files":0,"symlinks":0,' +
    '"dirs":1,"maxTime":"2026-01-02T03:04:05.6789Z","numFailed":0}}\n';
  t.equal(text.length, 149);
  t.equal(encodeDirectory([], summary), text);
  t.equal([...directoryPieces([], summary)].join(''), text);
});

t.test("an entry has its fields in kopia's order", async t => {
  t.equal(
    encodeEntry(entry),
    '{"name":"é中😀 name \\u0026 \\u003ctag\\u003e.txt","type":"f","mode":"040000755","size":12,' +
      `"mtime":"2026-01-02T03:04:05.6789Z","uid":1000,"gid":4294967295,"obj":"${OBJECT}"}`,
  );
});

t.test('zeros are left out, the object never', async t => {
  const zero = { ...entry, name: '', type: '', mode: 0, bytes: 0, uid: 0, gid: 0 };
  t.equal(encodeEntry({ ...zero, mtimeSeconds: 0, mtimeNanoseconds: 0 }), `{"obj":"${OBJECT}"}`);
  t.match(encodeEntry({ ...zero, mtimeSeconds: 0 }), '"mtime":"1970-01-01T00:00:00.6789Z"');
});

t.test('a name that is not UTF-8 is handed in as a literal', async t => {
  const text = encodeEntry(entry, goNameText(hex('61ff')));
  t.ok(text.startsWith('{"name":"a\\ufffd","type":"f"'));
});

t.test('a summary shows what went wrong', async t => {
  const failed = [{ path: 'a<b', error: 'permission denied' }];
  const text = encodeSummary({
    ...summary,
    incomplete: 'limit reached',
    failedCount: 1,
    ignoredErrorCount: 2,
    failedEntries: failed,
    extra: { later: 1 },
  });
  t.equal(
    text,
    '{"size":0,"files":0,"symlinks":0,"dirs":1,"maxTime":"2026-01-02T03:04:05.6789Z",' +
      '"incomplete":"limit reached","numFailed":1,"numIgnoredErrors":2,' +
      '"errors":[{"path":"a\\u003cb","error":"permission denied"}],"later":1}',
  );
});

t.test('extra fields stand behind those of kopia', async t => {
  const extra = { xattrs: { 'user.a': 'AA==' } };
  const text = encodeEntry({ ...entry, extra, summary: { ...summary, directories: 2 } });
  t.ok(
    text.endsWith(
      '"dirs":2,"maxTime":"2026-01-02T03:04:05.6789Z","numFailed":0},"xattrs":{"user.a":"AA=="}}',
    ),
  );
  t.equal(encodeEntry({ ...entry, extra: {} }), encodeEntry(entry));
  const texts = [encodeEntry(entry), encodeEntry(entry)];
  const directory = encodeDirectory(texts, summary, { later: true });
  t.equal([...directoryPieces(texts, summary, { later: true })].join(''), directory);
  t.ok(directory.endsWith('"numFailed":0},"later":true}\n'));
  t.doesNotThrow(() => JSON.parse(directory) as unknown);
});

t.test('directories come first, names go by their bytes', async t => {
  const names = ['z', 'a', '\uffff', '😀', 'é', 'Z', 'a.b', 'ab', '\ud7ff'];
  const entries = names.flatMap(name => [
    { name, type: 'f' },
    { name, type: 'd' },
    { name, type: 's' },
  ]);
  entries.sort(compareEntries);
  const order = ['Z', 'a', 'a.b', 'ab', 'z', 'é', '\ud7ff', '\uffff', '😀'];
  t.same(
    entries.filter(({ type }) => type === 'd').map(({ name }) => name),
    order,
  );
  t.ok(entries.slice(0, 9).every(({ type }) => type === 'd'));
  t.same(
    entries.filter(({ type }) => type === 'f').map(({ name }) => name),
    order,
  );
});

t.test('a summary names the first ten failures by path', async t => {
  const failed = Array.from({ length: 12 }, (_, i) => ({ path: String(99 - i), error: 'x' }));
  const first = firstFailedEntries(failed);
  t.equal(first.length, 10);
  t.equal(first[0].path, '88');
});
