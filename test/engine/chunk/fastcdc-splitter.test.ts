import t from 'tap';
import { FastCdcPackage } from '#engine/chunk/fastcdc.ts';
import { createSplitter, SPLITTERS } from '#engine/chunk/splitters.ts';
import { cutAll } from './cut-all.ts';
import { seededBytes, seededRandom } from '#test/support/seeded.ts';

function openedPackage(bytes: number): FastCdcPackage {
  const opened = FastCdcPackage.open(bytes);
  if (opened === undefined) throw new Error('WebAssembly is not to be had here');
  return opened;
}

/** What the package finds when all the rest of the stream is there for each chunk. */
function chunksOfPackage(name: string, stream: Uint8Array): number[] {
  const { minBytes, averageBytes, maxBytes } = SPLITTERS[name];
  const opened = openedPackage(stream.length);
  opened.arena.bytes.set(stream);
  const lengths: number[] = [];
  for (let start = 0; start < stream.length; start += lengths.at(-1) ?? 0) {
    const room = Math.min(maxBytes, stream.length - start);
    lengths.push(opened.firstChunk(start, room, { min: minBytes, average: averageBytes }));
  }
  return lengths;
}

t.test('the cuts are those of the package given the whole stream at once', async t => {
  const random = seededRandom(21);
  for (const valueCount of [256, 2, 1]) {
    const stream = seededBytes(random, (5 << 20) + 12_345, valueCount);
    for (const name of ['FASTCDC-128K', 'FASTCDC-1M', 'FASTCDC-2M']) {
      const expected = chunksOfPackage(name, stream);
      for (const native of [true, false]) {
        const splitter = createSplitter(name, 6 << 20, { native });
        const title = `${name} ${splitter.form} ${valueCount} values`;
        t.strictSame(cutAll(splitter, stream), expected, title);
        const step = () => 1 + random(400_000);
        t.strictSame(cutAll(splitter, stream, { step }), expected, `${title}, in steps`);
      }
    }
  }
});

t.test(
  'a chunk that may be resumed, and one that may not, end alike in steps of any size',
  async t => {
    // Noise that becomes constant and noise again: on the constant bytes the hashes never meet.
    const random = seededRandom(22);
    const stream = new Uint8Array(900_000);
    stream.set(seededBytes(random, 90_000), 0);
    stream.set(seededBytes(random, 500_000), 130_000);
    const expected = chunksOfPackage('FASTCDC-128K', stream);
    const splitter = createSplitter('FASTCDC-128K', 300_000);
    for (const stepBytes of [127, 128, 129, 1000, 65_536]) {
      t.strictSame(cutAll(splitter, stream, { step: () => stepBytes }), expected, `${stepBytes}`);
    }
  },
);

t.test('the arena stays where it is through thousands of calls', async t => {
  const opened = openedPackage(256 * 1024);
  const { bytes } = opened.arena;
  bytes.set(seededBytes(seededRandom(23), bytes.length));
  for (let i = 0; i < 5000; i++) opened.firstChunk(0, 30_000, { min: 64, average: 256 });
  t.equal(opened.arena.bytes, bytes);
  t.equal(bytes.length, 256 * 1024);
});

t.test('a splitter leaves the bytes in its arena as they were', async t => {
  for (const name of ['FASTCDC-128K', 'DYNAMIC-128K-BUZHASH', 'DYNAMIC-128K-RABINKARP']) {
    const stream = seededBytes(seededRandom(24), 500_000);
    const splitter = createSplitter(name, stream.length);
    splitter.arena.bytes.set(stream);
    for (let at = 0; at < stream.length;) at += splitter.nextCut(at, stream.length - at, true);
    t.ok(Buffer.compare(splitter.arena.bytes, stream) === 0, name);
  }
});
