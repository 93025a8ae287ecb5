import t from 'tap';
import { createSplitter, SPLITTERS } from '#engine/chunk/splitters.ts';
import { cutAll } from './cut-all.ts';
import { seededBytes, seededRandom } from '#test/support/seeded.ts';

const KIB = 1024;
const SMALLEST = ['FIXED-128K', 'DYNAMIC-128K-BUZHASH', 'DYNAMIC-128K-RABINKARP', 'FASTCDC-128K'];
const FORMS = [true, false];

/** Streams in which a rolling hash meets different fates. */
function streams(seed: number): Map<string, Uint8Array> {
  const random = seededRandom(seed);
  const noise = seededBytes(random, 1200 * KIB);
  const islands = new Uint8Array(1200 * KIB);
  for (let at = 0; at < islands.length; at += 100 * KIB) {
    islands.set(seededBytes(random, random(50 * KIB)), at + random(40 * KIB));
  }
  return new Map([
    [`noise of seed ${seed}`, noise],
    [`bits of seed ${seed}`, seededBytes(random, 1200 * KIB, 2)],
    [`noise in zeros of seed ${seed}`, islands],
    ['three values in turn', Uint8Array.from({ length: 700 * KIB }, (_, i) => i % 3)],
    ['0xff', new Uint8Array(700 * KIB).fill(0xff)],
  ]);
}

t.test('both forms cut alike, however many bytes come at a time and wherever they lie', async t => {
  const random = seededRandom(11);
  for (const [title, stream] of streams(7)) {
    for (const name of SMALLEST) {
      const forms = FORMS.map(native => createSplitter(name, 800 * KIB, { native }));
      const [once, ...others] = forms.map(splitter => cutAll(splitter, stream));
      for (const other of others) t.strictSame(other, once, `${name}, ${title}`);
      for (const splitter of forms) {
        for (const stepMax of [300, 20 * KIB, 200 * KIB]) {
          // Tiny steps cost a call each; a few of them among larger ones find what they can find.
          const step = () => 1 + random(random(4) === 0 ? stepMax : 30 * stepMax);
          const place = () => random(256 * KIB);
          const inSteps = cutAll(splitter, stream, { step, place });
          t.strictSame(inSteps, once, `${name} ${splitter.form}, ${title}, steps of ${stepMax}`);
        }
      }
    }
  }
});

t.test(
  'each chunk has at least the minimum and at most the maximum, and none is empty',
  async t => {
    for (const [title, stream] of streams(8)) {
      for (const name of SMALLEST) {
        const splitter = createSplitter(name, 600 * KIB);
        const lengths = cutAll(splitter, stream);
        t.ok(
          lengths.every(length => length > 0 && length <= splitter.maxBytes),
          `${name}, ${title}`,
        );
        t.ok(lengths.slice(0, -1).every(length => length >= splitter.minBytes));
        t.equal(
          lengths.reduce((sum, length) => sum + length, 0),
          stream.length,
        );
      }
    }
  },
);

t.test(
  'a stream that ends anywhere around a limit or a cut keeps the cuts before its end',
  async t => {
    const stream = seededBytes(seededRandom(9), 900 * KIB);
    for (const name of SMALLEST) {
      for (const native of FORMS) {
        const splitter = createSplitter(name, 600 * KIB, { native });
        const all = cutAll(splitter, stream);
        const { minBytes, maxBytes } = splitter;
        for (const border of [0, 1, 64, minBytes, maxBytes, all[0], all[0] + minBytes]) {
          for (let end = Math.max(0, border - 2); end <= border + 2; end++) {
            const cut = cutAll(splitter, stream.subarray(0, end));
            t.strictSame(cut, cutBefore(all, end), `${name} ${splitter.form} ${end}`);
          }
        }
      }
    }
  },
);

/** The chunks of `lengths` up to `end`, where the last one ends. */
function cutBefore(lengths: readonly number[], end: number): number[] {
  const kept: number[] = [];
  let rest = end;
  for (const length of lengths) {
    if (rest === 0) break;
    kept.push(Math.min(length, rest));
    rest -= Math.min(length, rest);
  }
  return kept;
}

t.test('10 MiB of one byte are five chunks under DYNAMIC-4M-BUZHASH, as in kopia', async t => {
  for (const byte of [0x00, 0xff]) {
    for (const native of FORMS) {
      const splitter = createSplitter('DYNAMIC-4M-BUZHASH', 16 << 20, { native });
      const stream = new Uint8Array(10 << 20).fill(byte);
      t.strictSame(cutAll(splitter, stream), new Array(5).fill(2 << 20));
    }
  }
});

t.test('bytes that no hash ends a chunk in are cut at the maximum', async t => {
  const stream = Uint8Array.from({ length: 600 * KIB }, (_, i) => i % 3);
  for (const native of FORMS) {
    const buzhash = createSplitter('DYNAMIC-128K-BUZHASH', 300 * KIB, { native });
    t.strictSame(cutAll(buzhash, stream), [256 * KIB, 256 * KIB, 88 * KIB]);
    const fastCdc = createSplitter('FASTCDC-128K', 300 * KIB, { native });
    const zeros = new Uint8Array(600 * KIB);
    t.strictSame(cutAll(fastCdc, zeros), [256 * KIB, 256 * KIB, 88 * KIB]);
  }
});

t.test('no cut is answered before it is certain, and it is as soon as it is', async t => {
  const stream = seededBytes(seededRandom(10), 400 * KIB);
  for (const name of SMALLEST) {
    for (const native of FORMS) {
      const splitter = createSplitter(name, stream.length, { native });
      const [cut] = cutAll(splitter, stream);
      splitter.arena.bytes.set(stream);
      t.equal(splitter.nextCut(0, cut - 1, false), 0, `${name} ${splitter.form}`);
      // The package does not tell a hash at the end of what it was given from that end.
      const isUncertain = splitter.form === 'wasm' && name.startsWith('FASTCDC');
      if (isUncertain) t.equal(splitter.nextCut(0, cut, false), 0);
      t.equal(splitter.nextCut(0, isUncertain ? cut + 1 : cut, false), cut);
    }
  }
});

t.test('after a reset the next chunk is cut as if nothing had been before', async t => {
  const stream = seededBytes(seededRandom(12), 700 * KIB);
  for (const name of SMALLEST) {
    for (const native of FORMS) {
      const splitter = createSplitter(name, stream.length, { native });
      const expected = cutAll(splitter, stream);
      splitter.arena.bytes.fill(7);
      splitter.nextCut(0, splitter.minBytes + 1000, false);
      splitter.reset();
      t.strictSame(cutAll(splitter, stream), expected, `${name} ${splitter.form}`);
    }
  }
});

t.test('nothing available is no cut, at the end of a stream as well', async t => {
  for (const name of Object.keys(SPLITTERS)) {
    const splitter = createSplitter(name, 1);
    t.equal(splitter.nextCut(0, 0, false), 0);
    t.equal(splitter.nextCut(0, 0, true), 0);
    t.equal(splitter.nextCut(0, 1, true), 1);
  }
});
