import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createChecksum } from '#engine/cache/checksum.ts';
import { blobKey } from '#engine/cache/blob-key.ts';
import { ROW_BYTES } from '#engine/cache/segment-format.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import {
  expectedBytes,
  generatedStorage,
  MIB,
  packId,
  readPacks,
  scratchCache,
  through,
} from './scratch-cache.ts';

const RANGE = { offset: 0, length: 300_000 };

/** A directory with `count` stretches in it, and nobody who has it open. */
async function filledDirectory(t: Test, count = 12): Promise<string> {
  const directory = fastDirectory(t);
  const { cache } = await scratchCache(t, { directory });
  const storage = through(cache, generatedStorage(MIB));
  for (let pack = 0; pack < count; pack++) await storage.get(packId(pack), { range: RANGE });
  await cache.close();
  return directory;
}

function segmentsOf(directory: string): string[] {
  const path = join(directory, 'stevedore-cache');
  return readdirSync(path)
    .filter(name => name.startsWith('segment-'))
    .sort()
    .map(name => join(path, name));
}

/** Reads everything back; gives how many stretches had to be fetched. */
async function readBack(t: Test, directory: string, count = 12): Promise<number> {
  const { cache } = await scratchCache(t, { directory });
  await cache.recovered();
  const inner = generatedStorage(MIB);
  const storage = through(cache, inner);
  await readPacks(t, storage, { to: count, bytes: RANGE.length });
  await cache.close();
  return inner.gets;
}

function overwrite(path: string, position: number, bytes: Uint8Array): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, bytes, 0, bytes.length, position);
  closeSync(fd);
}

t.test('an undamaged directory gives everything', async t => {
  t.equal(await readBack(t, await filledDirectory(t)), 0);
});

t.test('any byte of a segment may change, and no wrong byte is served', async t => {
  const seed = newSeed();
  t.comment(`STEVEDORE_TEST_SEED=${seed}`);
  const random = new SeededRandom(seed);
  const directory = await filledDirectory(t);
  for (let run = 0; run < 25; run++) {
    for (const path of segmentsOf(directory)) {
      const { size } = statSync(path);
      const at = random.once(2) ? random.below(size) : random.below(20 * ROW_BYTES);
      overwrite(path, at, random.bytes(1 + random.below(9)));
    }
    await readBack(t, directory);
  }
});

t.test('a damaged entry is a miss once and then there again', async t => {
  const directory = await filledDirectory(t);
  // Blocks of the first entry begin right behind the table.
  overwrite(segmentsOf(directory)[0], 9000, new Uint8Array(5));
  t.equal(await readBack(t, directory), 1);
  t.equal(await readBack(t, directory), 0);
});

t.test('a segment that was cut is given up', async t => {
  const directory = await filledDirectory(t);
  truncateSync(segmentsOf(directory)[0], 100_000);
  t.ok((await readBack(t, directory)) > 0);
});

t.test('entries of another segment do not become these', async t => {
  const directory = await filledDirectory(t);
  const [first, second] = segmentsOf(directory);
  const table = readFileSync(first).subarray(0, 4096);
  overwrite(second, 0, table);
  t.ok((await readBack(t, directory)) > 0);
});

t.test('segments in each other’s places are found by what is in them', async t => {
  const directory = await filledDirectory(t);
  const [first, second] = segmentsOf(directory);
  const bytes = [readFileSync(first), readFileSync(second)];
  writeFileSync(first, bytes[1]);
  writeFileSync(second, bytes[0]);
  t.equal(await readBack(t, directory), 0);
});

t.test('a link in place of a segment is not followed', async t => {
  const directory = fastDirectory(t);
  const outside = join(directory, 'outside');
  const [model] = segmentsOf(await filledDirectory(t));
  writeFileSync(outside, readFileSync(model));
  mkdirSync(join(directory, 'stevedore-cache'), { mode: 0o700 });
  symlinkSync(outside, join(directory, 'stevedore-cache/segment-00000'));
  const before = readFileSync(outside);
  await readBack(t, directory);
  t.same(readFileSync(outside), before);
});

t.test('a link in place of the directory or of its lock is refused', async t => {
  for (const name of ['stevedore-cache', 'stevedore-cache/lock']) {
    const directory = fastDirectory(t);
    const outside = fastDirectory(t);
    if (name.includes('/')) mkdirSync(join(directory, 'stevedore-cache'));
    symlinkSync(outside, join(directory, name));
    const { cache } = await scratchCache(t, { directory });
    t.equal(cache.volume, undefined);
    t.ok(cache.obstacle);
    t.same(readdirSync(outside), []);
  }
});

t.test('directory and files are for their owner alone', async t => {
  const directory = await filledDirectory(t);
  const mode = (path: string) => statSync(path).mode & 0o777;
  t.equal(mode(join(directory, 'stevedore-cache')), 0o700);
  t.equal(mode(join(directory, 'stevedore-cache/lock')), 0o600);
  for (const path of segmentsOf(directory)) t.equal(mode(path), 0o600);
});

t.test('what lies on disk does not say which blobs it is of', async t => {
  const directory = await filledDirectory(t, 2);
  const text = segmentsOf(directory).map(path => readFileSync(path, 'latin1'));
  t.notOk(text.some(each => each.includes(packId(0).slice(1, 33))));
});

t.test('a second cache in the same directory has to wait, and then gets it', async t => {
  const directory = fastDirectory(t);
  const first = await scratchCache(t, { directory });
  let nowMs = 0;
  const clock = {
    now: () => nowMs,
    nowNanoseconds: () => 0n,
    monotonic: () => nowMs,
    sleep: async () => undefined,
  };
  const second = await scratchCache(t, { directory }, { clock });
  t.equal(second.cache.obstacle, 'another process uses the directory');
  const inner = generatedStorage(MIB);
  await through(second.cache, inner).get(packId(1), { range: RANGE });
  t.equal(inner.gets, 1, 'served without a cache');
  await first.cache.close();
  nowMs += 10_000;
  await second.cache.look();
  t.ok(second.cache.volume);
  t.ok(existsSync(join(directory, 'stevedore-cache/lock')));
});

t.test('both checksums tell bytes, place and name apart', async t => {
  for (const isNativeAllowed of [true, false]) {
    const checksum = createChecksum({ isNativeAllowed });
    const bytes = expectedBytes('x', 0, 5000);
    const key = blobKey('one', 'x');
    const sum = (changes: { key?: typeof key; offset?: number; bytes?: Uint8Array }) => {
      const place = { key: changes.key ?? key, offset: changes.offset ?? 0 };
      return JSON.stringify(checksum.of(place, changes.bytes ?? bytes));
    };
    const sums = [
      sum({}),
      sum({ offset: 1 }),
      sum({ key: blobKey('two', 'x') }),
      sum({ key: blobKey('one', 'y') }),
      sum({ bytes: bytes.slice(0, 4999) }),
      sum({ bytes: bytes.map((byte, index) => (index === 4999 ? byte ^ 1 : byte)) }),
    ];
    t.equal(new Set(sums).size, sums.length, checksum.kind);
    t.equal(sum({}), sums[0], 'and the same again');
  }
});
