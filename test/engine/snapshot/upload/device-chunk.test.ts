import t from 'tap';
import type { Arena } from '#engine/base/arena.ts';
import { createSplitter, fastCdcFor, splitterAlgorithm } from '#engine/chunk/splitters.ts';
import { CHUNK_MARGIN_BYTES } from '#engine/object/object-writer.ts';
import type { ReadRange, SourceFileSystem } from '#engine/snapshot/source/source-file-system.ts';
import { readChunk } from '#engine/snapshot/upload/chunk-reader.ts';
import { DEVICE_MARGIN_BYTES, readDeviceChunk } from '#engine/snapshot/upload/device-chunk.ts';
import { ZeroChunks } from '#engine/snapshot/upload/zero-chunks.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';

const MARGIN_BYTES = CHUNK_MARGIN_BYTES + DEVICE_MARGIN_BYTES;
const SPLITTERS = [
  'DYNAMIC-128K-BUZHASH',
  'DYNAMIC-128K-RABINKARP',
  'FIXED-128K',
  fastCdcFor('FIXED-128K').name,
] as const;

/** Hands out at most `atOnce` bytes a call; readers of chunks call nothing else. */
function memoryOf(content: Uint8Array, atOnce = Number.MAX_SAFE_INTEGER): SourceFileSystem {
  const read = (_source: unknown, { bytes }: Arena, range: ReadRange): number => {
    const { position = 0, length, targetOffset } = range;
    const piece = content.subarray(position, position + Math.min(length, atOnce));
    bytes.set(piece, targetOffset);
    return piece.length;
  };
  return { read } as unknown as SourceFileSystem;
}

function deviceOf(bytes: number) {
  return { descriptor: 0, path: new Uint8Array(Buffer.from('/dev/x')), bytes, major: 7, minor: 0 };
}

/** Zeros with data in between, some of it short, and data with zeros in it. */
function patched(random: SeededRandom, length: number): Uint8Array {
  const content = new Uint8Array(length);
  for (let at = random.below(800_000); at < length; at += 1 + random.below(900_000)) {
    content.set(random.bytes(Math.min(length - at, 1 + random.below(300_000))), at);
  }
  return content;
}

function splitterNamed(name: string) {
  return createSplitter(name, splitterAlgorithm(name).maxBytes + MARGIN_BYTES);
}

t.test('a device is cut where a file of the same bytes is cut', async t => {
  const seed = newSeed();
  t.comment(`seed ${seed}`);
  for (const name of SPLITTERS) {
    for (let round = 0; round < 12; round++) {
      const random = new SeededRandom(seed + round);
      const content = patched(random, 512 * random.below(8000));
      const fileSystem = memoryOf(content, random.pick([4096, 100_000, 1 << 30]));
      const ofFile = splitterNamed(name);
      const ofDevice = splitterNamed(name);
      const zeros = new ZeroChunks(ofDevice);
      let zeroBytes = 0;
      for (let start = 0, isLast = false; !isLast;) {
        const whole = { start, limit: Number.MAX_SAFE_INTEGER, fileBytes: content.length };
        const file = readChunk(fileSystem, deviceOf(0) as never, ofFile, whole);
        const place = { start, zeroCut: () => zeros.cut };
        const chunk = readDeviceChunk(fileSystem, deviceOf(content.length), ofDevice, place);
        if (chunk.length !== file.length) {
          t.equal(chunk.length, file.length, `${name}, round ${round}, at ${start}`);
          return;
        }
        const { bytes } = ofDevice.arena;
        const got = bytes.subarray(chunk.offset, chunk.offset + chunk.length);
        const wanted = content.subarray(start, start + chunk.length);
        if (Buffer.compare(got, wanted) !== 0) t.fail(`${name}, round ${round}: bytes at ${start}`);
        const isZero = wanted.every(byte => byte === 0);
        t.equal(chunk.isHole, isZero, `${name}, round ${round}, ${start} is zero or not`);
        if (chunk.isHole) zeroBytes += chunk.length;
        start += chunk.length;
        ({ isLast } = chunk);
        t.equal(isLast, start >= content.length, 'the last one says so');
      }
      if (content.length > 3_000_000) t.ok(zeroBytes > 0, 'zeros were passed over');
    }
  }
});

t.test('a device that has become shorter is named', async t => {
  const [name] = SPLITTERS;
  const fileSystem = memoryOf(new Uint8Array(500_000));
  const read = (bytes: number) => () =>
    readDeviceChunk(fileSystem, deviceOf(bytes), splitterNamed(name), {
      start: 400_000,
      zeroCut: () => 262_144,
    });
  t.equal(read(500_000)().length, 100_000);
  t.throws(read(600_000), { code: 'SOURCE_CHANGED', message: /ended at 500000 instead of 600000/ });
});
