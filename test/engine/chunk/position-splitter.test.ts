import t from 'tap';
import { allocateArena } from '#engine/base/arena.ts';
import { BUZHASH_TABLE, scanBuzhash } from '#engine/chunk/buzhash.ts';
import { PositionSplitter, type Scan } from '#engine/chunk/position-splitter.ts';
import { rabinTables, scanRabinKarp } from '#engine/chunk/rabin-karp.ts';
import { openScanKernel, type ScanKernel } from '#engine/chunk/scan-kernel.ts';
import { cutAll } from './cut-all.ts';
import { seededBytes, seededRandom } from '#test/support/seeded.ts';

const POLYNOMIAL = 0x2e3e3e4a305605n;

/** kopia-format.md 9.4, word by word. */
function buzhashOf(window: Uint8Array): number {
  return window.reduce((hash, byte, i) => {
    const turns = (63 - i) % 32;
    const word = BUZHASH_TABLE[byte];
    return hash ^ ((word << turns) | (turns === 0 ? 0 : word >>> (32 - turns)));
  }, 0);
}

/** kopia-format.md 9.6, one bit after the other. */
function rabinOf(window: Uint8Array): bigint {
  let rest = 0n;
  for (const byte of window) {
    for (let bit = 7; bit >= 0; bit--) {
      rest = (rest << 1n) | BigInt((byte >> bit) & 1);
      if (rest >> 53n) rest ^= POLYNOMIAL;
    }
  }
  return rest;
}

/** The low 24 bits of rabinOf, as the sum of what each byte gives at its distance from the end. */
function rabinLowOf(window: Uint8Array): number {
  return window.reduce((sum, byte, i) => sum ^ RABIN_PARTS[(63 - i) * 256 + byte], 0);
}

const RABIN_PARTS = new Int32Array(64 * 256);
for (let distance = 0; distance < 64; distance++) {
  for (let bit = 0; bit < 8; bit++) {
    const part = Number(rabinOf(Uint8Array.of(1 << bit, ...new Uint8Array(distance))) & 0xffffffn);
    const row = RABIN_PARTS.subarray(distance * 256, distance * 256 + 256);
    for (let low = 0; low < 1 << bit; low++) row[(1 << bit) + low] = row[low] ^ part;
  }
}

const HASHES = {
  scanBuzhash: { portable: scanBuzhash, of: buzhashOf },
  scanRabinKarp: { portable: scanRabinKarp, of: rabinLowOf },
} as const;

type HashName = keyof typeof HASHES;

interface Sizes {
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly mask: number;
}

/** The chunks of `stream` by the definition: each position looked at on its own. */
function chunksByDefinition(hash: HashName, stream: Uint8Array, sizes: Sizes): number[] {
  const lengths: number[] = [];
  let length = 0;
  for (let end = 1; end <= stream.length; end++) {
    length++;
    const isCut =
      length === sizes.maxBytes ||
      (length >= sizes.minBytes &&
        (HASHES[hash].of(stream.subarray(end - 64, end)) & sizes.mask) === 0);
    if (!isCut) continue;
    lengths.push(length);
    length = 0;
  }
  return length > 0 ? [...lengths, length] : lengths;
}

/** A splitter with limits far below those that have names, in both forms. */
function bothForms(hash: HashName, sizes: Sizes, bytes: number): PositionSplitter[] {
  const { mask, ...limits } = sizes;
  const options = { name: hash, ...limits, skipBytes: limits.minBytes - 1 };
  const arena = allocateArena(bytes);
  const portable: Scan = { next: (a, b) => HASHES[hash].portable(arena.bytes, a, b, mask) };
  const kernel = openedKernel(bytes);
  const fast: Scan = { next: (a, b) => kernel[hash](a, b, mask) };
  return [
    new PositionSplitter({ arena, form: 'portable' }, portable, options),
    new PositionSplitter({ arena: kernel.arena, form: 'wasm' }, fast, options),
  ];
}

