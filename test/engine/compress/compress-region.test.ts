import t from 'tap';
import { allocateArena } from '#engine/base/arena.ts';
import { isNativeAvailable } from '#engine/base/native.ts';
import { compressRegion } from '#engine/compress/compress-region.ts';
import { compressorByName } from '#engine/compress/compressors.ts';
import { decompress } from '#engine/compress/decompress.ts';
import { nativeZstd } from '#engine/compress/native-zstd.ts';

const TEXT = Buffer.from('{"name":"a","type":"f","mode":"0644"},'.repeat(200));

function arenaWith(bytes: Uint8Array, offset: number) {
  const arena = allocateArena(offset + bytes.length + 64);
  arena.bytes.set(bytes, offset);
  return arena;
}

for (const name of ['zstd-fastest', 'zstd', 'zstd:19', 'gzip', 'deflate-best-speed']) {
  t.test(`${name} compresses from one arena to another`, async t => {
    const compressor = compressorByName(name);
    if (!compressor) throw new Error(`${name} is not written`);
    const input = { arena: arenaWith(TEXT, 13), offset: 13 };
    const output = { arena: allocateArena(TEXT.length), offset: 7 };
    const length = compressRegion(compressor, input, TEXT.length, output, TEXT.length - 7);
    t.ok(length > 4 && length < TEXT.length / 4, `${length} bytes`);
    const stored = output.arena.bytes.subarray(7, 7 + length);
    t.same(Buffer.from(decompress(compressor.headerId, stored, TEXT.length)), TEXT);
    t.ok(
      output.arena.bytes.subarray(7 + length).every(byte => byte === 0),
      'nothing is written behind the end',
    );
  });

  t.test(`${name} says 0 when the result would not fit`, async t => {
    const compressor = compressorByName(name);
    if (!compressor) throw new Error(`${name} is not written`);
    const random = crypto.getRandomValues(new Uint8Array(3000));
    const output = { arena: allocateArena(3000), offset: 0 };
    const input = { arena: arenaWith(random, 0), offset: 0 };
    t.equal(compressRegion(compressor, input, 3000, output, 2999), 0);
    t.equal(compressRegion(compressor, input, 3000, output, 5), 0, 'not even a header and a byte');
  });
}

t.test('an encoder serves any number of calls', async t => {
  if (!isNativeAvailable()) {
    t.pass('skipped: native code is not to be had here');
    return;
  }
  const encode = nativeZstd(3);
  if (!encode) throw new Error('the self-test of native zstd failed');
  const input = arenaWith(TEXT, 0);
  const output = allocateArena(TEXT.length);
  const first = encode(input, 0, TEXT.length, output, 0, TEXT.length);
  for (let i = 0; i < 100; i++) {
    encode(input, i, 50, output, 0, 20);
    t.equal(encode(input, 0, TEXT.length, output, 0, TEXT.length), first);
  }
});
