import t from 'tap';
import { readEach } from '#engine/snapshot/damage.ts';
import { MemoryContents } from '#test/support/memory-contents.ts';

async function readAll(contents: MemoryContents, ids: string[]) {
  const had: string[] = [];
  const lost: string[] = [];
  await readEach(contents, ids, {
    content: contentId => void had.push(contentId),
    failure: (contentId, { code }) => void lost.push(`${contentId} ${code}`),
  });
  return { had: had.sort(), lost: lost.sort() };
}

t.test('contents that cannot be had cost nothing but themselves', async t => {
  const contents = new MemoryContents();
  const ids = Array.from({ length: 50 }, (_, i) => contents.add(`${i}`)).sort();
  contents.spoil(ids[3], 'CONTENT_DAMAGED');
  contents.spoil(ids[7], 'CONTENT_NOT_FOUND');
  contents.spoil(ids[9], 'CONTENT_NOT_FOUND');
  contents.spoil(ids[11], 'PACK_MISSING');
  const { had, lost } = await readAll(contents, [...ids, ...ids]);
  t.same(
    had,
    ids.filter((_, i) => ![3, 7, 9, 11].includes(i)),
  );
  t.same(
    lost,
    [
      `${ids[3]} CONTENT_DAMAGED`,
      `${ids[7]} CONTENT_NOT_FOUND`,
      `${ids[9]} CONTENT_NOT_FOUND`,
      `${ids[11]} PACK_MISSING`,
    ].sort(),
  );
});

t.test('a missing pack is asked for once and not once for each content', async t => {
  const contents = new MemoryContents();
  const ids = Array.from({ length: 100 }, (_, i) => contents.add(`${i}`));
  const find = contents.find.bind(contents);
  contents.find = contentId => {
    const entry = find(contentId);
    return entry && { ...entry, packId: 'gone' };
  };
  for (const contentId of ids) contents.spoil(contentId, 'PACK_MISSING');
  const { lost } = await readAll(contents, ids);
  t.equal(lost.length, 100);
  t.equal(contents.reads.length, 2);
});

t.test('what is no damage, and what the receiver throws, ends the reading', async t => {
  const contents = new MemoryContents();
  const ids = [contents.add('a'), contents.add('b')];
  const receiver = {
    content: () => {
      throw new Error('no room');
    },
    failure: () => undefined,
  };
  await t.rejects(readEach(contents, ids, receiver), /no room/);
  for (const contentId of ids) contents.spoil(contentId, 'STORAGE_TIMEOUT');
  await t.rejects(readAll(contents, ids), { code: 'STORAGE_TIMEOUT' });
});