function openedKernel(bytes: number): ScanKernel {
  const kernel = openScanKernel(bytes);
  if (kernel === undefined) throw new Error('WebAssembly with SIMD is not to be had here');
  return kernel;
}

const HASH_NAMES = Object.keys(HASHES) as HashName[];

t.test('the hashes of a window are those that kopia computes', async t => {
  const window = Uint8Array.from({ length: 64 }, (_, i) => i);
  t.equal(buzhashOf(window) >>> 0, 0xd9b0c9cf);
  t.equal(buzhashOf(new Uint8Array(64)), 0);
  t.equal(rabinOf(window), 0x001a91598731792bn);
  t.equal(rabinLowOf(window), 0x31792b);
  const leaving = Uint8Array.from({ length: 64 }, (_, i) => (i === 0 ? 0xa7 : 0));
  t.equal(rabinTables().leaving[0xa7], rabinOf(leaving));
});

t.test(
  'short chunks end where the definition ends them, whatever the length of the stream',
  async t => {
    const sizes = { minBytes: 64, maxBytes: 300, mask: 0x7f };
    const random = seededRandom(1);
    for (const hash of HASH_NAMES) {
      const stream = seededBytes(random, 1400);
      for (const splitter of bothForms(hash, sizes, 600)) {
        for (let length = 0; length <= stream.length; length += 1 + random(13)) {
          const part = stream.subarray(0, length);
          const expected = chunksByDefinition(hash, part, sizes);
          t.strictSame(cutAll(splitter, part), expected, `${hash} ${splitter.form} ${length}`);
        }
      }
    }
  },
);

t.test('chunks of some kilobytes end where the definition ends them, on any bytes', async t => {
  const sizes = { minBytes: 100, maxBytes: 20_000, mask: 0xfff };
  const seed = 2;
  const random = seededRandom(seed);
  for (const hash of HASH_NAMES) {
    for (const valueCount of [256, 4, 2]) {
      const stream = seededBytes(random, 60_000, valueCount);
      const expected = chunksByDefinition(hash, stream, sizes);
      for (const splitter of bothForms(hash, sizes, 50_000)) {
        const title = `${hash} ${splitter.form} ${valueCount} values, seed ${seed}`;
        t.strictSame(cutAll(splitter, stream), expected, title);
        const place = () => random(20_000);
        const step = () => 1 + random(random(2) === 0 ? 10 : 9000);
        t.strictSame(cutAll(splitter, stream, { step, place }), expected, `${title}, in steps`);
      }
    }
  }
});

t.test('a scan of any stretch finds what the portable one finds', async t => {
  // Stretches of all lengths, most of which end a few positions before or behind a hit.
  const random = seededRandom(3);
  const kernel = openedKernel(16_384);
  for (const hash of HASH_NAMES) {
    kernel.arena.bytes.set(seededBytes(random, 16_384));
    for (let round = 0; round < 400; round++) {
      const start = 64 + random(4000);
      const end = start + random(12_000);
      const mask = (1 << (8 + random(6))) - 1;
      const expected = HASHES[hash].portable(kernel.arena.bytes, start, end, mask);
      if (kernel[hash](start, end, mask) !== expected) t.fail(`${hash} ${start} ${end} ${mask}`);
    }
    t.pass(hash);
  }
});

t.test('a chunk outside the arena is an error of the caller', async t => {
  const sizes = { minBytes: 64, maxBytes: 300, mask: 0x7f };
  for (const splitter of bothForms('scanBuzhash', sizes, 1000)) {
    for (const [offset, available] of [
      [-1, 10],
      [0, -1],
      [0.5, 10],
      [0, 1001],
      [1000, 1],
      [NaN, 10],
    ]) {
      t.throws(() => splitter.nextCut(offset, available, true), { name: 'AssertionError' });
    }
    t.equal(splitter.nextCut(1000, 0, true), 0);
  }
});
