import { zstdDecompressSync } from 'node:zlib';
import t from 'tap';
import { compressZstd, ZSTD_LEVELS } from '#engine/compress/compress-zstd.ts';
import { COMPRESSIONS, readHeaderId } from '#engine/compress/compressions.ts';
import { compressorByName } from '#engine/compress/compressors.ts';
import { decompress } from '#engine/compress/decompress.ts';
import { decodeS2Stream } from '#engine/compress/s2-stream.ts';
import { streamOf } from './vectors.ts';

const TEXT = new TextEncoder().encode('some text that comes again and again; '.repeat(300));
const LIMIT = 2 ** 24;

t.test('what a compressor writes decompresses under its header id', async t => {
  const names = [...COMPRESSIONS.map(({ name }) => name), ...Object.keys(ZSTD_LEVELS)];
  for (const name of names) {
    const compressor = compressorByName(name);
    if (compressor === undefined) {
      t.match(name, /^(s2-|lz4$)/, 'S2 and LZ4 are read only');
      continue;
    }
    t.equal(compressor.name, name);
    for (const plain of [TEXT, new Uint8Array(0), Uint8Array.of(7)]) {
      const stored = compressor.compress(plain);
      t.equal(readHeaderId(stored), compressor.headerId);
      t.same(decompress(compressor.headerId, stored, LIMIT), plain);
    }
    t.ok(compressor.compress(TEXT).length < TEXT.length / 10, name);
  }
});

t.test('the names of kopia have the header ids of kopia', async t => {
  for (const { name, headerId } of COMPRESSIONS) {
    const compressor = compressorByName(name);
    if (compressor !== undefined) t.equal(compressor.headerId, headerId, name);
  }
});

t.test('a numbered level has the header id that comes nearest', async t => {
  const ids = [1, 2, 3, 5, 6, 9, 10, 19].map(level => ZSTD_LEVELS[`zstd:${level}`]?.headerId);
  t.same(ids, [0x1101, 0x1101, 0x1100, 0x1100, 0x1102, 0x1102, 0x1103, 0x1103]);
  t.ok(Object.isFrozen(ZSTD_LEVELS));
});

t.test('the highest level compresses better than the lowest', async t => {
  const plain = decodeS2Stream(streamOf('better.s2'), LIMIT);
  const [fast = 0, small = 0] = ['zstd:1', 'zstd:19'].map(
    name => compressorByName(name)?.compress(plain).length,
  );
  t.ok(small > 0 && small < fast, `${small} < ${fast}`);
});

t.test('an unknown name is a named error that lists what is known', async t => {
  for (const name of ['brotli', 'zstd:0', 'zstd:20', 'none', '', 'toString']) {
    t.throws(() => compressorByName(name), {
      code: 'ALGORITHM_UNKNOWN',
      message: /s2-default/,
      details: { family: 'compression', name },
    });
  }
});

t.test(
  'a zstd frame says its size, carries a checksum and has a window of 8 MiB at most',
  async t => {
    const plain = new Uint8Array(12 * 2 ** 20);
    for (const name of ['zstd-fastest', 'zstd:19']) {
      const zstd = ZSTD_LEVELS[name];
      if (zstd === undefined) throw new Error(`no ${name}`);
      const stream = compressZstd(plain, zstd).subarray(4);
      // RFC 8878 3.1.1.1: descriptor, window descriptor, content size.
      const descriptor = stream[4];
      t.ok(descriptor & 0x04, 'a checksum');
      t.notOk(descriptor & 0x20, 'a window of its own');
      const base = 2 ** (10 + (stream[5] >> 3));
      t.ok(base + (base / 8) * (stream[5] & 7) <= 8 * 2 ** 20);
      t.equal(new DataView(stream.buffer, stream.byteOffset).getUint32(6, true), plain.length);
      t.equal(zstdDecompressSync(stream).length, plain.length);
    }
  },
);
