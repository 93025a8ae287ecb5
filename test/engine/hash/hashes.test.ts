import { randomBytes } from 'node:crypto';
import t from 'tap';
import { allocateArena, arenaOver, type Arena } from '#engine/base/arena.ts';
import { toHex } from '#engine/base/bytes.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { isNativeAvailable } from '#engine/base/native.ts';
import type { ContentHash } from '#engine/hash/content-hash.ts';
import { createHash, HASHES } from '#engine/hash/hashes.ts';
import { seededBytes, seededRandom } from '#test/support/seeded.ts';

const SECRET = Uint8Array.from({ length: 32 }, (_, i) => 0x40 + i);
const SHORT = new TextEncoder().encode('short');

// kopia-format.md 16.3: printed by kopia's own code with the secret 40..5f.
const BLAKE2B =
  '0303f40780e21a28597f9b8787ad48f41372cdea563a2b8f56d01d35270ea4ac ' +
  '67d102b539e87f5bebb4503c87ebc993682ea1c5bb33129ff9e7f3be67993ca1';
const BLAKE3 =
  'd4ae84623d6ab4c21497de1cc96603c63371bf8de2ea371a442ef91224cfc4bf ' +
  '0f98b04f8ae91f2d32500fe8a0fcad43451089e360c0879c93203cb512b52382';
const SHA256 =
  '01043290094dcd211076cd9e66c478f57891856c3dbf5950f51141911b6ca433 ' +
  '6656ed44406d8895497b1b8d854118fcd7790e181ce6ea7ca4eed793f0fcd594';
const VECTORS: readonly (readonly [name: string, bytes: number, helloThenEmpty: string])[] = [
  ['BLAKE2B-256-128', 16, BLAKE2B],
  ['BLAKE2B-256', 32, BLAKE2B],
  ['BLAKE2S-128', 16, '5e2cd0fd0f1bec9ad3ac38410743b194 7a6df15d1fee55debfbe43143bcd7f0c'],
  [
    'BLAKE2S-256',
    32,
    '3d9a0c112c8ab75132393284675fbef16568314b63f19ca44020932568ae0180 ' +
      'a206644345f764dc626eab1d181b75db50fa708a7a9956fd1e4e15763e7c7ac2',
  ],
  ['BLAKE3-256-128', 16, BLAKE3],
  ['BLAKE3-256', 32, BLAKE3],
  ['HMAC-SHA256-128', 16, SHA256],
  ['HMAC-SHA256', 32, SHA256],
  [
    'HMAC-SHA224',
    28,
    '79f900073d341b238ebb251c62937def362771a802cc1677c6d85ec4 ' +
      '594d3592dac66aebce00f5681a6612b41075a337e2f6500d98c8884c',
  ],
  [
    'HMAC-SHA3-224',
    28,
    '30279c2a3862feba421bb30e36bb0c25bb46650a4b411716c85356a1 ' +
      'cf06621e979acb82c6ac0e45adec3ccb3df9cb7511c9561f707a20b0',
  ],
  [
    'HMAC-SHA3-256',
    32,
    '06a643a41ba08438fdbb6de956e8734cba72c53b33e2955f645ebe198aa21263 ' +
      'ef82fe186d44f3a4070d7dca6a5929319b738e25c337e7c97b05e8fdc2fbae6f',
  ],
];
const NATIVE = { skip: isNativeAvailable() ? false : 'native calls cannot be made here' };
const FORMS = [{ native: true }, { native: false }];

function arenaOf(bytes: Uint8Array): Arena {
  const arena = allocateArena(bytes.length);
  arena.bytes.set(bytes);
  return arena;
}

function digest(hash: ContentHash, input: Arena, offset = 0, length?: number): string {
  const out = new Uint8Array(hash.digestBytes);
  hash.digest(input, offset, length ?? input.bytes.length - offset, out, 0);
  return toHex(out);
}

t.test('every hash of kopia gives the digests that kopia printed, in both forms', async t => {
  t.same(Object.keys(HASHES).sort(), VECTORS.map(([name]) => name).sort());
  for (const [name, digestBytes, text] of VECTORS) {
    const [hello = '', empty = ''] = text.split(' ');
    for (const form of FORMS) {
      const hash = createHash(name, SECRET, form);
      t.equal(hash.name, name);
      t.equal(hash.digestBytes, digestBytes);
      t.equal(
        digest(hash, arenaOf(new TextEncoder().encode('hello'))),
        hello.slice(0, 2 * digestBytes),
      );
      t.equal(digest(hash, arenaOf(new Uint8Array(0))), empty.slice(0, 2 * digestBytes));
    }
  }
});

