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

/**
 * SHA-256 of the lengths as JSON, from the package's own entry (fastcdc-wasm 0.1.0, get_chunks),
 * given all of the stream and the three sizes.
 */
const FASTCDC_SHA256: Readonly<Record<string, string>> = {
  'FASTCDC-128K': '3baaa11c347abee717806adb786768162cf9578cc486caca72b2cebbc79adf7e',
  'FASTCDC-256K': '6b44102e7042b402a5a8f530f4979f35e5cd826e0ca3cfef63ca0202117270c7',
  'FASTCDC-512K': 'beab54aaa913e36baf37c55b98488d2205ac3e9c0c017eb07d92a3fa4ab24e2d',
  'FASTCDC-1M': 'cfd05a8a3c2251722857b6d837825efe14ec286546a602e281ec0c61d932fe54',
  'FASTCDC-2M': '24be5edff5a2a82f5310271c0cd7148879f34409779ed74b12cc69001aa57e41',
  'FASTCDC-4M': '810491691cf204f06457357ee28c0ec6d8bb0caf2bef65ac52bdafe034aafdc1',
  'FASTCDC-8M': 'bcd6f0108c56355a59bc1faac2d048a2e6f83a1cb19caf2d72a798f35e20e9c3',
};

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

t.test('the vector stream is cut where kopia and fastcdc-wasm cut it, in both forms', async t => {
  const stream = vectorStream();
  t.equal(hash('sha256', stream), vectors.streamSha256);
  for (const { name, maxBytes } of Object.values(SPLITTERS)) {
    const recorded = vectors.splitters[name];
    const expected = FASTCDC_SHA256[name] ?? hash('sha256', JSON.stringify(recorded));
    for (const native of [true, false]) {
      const splitter = createSplitter(name, maxBytes, { native });
      const lengths = cutAll(splitter, stream);
      t.equal(hash('sha256', JSON.stringify(lengths)), expected, `${name} ${splitter.form}`);
    }
  }
});

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
