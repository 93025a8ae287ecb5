import { createHash, hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { BUZHASH_TABLE } from '#engine/chunk/buzhash.ts';
import {
  ARENA_BYTES_MAX,
  createSplitter,
  fastCdcFor,
  splitterAlgorithm,
  SPLITTERS,
} from '#engine/chunk/splitters.ts';
import { cutAll } from './cut-all.ts';

interface Vectors {
  readonly streamSha256: string;
  readonly splitters: Readonly<Record<string, number[]>>;
}

const path = new URL('../../vectors/splitters.json', import.meta.url);
// The file is ours; a wrong shape fails the test.
const vectors = JSON.parse(readFileSync(path, 'utf8')) as Vectors;

const STREAM_BYTES = 40 << 20;

/** kopia-format.md 16.6: SHA-256 of each of the numbers 0, 1, 2, … as eight bytes. */
function vectorStream(): Uint8Array {
  const stream = Buffer.alloc(STREAM_BYTES);
  const number = Buffer.alloc(8);
  for (let i = 0; i < STREAM_BYTES / 32; i++) {
    number.writeUInt32BE(i, 4);
    stream.set(hash('sha256', number, 'buffer'), i * 32);
  }
  return stream;
}

t.test('the table has the 23 splitters of kopia and FastCDC with seven sizes', async t => {
  const rows = Object.values(SPLITTERS);
  const stock = rows.filter(row => row.isStock).map(row => row.name);
  t.strictSame(stock.sort(), Object.keys(vectors.splitters).sort());
  t.equal(stock.length, 23);
  t.strictSame(
    rows.filter(row => !row.isStock).map(row => row.name),
    ['128K', '256K', '512K', '1M', '2M', '4M', '8M'].map(size => `FASTCDC-${size}`),
  );
  t.ok(Object.isFrozen(SPLITTERS) && rows.every(row => Object.isFrozen(row)));
});

t.test('the buzhash table is the one of kopia-format.md appendix E', async t => {
  const bytes = Buffer.alloc(1024);
  BUZHASH_TABLE.forEach((word, i) => bytes.writeInt32BE(word, 4 * i));
  t.equal(
    createHash('sha256').update(bytes).digest('hex'),
    '9f95254df5585a4957a754ceac4fba2a8af24ad015e84f56db59dfc1e218f6dd',
  );
});

t.test(
  'each splitter of kopia cuts the vector stream where kopia cuts it, in both forms',
  async t => {
    const stream = vectorStream();
    t.equal(createHash('sha256').update(stream).digest('hex'), vectors.streamSha256);
    for (const [name, lengths] of Object.entries(vectors.splitters)) {
      for (const native of [true, false]) {
        const splitter = createSplitter(name, SPLITTERS[name].maxBytes, { native });
        t.strictSame(cutAll(splitter, stream), lengths, `${name} ${splitter.form}`);
      }
    }
  },
);

t.test('WebAssembly serves all but FIXED on the machines we test on', async t => {
  for (const { name, create, portable } of Object.values(SPLITTERS)) {
    t.equal(create(1).form, name.startsWith('FIXED') ? 'portable' : 'wasm', name);
    t.equal(portable(1).form, 'portable');
  }
});

t.test('the arena has the size asked for and begins at a multiple of 16', async t => {
  for (const name of ['FIXED', 'DYNAMIC-1M-BUZHASH', 'FASTCDC-1M']) {
    for (const bytes of [1, 65535, 65536, 65537]) {
      const { arena } = createSplitter(name, bytes);
      t.equal(arena.bytes.length, bytes);
      t.equal(arena.bytes.byteOffset % 16, 0);
      t.equal(arena.address % 16, 0);
      t.ok(arena.bytes.every(byte => byte === 0));
    }
  }
});

t.test('FastCDC is to be had with the sizes of any splitter', async t => {
  for (const algorithm of Object.values(SPLITTERS)) {
    const found = fastCdcFor(algorithm.name);
    t.notOk(found.isStock);
    t.equal(found.averageBytes, algorithm.averageBytes);
    if (algorithm.name.startsWith('FIXED')) continue;
    t.equal(found.minBytes, algorithm.minBytes);
    t.equal(found.maxBytes, algorithm.maxBytes);
  }
  t.equal(fastCdcFor('DYNAMIC-4M-BUZHASH'), SPLITTERS['FASTCDC-4M']);
});

t.test('a name that is not in the table is an error that names it', async t => {
  for (const name of ['DYNAMIC-3M-BUZHASH', '', 'dynamic', 'constructor', '__proto__']) {
    for (const call of [() => createSplitter(name, 1), () => fastCdcFor(name)]) {
      t.throws(call, { code: 'ALGORITHM_UNKNOWN', details: { family: 'splitter', name } });
    }
  }
  t.equal(splitterAlgorithm('DYNAMIC').averageBytes, 4 << 20);
});

t.test('an arena without bytes or beyond the limit is refused', async t => {
  for (const name of ['FIXED', 'DYNAMIC', 'FASTCDC-4M']) {
    for (const native of [true, false]) {
      for (const bytes of [0, -1, 0.5, NaN, ARENA_BYTES_MAX + 1]) {
        const create = () => createSplitter(name, bytes, { native });
        t.throws(create, { code: 'LIMIT_EXCEEDED' });
      }
    }
  }
});