t.test('short, empty and long secrets do what kopia does with them', async t => {
  const hello = arenaOf(new TextEncoder().encode('hello'));
  for (const form of FORMS) {
    t.equal(
      digest(createHash('BLAKE3-256-128', SHORT, form), hello),
      '53753f6e5da41fd49c38330c2eefe92f',
    );
    t.equal(
      digest(createHash('BLAKE2B-256-128', SHORT, form), hello),
      'e6f33c2846bec48c0e4d7ae65222750f',
    );
    t.equal(
      digest(
        createHash('BLAKE2B-256-128', new Uint8Array(0), form),
        arenaOf(Uint8Array.of(1, 2, 3)),
      ),
      '11c0e79b71c3976ccd0c02d1310e2516',
    );
    const longer = new Uint8Array([...SECRET, 1, 2, 3]);
    t.equal(
      digest(createHash('BLAKE3-256', longer, form), hello),
      digest(createHash('BLAKE3-256', SECRET, form), hello),
    );
  }
});

t.test('a secret that a hash cannot be keyed with is refused', async t => {
  const cases: [string, number][] = [
    ['BLAKE2B-256', 65],
    ['BLAKE2B-256-128', 100],
    ['BLAKE2S-256', 33],
    ['BLAKE2S-128', 33],
    ['BLAKE2S-128', 0],
  ];
  for (const [name, bytes] of cases) {
    for (const form of FORMS) {
      t.throws(() => createHash(name, new Uint8Array(bytes), form), {
        code: 'REPOSITORY_FORMAT_INVALID',
      });
    }
  }
  t.doesNotThrow(() => createHash('BLAKE2B-256', new Uint8Array(64)));
  t.doesNotThrow(() => createHash('BLAKE2S-256', new Uint8Array(32)));
});

t.test('an unknown name is a named error that lists what is known', async t => {
  for (const name of ['BLAKE2B-512', '', 'toString', '__proto__']) {
    try {
      createHash(name, SECRET);
      t.fail('must throw');
    } catch (error) {
      if (!isEngineError(error, 'ALGORITHM_UNKNOWN')) throw error;
      t.same(error.details, { family: 'hash', name });
      t.match(error.message, 'HMAC-SHA3-224');
    }
  }
});

t.test('the table is frozen', async t => {
  t.ok(Object.isFrozen(HASHES));
  for (const algorithm of Object.values(HASHES)) t.ok(Object.isFrozen(algorithm));
});

t.test('OpenSSL serves every hash but BLAKE3 where native code is to be had', NATIVE, async t => {
  for (const { name, native } of Object.values(HASHES)) {
    t.equal(native?.(SECRET) !== undefined, !name.startsWith('BLAKE3'), name);
  }
});

t.test('the two forms agree on random lengths, offsets and secrets', async t => {
  const seed = randomBytes(4).readUInt32LE();
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  const input = arenaOver(seededBytes(random, 300_000));
  const copy = input.bytes.slice();
  for (const { name } of Object.values(HASHES)) {
    const secret = seededBytes(random, 1 + random(32));
    const native = createHash(name, secret);
    const portable = createHash(name, secret, { native: false });
    for (let round = 0; round < 25; round++) {
      const length = round < 5 ? 63 + 32 * round + random(3) : random(round < 22 ? 2000 : 100_000);
      const offset = random(input.bytes.length - length);
      const expected = digest(portable, input, offset, length);
      if (digest(native, input, offset, length) !== expected) {
        t.fail(`${name} differs for ${length} bytes at ${offset}`);
      }
    }
  }
  t.same(input.bytes, copy, 'the input is not changed');
});

t.test('only the digest is written to the output', async t => {
  for (const { name, digestBytes } of Object.values(HASHES)) {
    for (const form of FORMS) {
      const out = new Uint8Array(100).fill(0xee);
      createHash(name, SECRET, form).digest(arenaOf(SHORT), 0, 5, out, 7);
      t.ok(out.subarray(0, 7).every(byte => byte === 0xee));
      t.ok(out.subarray(7 + digestBytes).every(byte => byte === 0xee));
    }
  }
});

t.test('what lies outside of the buffers is refused', async t => {
  const input = allocateArena(100);
  const out = new Uint8Array(40);
  for (const { name } of Object.values(HASHES)) {
    for (const form of FORMS) {
      const hash = createHash(name, SECRET, form);
      const bad: [number, number, number][] = [
        [0, 101, 0],
        [100, 1, 0],
        [-1, 5, 0],
        [0, -1, 0],
        [0.5, 1, 0],
        [0, Number.NaN, 0],
        [0, 1, 41 - hash.digestBytes],
        [0, 1, -1],
      ];
      for (const [offset, length, outOffset] of bad) {
        t.throws(
          () => {
            hash.digest(input, offset, length, out, outOffset);
          },
          { code: 'INTERNAL' },
        );
      }
      hash.digest(input, 100, 0, out, 40 - hash.digestBytes);
    }
  }
});

t.test('a native hash refuses bytes whose address is not known', NATIVE, async t => {
  const native = createHash('BLAKE2B-256', SECRET);
  const input = { bytes: new Uint8Array(10), address: 0 };
  t.throws(() => digest(native, input), { code: 'INTERNAL' });
  const hello = arenaOf(new TextEncoder().encode('hello'));
  t.equal(digest(native, hello), BLAKE2B.slice(0, 64), 'and works on afterwards');
});
