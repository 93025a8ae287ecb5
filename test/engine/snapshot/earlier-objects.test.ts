import t from 'tap';
import { encodeIndirect } from '#engine/format/indirect.ts';
import { readChunks, readDirectoryObject } from '#engine/snapshot/earlier-objects.ts';
import { TreeReader } from '#engine/snapshot/tree.ts';
import { MemoryContents } from '#test/support/memory-contents.ts';

const { signal } = new AbortController();
const CHUNK = 'x'.repeat(100);

/** An object of three chunks, the last two of which are one content. */
function scene() {
  const contents = new MemoryContents();
  const first = contents.add('start of the file');
  const hole = contents.add(CHUNK);
  const list = encodeIndirect([
    { start: 0, length: 17, objectId: first },
    { start: 17, length: 100, objectId: hole },
    { start: 117, length: 100, objectId: hole },
  ]);
  const objectId = `I${contents.add(list, 'x')}`;
  return { contents, first, hole, part: { objectId, bytes: 217 } };
}

t.test('the chunks of what was read of a file are those of its object', async t => {
  const { contents, first, hole, part } = scene();
  const chunks = await readChunks(contents, part, signal);
  t.strictSame([...(chunks?.starts ?? [])], [0, 17, 117]);
  t.strictSame([...(chunks?.lengths ?? [])], [17, 100, 100]);
  const ids = [...(chunks?.ids ?? [])].map(id => chunks?.contentIds[id]);
  t.strictSame(ids, [first, hole, hole]);
});

t.test('it is read again when a chunk is gone, on its way out, or not what it was', async t => {
  const lost = scene();
  lost.contents.spoil(lost.first, 'CONTENT_NOT_FOUND');
  t.equal(await readChunks(lost.contents, lost.part, signal), undefined);
  const leaving = scene();
  leaving.contents.markDeleted(leaving.hole);
  t.equal(await readChunks(leaving.contents, leaving.part, signal), undefined);
  const { contents, part } = scene();
  t.equal(await readChunks(contents, { ...part, bytes: 216 }, signal), undefined);
  t.equal(await readChunks(contents, { ...part, objectId: 'none' }, signal), undefined);
});

t.test('a directory that cannot be read is as good as none', async t => {
  const contents = new MemoryContents();
  const id = contents.add('{}', 'k');
  const reader = new TreeReader(contents);
  t.match(await readDirectoryObject(reader, id, signal), { objectId: id, bytes: { length: 2 } });
  contents.spoil(id, 'PACK_MISSING');
  t.equal(await readDirectoryObject(reader, id, signal), undefined);
  contents.spoil(id, 'STORAGE_UNAVAILABLE');
  await t.rejects(readDirectoryObject(reader, id, signal), { code: 'STORAGE_UNAVAILABLE' });
});
