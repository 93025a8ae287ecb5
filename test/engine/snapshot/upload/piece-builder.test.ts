import t from 'tap';
import { DirectoryTable } from '#engine/format/directory-table.ts';
import { EntryBytes } from '#engine/format/entry-bytes.ts';
import { encodeText, PieceBuilder, textBuffers } from '#engine/snapshot/upload/piece-builder.ts';
import { largeFile } from './upload-run.ts';

const file = largeFile();
const builder = (table = new DirectoryTable()) => new PieceBuilder(table, new EntryBytes());
const text = (piece: unknown) => Buffer.from(piece as Uint8Array).toString();

t.test('texts that follow one another are joined', async t => {
  const pieces = builder();
  const [one, two, three] = ['{1}', '{2}', '{3}'].map(encodeText);
  for (const entry of [one, undefined, two, three]) pieces.add(entry);
  t.ok(pieces.isComplete);
  t.equal(text(pieces.whole()), '{1},{2},{3}');
  t.strictSame(pieces.finish().map(text), ['{1},{2},{3}']);
});

t.test('a file that is still to be read keeps its place', async t => {
  const pieces = builder();
  const [one, two, three] = ['{1}', '{2}', '{3}'].map(encodeText);
  for (const entry of [one, two, file, file, three]) pieces.add(entry);
  t.notOk(pieces.isComplete);
  const finished = pieces.finish();
  t.equal(finished.length, 4);
  t.equal(text(finished[0]), '{1},{2}');
  t.equal(finished[1], file);
  t.equal(finished[2], file);
  t.equal(text(finished[3]), '{3}');
  t.equal(textBuffers(finished).length, 2);
});

t.test('entries of the parent snapshot are taken as they stand there', async t => {
  const texts = ['a', 'b', 'c', 'd'].map(name => `{"name":"${name}","type":"f","obj":"aa"}`);
  const table = new DirectoryTable();
  t.ok(table.readEntries(Buffer.from(texts.join(','))));
  const pieces = builder(table);
  for (const entry of [0, 1, encodeText('{new}'), 3, file, 2]) pieces.add(entry);
  const [first, , last] = pieces.finish();
  t.equal(text(first), [texts[0], texts[1], '{new}', texts[3]].join(','));
  t.equal(text(last), texts[2]);
});

t.test('nothing gives no pieces', async t => {
  const pieces = builder();
  pieces.add(undefined);
  t.ok(pieces.isComplete);
  t.equal(pieces.whole().length, 0);
  t.strictSame(pieces.finish(), []);
});

t.test('what has been finished stays when the scratch is used again', async t => {
  const scratch = new EntryBytes();
  const finished = [encodeText('{1}'), encodeText('{2}')].flatMap(entry => {
    const pieces = new PieceBuilder(new DirectoryTable(), scratch);
    pieces.add(entry);
    return pieces.finish();
  });
  t.strictSame(finished.map(text), ['{1}', '{2}']);
});

t.test('a text has memory of its own, which can move to another thread', async t => {
  const bytes = encodeText('é\u{1f600}');
  t.equal(bytes.byteLength, bytes.buffer.byteLength);
  t.equal(text(structuredClone(bytes, { transfer: [bytes.buffer] })), 'é\u{1f600}');
  t.equal(bytes.length, 0);
});
