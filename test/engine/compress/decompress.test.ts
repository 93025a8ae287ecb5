import { deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import t from 'tap';
import { isEngineError } from '#engine/base/errors.ts';
import {
  compressionByHeaderId,
  compressionByName,
  COMPRESSIONS,
  formatHeaderId,
  readHeaderId,
  withHeaderId,
} from '#engine/compress/compressions.ts';
import { decompress, ORIGINAL_BYTES_MAX } from '#engine/compress/decompress.ts';
import { sha256Of, STORED_VECTORS } from './vectors.ts';

const ZSTD = 0x1100;
const GZIP = 0x1000;
const DEFLATE = 0x1500;
const LIMIT = 2 ** 20;

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

t.test('what other programs compressed comes out as it went in', async t => {
  for (const { name, headerId, stored, originalBytes, sha256 } of STORED_VECTORS) {
    const plain = decompress(headerId, stored, LIMIT);
    t.equal(plain.length, originalBytes, name);
    t.equal(sha256Of(plain), sha256, name);
    t.equal(plain.buffer.byteLength, plain.length, 'in an ArrayBuffer of its own');
    t.equal(plain.constructor, Uint8Array);
  }
});

t.test('a stream may hold exactly as much as the caller allows and no more', async t => {
  for (const { name, headerId, stored, originalBytes } of STORED_VECTORS) {
    t.equal(decompress(headerId, stored, originalBytes).length, originalBytes, name);
    for (const limit of [originalBytes - 1, 10, 0]) {
      t.throws(() => decompress(headerId, stored, limit), { code: 'LIMIT_EXCEEDED' }, name);
    }
  }
});

t.test('no caller can allow more than 256 MiB', async t => {
  t.equal(ORIGINAL_BYTES_MAX, 256 * 2 ** 20);
  const bomb = withHeaderId(ZSTD, zstdCompressSync(Buffer.alloc(ORIGINAL_BYTES_MAX + 1)));
  t.throws(() => decompress(ZSTD, bomb, Number.POSITIVE_INFINITY), {
    code: 'LIMIT_EXCEEDED',
    details: { family: 'zstd', limitBytes: ORIGINAL_BYTES_MAX },
  });
});

t.test('every cut of a stream is CONTENT_DAMAGED, or less than was there', async t => {
  for (const { name, headerId, stored, originalBytes } of STORED_VECTORS) {
    const step = Math.ceil(stored.length / 200);
    for (let length = 0; length < stored.length; length += step) {
      try {
        const plain = decompress(headerId, stored.slice(0, length), LIMIT);
        // Streams of S2 have no end mark, and an empty stream of zstd or LZ4 is one of no frames.
        if (plain.length >= originalBytes) t.fail(`${name} cut to ${length} is whole`);
        if (!/s2|zstd|lz4/.test(name) || (!/s2/.test(name) && length > 4)) {
          t.fail(`${name} cut to ${length} decodes`);
        }
      } catch (error) {
        if (!isEngineError(error, 'CONTENT_DAMAGED')) throw error;
      }
    }
  }
});

t.test('a content that begins with another header id is CONTENT_DAMAGED', async t => {
  const stored = withHeaderId(0x1101, zstdCompressSync('hello'));
  t.equal(text(decompress(0x1101, stored, LIMIT)), 'hello');
  t.throws(() => decompress(ZSTD, stored, LIMIT), {
    code: 'CONTENT_DAMAGED',
    message: /0x1100 and has 0x1101/,
  });
  t.throws(() => decompress(ZSTD, new Uint8Array(3), LIMIT), { code: 'CONTENT_DAMAGED' });
});

t.test('an unknown header id is a named error that lists what is known', async t => {
  t.throws(() => decompress(0x1600, withHeaderId(0x1600, new Uint8Array(9)), LIMIT), {
    code: 'ALGORITHM_UNKNOWN',
    message: /0x1600.*0x1502/,
    details: { family: 'compression', name: '0x1600' },
  });
});

t.test('all frames of a zstd stream are decoded, skippable ones skipped', async t => {
  const skippable = Buffer.from('502a4d1803000000616263', 'hex');
  const stream = Buffer.concat([
    skippable,
    zstdCompressSync('hello '),
    skippable,
    zstdCompressSync(''),
    zstdCompressSync('world'),
    skippable,
  ]);
  t.equal(text(decompress(ZSTD, withHeaderId(ZSTD, stream), 11)), 'hello world');
  t.throws(() => decompress(ZSTD, withHeaderId(ZSTD, stream), 10), { code: 'LIMIT_EXCEEDED' });
  t.equal(decompress(ZSTD, withHeaderId(ZSTD, new Uint8Array(0)), 10).length, 0);
});

t.test('a zstd stream of very many frames is refused', async t => {
  const frame = zstdCompressSync('');
  const stream = Buffer.concat(Array.from({ length: 1025 }, () => frame));
  t.throws(() => decompress(ZSTD, withHeaderId(ZSTD, stream), LIMIT), { code: 'CONTENT_DAMAGED' });
});

t.test('all members of a gzip stream are decoded', async t => {
  const stream = Buffer.concat([gzipSync('hello '), gzipSync('world')]);
  t.equal(text(decompress(GZIP, withHeaderId(GZIP, stream), LIMIT)), 'hello world');
});

t.test('what follows the end of a stream is not ignored', async t => {
  const streams: [number, Uint8Array][] = [
    [GZIP, gzipSync('hello')],
    [DEFLATE, deflateRawSync('hello')],
    [ZSTD, zstdCompressSync('hello')],
  ];
  for (const [headerId, stream] of streams) {
    for (const rest of [[0], [0, 0, 0, 0], [1, 2, 3], Array<number>(50).fill(0x41)]) {
      const longer = withHeaderId(headerId, new Uint8Array([...stream, ...rest]));
      t.throws(() => decompress(headerId, longer, LIMIT), { code: 'CONTENT_DAMAGED' });
    }
  }
});

t.test('the table has the 18 forms of kopia under their ids and names', async t => {
  t.equal(COMPRESSIONS.length, 18);
  t.ok(Object.isFrozen(COMPRESSIONS));
  for (const compression of COMPRESSIONS) {
    t.ok(Object.isFrozen(compression));
    t.equal(compressionByHeaderId(compression.headerId), compression);
    t.equal(compressionByName(compression.name), compression);
    t.equal(
      readHeaderId(withHeaderId(compression.headerId, new Uint8Array(0))),
      compression.headerId,
    );
  }
  t.equal(readHeaderId(Uint8Array.of(0xff, 0, 0, 1)), 0xff000001);
  t.equal(readHeaderId(new Uint8Array(3)), undefined);
  t.equal(formatHeaderId(0x1101), '0x1101');
});
