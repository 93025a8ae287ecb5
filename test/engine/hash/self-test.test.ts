import t from 'tap';
import type { ContentHash } from '#engine/hash/content-hash.ts';
import { createHash } from '#engine/hash/hashes.ts';
import { passesSelfTest } from '#engine/hash/self-test.ts';

const VECTORS = {
  hello: '0303f40780e21a28597f9b8787ad48f41372cdea563a2b8f56d01d35270ea4ac',
  pattern: '53c80bd7053be431bbbbf71ff21c57d6ecac414e92c4c1620a871bea0f8dc8b3',
};

function portable(secret: Uint8Array): ContentHash {
  return createHash('BLAKE2B-256', secret, { native: false });
}

/** The right hash, but for what `spoil` does to the arguments. */
function spoiled(spoil: (offset: number, length: number, call: number) => [number, number]) {
  return (secret: Uint8Array): ContentHash => {
    const hash = portable(secret);
    let calls = 0;
    return {
      ...hash,
      digest: (input, offset, length, out, outOffset) => {
        const [spoiledOffset, spoiledLength] = spoil(offset, length, calls++);
        hash.digest(input, spoiledOffset, spoiledLength, out, outOffset);
      },
    };
  };
}

t.test('a hash with the known answers passes', async t => {
  t.ok(passesSelfTest('right', VECTORS, portable));
});

t.test('a hash that loses the offset, the end or its key on the way does not pass', async t => {
  const cases = {
    offset: spoiled((_offset, length) => [0, length]),
    end: spoiled((offset, length) => [offset, Math.min(length, 128)]),
    second: spoiled((offset, length, call) => [offset, call === 2 ? length - 1 : length]),
    key: (secret: Uint8Array) => portable(secret.subarray(1)),
    missing: () => undefined,
  };
  for (const [name, create] of Object.entries(cases)) {
    t.notOk(passesSelfTest(name, VECTORS, create), name);
  }
});

t.test('an algorithm is tested once', async t => {
  let created = 0;
  const create = (secret: Uint8Array) => {
    created++;
    return portable(secret);
  };
  t.ok(passesSelfTest('once', VECTORS, create));
  t.ok(passesSelfTest('once', VECTORS, create));
  t.equal(created, 1);
});
