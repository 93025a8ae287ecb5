import t from 'tap';
import type { DirEntry } from '#engine/format/directory.ts';
import { encodeEntry } from '#engine/format/directory.ts';
import { DirectoryTable } from '#engine/format/directory-table.ts';
import { insertEntries } from '#engine/snapshot/upload/insert-entries.ts';
import { encodeText } from '#engine/snapshot/upload/piece-builder.ts';

const entry = (name: string): DirEntry => ({
  name,
  type: 'f',
  mode: 0o644,
  bytes: 1,
  mtimeSeconds: 1,
  mtimeNanoseconds: 0,
  uid: 0,
  gid: 0,
  objectId: 'aa',
});
const piece = (names: readonly string[]) =>
  encodeText(names.map(name => encodeEntry(entry(name))).join(','));

function namesIn(pieces: readonly Uint8Array[]): string[] {
  return pieces.flatMap(bytes => {
    const table = new DirectoryTable();
    t.ok(table.readEntries(bytes));
    return Array.from({ length: table.count }, (_, index) => {
      const start = table.nameStarts[index];
      return Buffer.from(table.bytes)
        .subarray(start, start + table.nameLengths[index])
        .toString();
    });
  });
}

t.test('entries are put where their names belong', async t => {
  const pieces = [piece(['!a', '.b', 'c']), piece(['d', 'f']), piece(['h'])];
  const inserted = insertEntries(pieces, [entry('e'), entry('.c'), entry('.a'), entry('é')]);
  t.strictSame(namesIn(inserted), ['!a', '.a', '.b', '.c', 'c', 'd', 'e', 'f', 'h', 'é']);
});

t.test('what nothing belongs in stays as it is', async t => {
  const pieces = [piece(['a']), piece(['c', 'd'])];
  t.strictSame(insertEntries(pieces, []), pieces);
  const inserted = insertEntries(pieces, [entry('.a')]);
  t.equal(inserted[1], pieces[1]);
  t.strictSame(namesIn(insertEntries([], [entry('b'), entry('a')])), ['a', 'b']);
});
