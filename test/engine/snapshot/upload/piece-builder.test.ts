import t from 'tap';
import { DirectoryTable } from '#engine/format/directory-table.ts';
import { encodeText, PieceBuilder, textBuffers } from '#engine/snapshot/upload/piece-builder.ts';
import { largeFile } from './upload-run.ts';

const file = largeFile();
const text = (piece: unknown) => Buffer.from(piece as Uint8Array).toString();

t.test('texts that follow one another are joined', async t => {
  const pieces = new PieceBuilder(new DirectoryTable());
  for (const entry of ['{1}', undefined, '{2}', '{3}']) pieces.add(entry);
  t.ok(pieces.isComplete);
  t.equal(pieces.text(), '{1},{2},{3}');
  t.strictSame(pieces.finish().map(text), ['{1},{2},{3}']);
});

t.test('a file that is still to be read keeps its place', async t => {
  const pieces = new PieceBuilder(new DirectoryTable());
  for (const entry of ['{1}', '{2}', file, file, '{3}']) pieces.add(entry);
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
  const pieces = new PieceBuilder(table);
  for (const entry of [0, 1, '{new}', 3, file, 2]) pieces.add(entry);
  const [first, , last] = pieces.finish();
  t.equal(text(first), [texts[0], texts[1], '{new}', texts[3]].join(','));
  t.equal(text(last), texts[2]);
});

t.test('nothing gives no pieces', async t => {
  const pieces = new PieceBuilder(new DirectoryTable());
  pieces.add(undefined);
  t.ok(pieces.isComplete);
  t.equal(pieces.text(), '');
  t.strictSame(pieces.finish(), []);
});

t.test('a text has memory of its own, which can move to another thread', async t => {
  const bytes = encodeText('é\u{1f600}');
  t.equal(bytes.byteLength, bytes.buffer.byteLength);
  t.equal(text(structuredClone(bytes, { transfer: [bytes.buffer] })), 'é\u{1f600}');
  t.equal(bytes.length, 0);
});
