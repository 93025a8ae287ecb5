import { zstdCompressSync } from 'node:zlib';
import t from 'tap';
import { allocateArena, arenaOver, ownBuffer } from '#engine/base/arena.ts';
import { freeNativeResources } from '#engine/base/native-resources.ts';
import { nativeUnzstd } from '#engine/compress/native-zstd.ts';

const unzstd = nativeUnzstd();
const natively = { skip: unzstd ? false : 'native calls cannot be made here' };
t.teardown(() => freeNativeResources());

const plain = Buffer.from('a directory has much in common with itself; '.repeat(500));

function packed(bytes: Uint8Array) {
  return arenaOver(ownBuffer(zstdCompressSync(bytes)));
}

t.test('a stream of the length that was promised is decoded', natively, async t => {
  if (!unzstd) return;
  const stream = packed(plain);
  const output = allocateArena(plain.length + 100);
  t.ok(unzstd(stream, 0, stream.bytes.length, output, plain.length));
  t.ok(plain.equals(output.bytes.subarray(0, plain.length)));
  t.ok(output.bytes.subarray(plain.length).every(byte => byte === 0));
});

t.test('another length, a damaged byte and a missing end are no success', natively, async t => {
  if (!unzstd) return;
  const stream = packed(plain);
  const output = allocateArena(plain.length + 1);
  const { length } = stream.bytes;
  t.notOk(unzstd(stream, 0, length, output, plain.length - 1));
  t.notOk(unzstd(stream, 0, length, output, plain.length + 1));
  t.notOk(unzstd(stream, 0, length - 1, output, plain.length));
  stream.bytes[0] ^= 1;
  t.notOk(unzstd(stream, 0, length, output, plain.length));
  t.equal(output.bytes[plain.length], 0, 'nothing is written behind the end');
});
