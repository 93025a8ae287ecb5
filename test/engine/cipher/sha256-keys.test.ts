import { createHmac, randomBytes } from 'node:crypto';
import t from 'tap';
import { toHex } from '#engine/base/bytes.ts';
import { isNativeAvailable } from '#engine/base/native.ts';
import { createNativeCipher } from '#engine/cipher/native-cipher.ts';
import { createCipher } from '#engine/cipher/ciphers.ts';
import { openBytes, sealBytes } from '#engine/cipher/seal-bytes.ts';
import { createSha256Keys, givesKnownKeys } from '#engine/cipher/sha256-keys.ts';
import { seededBytes, seededRandom } from '#test/support/seeded.ts';

const NATIVE = { skip: isNativeAvailable() ? false : 'native calls cannot be made here' };

t.test('content keys are HMAC-SHA256 for ivs of every length, in any order', NATIVE, async t => {
  const seed = randomBytes(4).readUInt32LE();
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  const secret = seededBytes(random, 32);
  const keys = createSha256Keys(secret);
  if (keys === undefined) return t.comment('SHA256_Transform is not exported here');
  for (let round = 0; round < 500; round++) {
    const iv = seededBytes(random, 1 + random(32));
    const out = new Uint8Array(40).fill(0xee);
    keys.derive(iv, out, 5);
    const expected = createHmac('sha256', secret).update(iv).digest('hex');
    if (toHex(out) !== `eeeeeeeeee${expected}eeeeee`) t.fail(`differs for ${iv.length} bytes`);
  }
});

t.test('a function that does not do what SHA256_Transform does is not trusted', async t => {
  t.notOk(givesKnownKeys(() => 0));
});

t.test('both ways to a content key seal alike', NATIVE, async t => {
  const secret = new Uint8Array(32).fill(9);
  const spec = { name: 'test', cipher: 'AES-256-GCM', usesTransform: false };
  const slower = createNativeCipher(spec, secret);
  if (slower === undefined) throw new Error('no native cipher');
  const faster = createCipher('AES256-GCM-HMAC-SHA256', secret);
  const plain = new TextEncoder().encode('hello');
  for (const iv of [new Uint8Array(16).fill(1), new Uint8Array(32).fill(2)]) {
    t.same(openBytes(faster, sealBytes(slower, plain, iv), iv), plain);
    t.same(openBytes(slower, sealBytes(faster, plain, iv), iv), plain);
  }
});
