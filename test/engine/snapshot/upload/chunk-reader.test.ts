import t from 'tap';
import type { Arena } from '#engine/base/arena.ts';
import type { Splitter } from '#engine/chunk/splitter.ts';
import { createSplitter, fastCdcFor, splitterAlgorithm } from '#engine/chunk/splitters.ts';
import { CHUNK_MARGIN_BYTES, CHUNK_OFFSET } from '#engine/object/object-writer.ts';
import type {
  ReadRange,
  SourceFile,
  SourceFileSystem,
} from '#engine/snapshot/source/source-file-system.ts';
import { type ReadChunk, readChunk } from '#engine/snapshot/upload/chunk-reader.ts';
import { ZeroChunks } from '#engine/snapshot/upload/zero-chunks.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';

const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** A file in memory that hands out at most `atOnce` bytes a call. */
class MemoryFile {
  readonly bytes: Uint8Array;
  /** What the file says of its length when it is opened. */
  bytesAtOpening: number;
  readonly reads: { position: number; length: number }[] = [];
  readonly #atOnce: number;

  constructor(bytes: Uint8Array, atOnce = NO_LIMIT) {
    this.bytes = bytes;
    this.bytesAtOpening = bytes.length;
    this.#atOnce = atOnce;
  }

  /** readChunk calls nothing but read(), and looks at no handle. */
  get fileSystem(): SourceFileSystem {
    const read = (_file: SourceFile, { bytes }: Arena, range: ReadRange): number => {
      const { position = 0, length, targetOffset } = range;
      this.reads.push({ position, length });
      const piece = this.bytes.subarray(position, position + Math.min(length, this.#atOnce));
      bytes.set(piece, targetOffset);
      return piece.length;
    };
    return { read } as unknown as SourceFileSystem;
  }
}

const handle = undefined as unknown as SourceFile;

function splitterNamed(name: string) {
  return createSplitter(name, splitterAlgorithm(name).maxBytes + CHUNK_MARGIN_BYTES);
}

function readAt(file: MemoryFile, splitter: Splitter, start: number, limit = NO_LIMIT): ReadChunk {
  const place = { start, limit, fileBytes: file.bytesAtOpening };
  return readChunk(file.fileSystem, handle, splitter, place);
}

/** Lengths of all chunks, checking that each holds the right bytes. */
function chunksOf(t: Tap, file: MemoryFile, name: string, limitAt = NO_LIMIT): number[] {
  const splitter = splitterNamed(name);
  const lengths: number[] = [];
  for (let start = 0; ;) {
    const limit = start < limitAt ? limitAt : NO_LIMIT;
    const chunk = readAt(file, splitter, start, limit);
    const got = splitter.arena.bytes.subarray(CHUNK_OFFSET, CHUNK_OFFSET + chunk.length);
    const isSame = Buffer.compare(got, file.bytes.subarray(start, start + chunk.length)) === 0;
    if (!isSame) t.fail(`bytes at ${start} differ`);
    if (chunk.length === 0) break;
    lengths.push(chunk.length);
    start += chunk.length;
    if (chunk.isLast) break;
  }
  return lengths;
}

type Tap = { fail: (message: string) => void };

t.test('a file is cut alike however many bytes a read gives', async t => {
  const bytes = new SeededRandom(1).bytes(3_000_000);
  for (const name of ['DYNAMIC-128K-BUZHASH', 'FIXED-128K', fastCdcFor('FIXED-128K').name]) {
    const whole = chunksOf(t, new MemoryFile(bytes), name);
    t.ok(whole.length > 3, name);
    t.equal(
      whole.reduce((sum, length) => sum + length, 0),
      bytes.length,
    );
    t.strictSame(chunksOf(t, new MemoryFile(bytes, 4096), name), whole, `${name}, small reads`);
  }
});

t.test(
  'a file that has another length than it had when it was opened is read to its end',
  async t => {
    for (const bytesAtOpening of [0, 1, 99_999, 100_001, 5_000_000]) {
      const file = new MemoryFile(new SeededRandom(5).bytes(100_000), 4096);
      file.bytesAtOpening = bytesAtOpening;
      t.strictSame(chunksOf(t, file, 'FIXED-1M'), [100_000], String(bytesAtOpening));
    }
  },
);

t.test('a small file takes one chunk and is known to end with it', async t => {
  const file = new MemoryFile(new Uint8Array(100).fill(1));
  const chunk = readAt(file, splitterNamed('FIXED-1M'), 0);
  t.strictSame(chunk, { length: 100, isLast: true, isHole: false });
  t.equal(file.reads.length, 1, 'a read that ends where the file does is the last');
});

t.test('an empty file gives an empty chunk', async t => {
  const file = new MemoryFile(new Uint8Array());
  const chunk = readAt(file, splitterNamed('FIXED-1M'), 0);
  t.strictSame(chunk, { length: 0, isLast: true, isHole: false });
});

t.test('a cut is forced at the limit, and cutting begins anew behind it', async t => {
  const bytes = new SeededRandom(2).bytes(2_000_000);
  const limitAt = 777_777;
  const name = 'DYNAMIC-128K-BUZHASH';
  const lengths = chunksOf(t, new MemoryFile(bytes), name, limitAt);
  const before = chunksOf(t, new MemoryFile(bytes.subarray(0, limitAt)), name);
  const behind = chunksOf(t, new MemoryFile(bytes.subarray(limitAt)), name);
  t.strictSame(lengths, [...before, ...behind]);
});

t.test('no more is read than the longest chunk can be, and never past the limit', async t => {
  const file = new MemoryFile(new SeededRandom(3).bytes(5_000_000));
  const splitter = splitterNamed('FIXED-128K');
  readAt(file, splitter, 1000);
  t.ok(file.reads.every(({ position, length }) => position + length <= 1000 + splitter.maxBytes));
  file.reads.length = 0;
  t.match(readAt(file, splitter, 1000, 1500), { length: 500 });
  t.ok(file.reads.every(({ position, length }) => position + length <= 1500));
});

t.test('holes are not read and change no cut', async t => {
  const seed = newSeed();
  t.comment(`seed ${seed}`);
  const random = new SeededRandom(seed);
  for (let round = 0; round < 40; round++) {
    const { bytes, holes } = sparseBytes(random);
    const name = random.pick(['DYNAMIC-128K-BUZHASH', 'FIXED-128K', fastCdcFor('FIXED-128K').name]);
    const limitAt = random.once(3) ? 1 + random.below(bytes.length) : NO_LIMIT;
    const whole = chunksOf(t, new MemoryFile(bytes), name, limitAt);
    const file = new MemoryFile(bytes, random.once(2) ? 4096 : NO_LIMIT);
    const sparse = sparseChunks(t, file, name, { holes, limitAt });
    t.strictSame(sparse, whole, `${name}, holes ${holes.join()}, limit ${limitAt}`);
    const isInHole = (at: number) =>
      holes.some((start, i) => i % 2 === 0 && at >= start && at < start + holes[i + 1]);
    const readInHoles = file.reads.filter(
      ({ position, length }) => length > 0 && isInHole(position) && position < bytes.length,
    );
    t.strictSame(readInHoles, []);
  }
});

/** Bytes with ranges of zeros that are holes, and some that are none. */
function sparseBytes(random: SeededRandom): { bytes: Uint8Array; holes: number[] } {
  const bytes = random.bytes(1_500_000 + random.below(1_500_000));
  const holes: number[] = [];
  for (let at = random.once(2) ? 0 : random.below(400_000); at < bytes.length - 2;) {
    const length = Math.min(bytes.length - at, 1 + random.below(random.pick([5000, 1_000_000])));
    bytes.fill(0, at, at + length);
    holes.push(at, length);
    at += length + 1 + random.below(500_000);
  }
  bytes.fill(0, 1_000_000, 1_000_000 + random.below(2) * 300_000);
  return { bytes, holes };
}

function sparseChunks(
  t: Tap,
  file: MemoryFile,
  name: string,
  { holes, limitAt }: { holes: readonly number[]; limitAt: number },
): number[] {
  const splitter = splitterNamed(name);
  const zeros = new ZeroChunks(splitter);
  const lengths: number[] = [];
  for (let start = 0; ;) {
    const limit = start < limitAt ? limitAt : NO_LIMIT;
    const place = { start, limit, fileBytes: file.bytes.length, holes, zeroCut: () => zeros.cut };
    const chunk = readChunk(file.fileSystem, handle, splitter, place);
    const expected = file.bytes.subarray(start, start + chunk.length);
    const got = chunk.isHole
      ? new Uint8Array(chunk.length)
      : splitter.arena.bytes.subarray(CHUNK_OFFSET, CHUNK_OFFSET + chunk.length);
    if (Buffer.compare(got, expected) !== 0) t.fail(`bytes at ${start} differ`);
    if (chunk.length === 0) break;
    lengths.push(chunk.length);
    start += chunk.length;
    if (chunk.isLast) break;
  }
  return lengths;
}
