import { closeSync, fstatSync, openSync, readdirSync, readSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { EXT4, TMPFS } from '#engine/base/file-system-types.ts';
import { ALIGNED_BUFFERS_MAX, AlignedBuffers } from '#engine/cache/aligned-buffers.ts';
import { DirectFile } from '#engine/cache/direct-file.ts';
import { readFromMemory } from '#engine/cache/native-files.ts';
import { createSegment, type Segment } from '#engine/cache/segment.ts';
import { BLOCK_BYTES } from '#engine/cache/segment-format.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';

const SEGMENT_BYTES = 4 << 20;
const BLOCK = 100;

function isOn(directory: string, type: number, t: Test): boolean {
  const isThere = statfsSync(directory).type === type;
  if (!isThere) t.comment('skipped: the directory is on another file system');
  return isThere;
}

const PLACES = [
  ['a disk', (t: Test) => t.testdir()],
  ['a file system in memory', fastDirectory],
] as const;

interface Scene {
  readonly segment: Segment;
  readonly buffers: AlignedBuffers;
  /** The file once more. */
  readonly fd: number;
}

async function scene(t: Test, directory: string): Promise<Scene> {
  const buffers = new AlignedBuffers();
  const place = { path: join(directory, 'segment-00000'), index: 0, buffers };
  const segment = await createSegment(place, { bytes: SEGMENT_BYTES, checksum: 'crc32' });
  const fd = openSync(place.path, 'r+');
  t.teardown(async () => {
    closeSync(fd);
    if (!segment.isDropped) await segment.drop();
  });
  return { segment, buffers, fd };
}

async function opened(fd: number): Promise<DirectFile> {
  const direct = await DirectFile.open(fd);
  if (direct === undefined) throw new Error('this file system can be written to so');
  return direct;
}

function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8) + seed) & 0xff);
}

function blocksAt(fd: number, length: number): Buffer {
  const blocks = Buffer.alloc(length);
  readSync(fd, blocks, 0, length, BLOCK * BLOCK_BYTES);
  return blocks;
}

/** The longest first, which leaves its bytes in the buffer. */
const LENGTHS = [1 << 20, (1 << 20) - 1, 300_000, 4097, 4096, 4095, 513, 512, 511, 1];

for (const [name, directoryOf] of PLACES) {
  t.test(`on ${name} an entry is written as it is, with zeros to the end of its block`, async t => {
    const { segment, buffers, fd } = await scene(t, directoryOf(t));
    // While somebody has one the others stay as they are.
    using held = await buffers.take();
    t.ok(held);
    for (const [index, length] of LENGTHS.entries()) {
      const whole = Math.ceil(length / BLOCK_BYTES) * BLOCK_BYTES;
      const around = pattern(whole + BLOCK_BYTES, index + 1);
      // What was there before, in the kernel's memory as well.
      await segment.writeAt(BLOCK * BLOCK_BYTES, around);
      blocksAt(fd, around.length);
      const bytes = pattern(length, index + 100);
      await segment.writeBlocks(BLOCK, bytes);
      const found = blocksAt(fd, around.length);
      t.ok(found.subarray(0, length).equals(bytes), `${length} bytes`);
      t.ok(found.subarray(length, whole).every(byte => byte === 0));
      t.ok(found.subarray(whole).equals(around.subarray(whole)), 'and nothing behind them');
    }
    t.equal(fstatSync(fd).size, SEGMENT_BYTES);
  });
}

t.test('on a disk no byte of an entry stays in the memory of the kernel', async t => {
  const directory = t.testdir();
  if (!isOn(directory, EXT4, t)) return;
  const { segment, fd } = await scene(t, directory);
  const bytes = pattern(1 << 20, 1);
  await segment.writeBlocks(BLOCK, bytes);
  const first = Buffer.alloc(BLOCK_BYTES);
  t.notOk(readFromMemory(fd, first, BLOCK * BLOCK_BYTES));
  await segment.writeAt(BLOCK * BLOCK_BYTES, bytes);
  t.ok(readFromMemory(fd, first, BLOCK * BLOCK_BYTES), 'as it does when that is written to');
});

t.test('in memory there is nothing to be gained', async t => {
  const directory = fastDirectory(t);
  if (!isOn(directory, TMPFS, t)) return;
  const { fd } = await scene(t, directory);
  t.equal(await DirectFile.open(fd), undefined);
});

t.test('what the kernel refuses is never asked for again, and is no error', async t => {
  const directory = t.testdir();
  if (!isOn(directory, EXT4, t)) return;
  const { fd } = await scene(t, directory);
  const direct = await opened(fd);
  using lent = await new AlignedBuffers().take();
  t.equal(await direct.write(BLOCK * BLOCK_BYTES, lent.bytes), lent.bytes.length);
  t.ok(direct.isUsable);
  t.equal(await direct.write(1, lent.bytes), 0, 'there is no block there');
  t.notOk(direct.isUsable);
  direct.close();
});

t.test('what is wrong with the file is the error that it was', async t => {
  const directory = t.testdir();
  if (!isOn(directory, EXT4, t)) return;
  const { fd } = await scene(t, directory);
  const direct = await opened(fd);
  using lent = await new AlignedBuffers().take();
  // The end of a file of ext4 with blocks of 4 KiB.
  await t.rejects(direct.write(2 ** 44, lent.bytes), { code: 'EFBIG' });
  t.ok(direct.isUsable);
  direct.close();
});

for (const [name, directoryOf] of PLACES) {
  t.test(`on ${name} a segment that is given back writes nothing any more`, async t => {
    const before = readdirSync('/proc/self/fd').length;
    const { segment, fd } = await scene(t, directoryOf(t));
    await segment.writeBlocks(BLOCK, pattern(1, 1));
    const writing = segment.writeBlocks(BLOCK, pattern(1, 2));
    await Promise.all([segment.drop(), writing]);
    t.equal(fstatSync(fd).size, 0);
    t.equal(readdirSync('/proc/self/fd').length, before + 1, 'and leaves no descriptor');
  });
}

t.test('buffers go round by turns, and are gone when nobody has one', async t => {
  const buffers = new AlignedBuffers();
  const lent = [];
  for (let index = 0; index < ALIGNED_BUFFERS_MAX; index++) lent.push(await buffers.take());
  t.equal(new Set(lent.map(({ bytes }) => bytes.buffer)).size, ALIGNED_BUFFERS_MAX);
  const order: string[] = [];
  const waiting = ['first', 'second'].map(async name => {
    const buffer = await buffers.take();
    order.push(name);
    return buffer;
  });
  lent[2][Symbol.dispose]();
  lent[2][Symbol.dispose]();
  const first = await waiting[0];
  t.same(order, ['first'], 'given back once, however often that is said');
  t.equal(first.bytes, lent[2].bytes);
  lent[0][Symbol.dispose]();
  t.equal((await waiting[1]).bytes, lent[0].bytes);
  t.equal(buffers.count, ALIGNED_BUFFERS_MAX);
  for (const each of [first, lent[1], lent[3], await waiting[1]]) each[Symbol.dispose]();
  t.equal(buffers.count, 0);
});
