// The file with the notes, whatever ended the last write or lies in its place.

import {
  cpSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import t from 'tap';
import { NotesFile, readNotes } from '#engine/cache/notes-file.ts';
import { type CacheNotes, NOTES_BYTES, SLOT_BYTES } from '#engine/cache/notes-format.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';

function notes(hits: number): CacheNotes {
  return {
    at: { wallMs: 1.7e12 + hits, bootId: 'boot', uptimeMs: 4000 },
    totals: { hits, hitBytes: hits * 10, misses: 3, missBytes: 4 },
    limitBytes: 5,
    limitReason: 'imagefs.available',
    reservedBytes: 6,
    pinnedBytes: 7,
    lastShrink: { fromBytes: 9, toBytes: 5, reason: 'imagefs.available', wallMs: 1.7e12 },
    repositories: [
      { key: { a: 1, b: 0xffff_ffff }, name: 's3://b/ü', unvisitedMs: 1000, isDeleted: false },
      { key: { a: 2, b: 3 }, name: undefined, unvisitedMs: 500, isDeleted: true },
    ],
  };
}

async function write(directory: string, ...all: CacheNotes[]): Promise<void> {
  const file = NotesFile.open(directory);
  for (const each of all) await file.write(each);
  file.close();
}

t.test('what was noted last is what is found', async t => {
  const directory = fastDirectory(t);
  t.equal(readNotes(directory), undefined);
  await write(directory, notes(1), notes(2), notes(3));
  const found = readNotes(directory);
  t.same({ ...found, repositories: undefined }, { ...notes(3), repositories: undefined });
  t.same(
    found?.repositories.toSorted((a, b) => a.key.a - b.key.a),
    notes(3).repositories,
  );
  const file = NotesFile.open(directory);
  t.equal(file.found?.totals.hits, 3);
  file.close();
});

t.test('the file has its size and its blocks from the beginning, for its owner alone', async t => {
  const directory = fastDirectory(t);
  NotesFile.open(directory).close();
  const { size, blocks, mode } = statSync(`${directory}/notes`);
  t.same([size, blocks * 512, mode & 0o777], [NOTES_BYTES, NOTES_BYTES, 0o600]);
});

t.test('a write that ends anywhere leaves the notes before it', async t => {
  const directory = fastDirectory(t);
  const path = `${directory}/notes`;
  await write(directory, notes(1), notes(2));
  const before = readFileSync(path);
  await write(directory, notes(3));
  const after = readFileSync(path);
  const last = after.findLastIndex((byte, at) => byte !== before[at]) + 1 - SLOT_BYTES;
  for (let end = 0; end <= last; end++) {
    const torn = Buffer.from(before);
    torn.set(after.subarray(SLOT_BYTES, SLOT_BYTES + end), SLOT_BYTES);
    writeFileSync(path, torn);
    const hits = readNotes(directory)?.totals.hits;
    if (hits !== (end < last ? 2 : 3)) t.fail(`after ${end} of ${last} bytes: ${hits}`);
  }
  t.ok(last > 50);
});

t.test('a byte that changes costs one slot at most', async t => {
  const directory = fastDirectory(t);
  const path = `${directory}/notes`;
  await write(directory, notes(1), notes(2));
  const whole = readFileSync(path);
  const seed = newSeed();
  const random = new SeededRandom(seed);
  for (let round = 0; round < 500; round++) {
    const damaged = Buffer.from(whole);
    const at = random.below(2) * SLOT_BYTES + random.below(700);
    damaged[at] ^= 1 + random.below(255);
    writeFileSync(path, damaged);
    const found = readNotes(directory);
    if (found?.totals.hits !== 1 && found?.totals.hits !== 2) t.fail(`byte ${at}, seed ${seed}`);
    t.same(found?.repositories.length, 2);
  }
});

t.test('notes of another cache count for nothing', async t => {
  const [one, other] = [fastDirectory(t), fastDirectory(t)];
  await write(one, notes(1));
  cpSync(`${one}/notes`, `${other}/notes`);
  t.equal(readNotes(other), undefined);
  const file = NotesFile.open(other);
  t.equal(file.found, undefined);
  file.close();
});

t.test('of another version of them nothing is taken', async t => {
  const directory = fastDirectory(t);
  // The text is whole and means something else.
  const other = { ...notes(1), totals: { hits: -1, hitBytes: 0, misses: 0, missBytes: 0 } };
  await write(directory, other);
  t.equal(readNotes(directory), undefined);
  await write(directory, notes(4));
  t.equal(readNotes(directory)?.totals.hits, 4);
});

t.test('what lies in its place is replaced, and what a link leads to stays', async t => {
  const directory = fastDirectory(t);
  const path = `${directory}/notes`;
  const victim = `${fastDirectory(t)}/victim`;
  writeFileSync(victim, Buffer.alloc(NOTES_BYTES, 7));
  const rows: [string, () => void][] = [
    ['a symbolic link', () => symlinkSync(victim, path)],
    ['a hard link', () => linkSync(victim, path)],
    ['a file of another size', () => writeFileSync(path, 'x')],
  ];
  for (const [what, place] of rows) {
    place();
    t.equal(readNotes(directory), undefined, what);
    await write(directory, notes(1));
    t.equal(readNotes(directory)?.totals.hits, 1, what);
    t.ok(lstatSync(path).isFile());
    truncateSync(path, 5);
    t.equal(readNotes(directory), undefined, `${what}, and cut`);
    NotesFile.open(directory).close();
    t.ok(readFileSync(victim).every(byte => byte === 7));
    await t.resolves(import('node:fs/promises').then(({ unlink }) => unlink(path)));
  }
  mkdirSync(path);
  t.throws(() => NotesFile.open(directory));
});

t.test('of more repositories than fit those stay that were not visited longest', async t => {
  const directory = fastDirectory(t);
  const repositories = Array.from({ length: 5000 }, (_, index) => ({
    key: { a: index, b: index },
    name: `s3://bucket/namespace-${index}/`,
    unvisitedMs: index * 1e6,
    isDeleted: index === 0,
  }));
  await write(directory, { ...notes(1), repositories });
  const found = readNotes(directory)?.repositories ?? [];
  t.ok(found.length > 700 && found.length < 2000, `${found.length} repositories`);
  t.same(found[0], { key: { a: 0, b: 0 }, name: undefined, unvisitedMs: 0, isDeleted: true });
  t.equal(found[1]?.key.a, 4999);
  t.ok(found.slice(1).every(({ key }, index) => key.a === 4999 - index));
});

t.test('names of a few hundred repositories fit', async t => {
  const directory = fastDirectory(t);
  const repositories = Array.from({ length: 250 }, (_, index) => ({
    key: { a: index, b: index },
    name: `s3://velero-backups/kopia/namespace-${index}/`,
    unvisitedMs: 14 * 86_400_000,
    isDeleted: false,
  }));
  await write(directory, { ...notes(1), repositories });
  const found = readNotes(directory)?.repositories ?? [];
  t.equal(found.filter(({ name }) => name !== undefined).length, 250);
});
