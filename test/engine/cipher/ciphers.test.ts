import { randomBytes } from 'node:crypto';
import t from 'tap';
import { allocateArena, arenaOver, type Arena } from '#engine/base/arena.ts';
import { fromHex, toHex } from '#engine/base/bytes.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { isNativeAvailable, nativeFunction } from '#engine/base/native.ts';
import { deriveCipherSecret } from '#engine/cipher/cipher-secret.ts';
import { CIPHERS, createCipher } from '#engine/cipher/ciphers.ts';
import { NONCE_BYTES, SEAL_BYTES, type ContentCipher } from '#engine/cipher/content-cipher.ts';
import { openBytes, sealBytes } from '#engine/cipher/seal-bytes.ts';
import { seededBytes, seededRandom } from '#test/support/seeded.ts';

const AES = 'AES256-GCM-HMAC-SHA256';
const CHACHA = 'CHACHA20-POLY1305-HMAC-SHA256';
const NAMES = [AES, CHACHA];
const FORMS = [{ native: true }, { native: false }];
const NATIVE = { skip: isNativeAvailable() ? false : 'native calls cannot be made here' };
const SECRET = deriveCipherSecret(Uint8Array.from({ length: 32 }, (_, i) => 0x80 + i));
const IV = bytesOf('0303f40780e21a28597f9b8787ad48f4');

function bytesOf(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  if (bytes === undefined) throw new Error(`not hexadecimal: ${hex}`);
  return bytes;
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Every cipher in each of its forms. */
function everyCipher(): ContentCipher[] {
  return NAMES.flatMap(name => FORMS.map(form => createCipher(name, SECRET, form)));
}

t.test('the secret is derived from the master key as kopia does it', async t => {
  t.equal(toHex(SECRET), '460d9c1e280cd974081bdd2d9deee86ec558def939d959d30eb258123e42aec2');
});

t.test('what kopia sealed opens, under ivs of 16 and of 32 bytes', async t => {
  // kopia-format.md 16.4, the dump of vectors, and kopia repo/encryption/encryption_test.go.
  const other = deriveCipherSecret(ascii('01234567890123456789012345678901'));
  const longIv = ascii('aabbccddeeffgghhiijjkkllmmnnoopp');
  const cases: [string, Uint8Array, Uint8Array, string, string][] = [
    [
      AES,
      SECRET,
      IV,
      'hello',
      '7f747eedfba29ebcc3da89ca36d2b2f24a85e2738540ce6bc01a81889d7934e9f9',
    ],
    [
      AES,
      SECRET,
      IV,
      'hello',
      '7d875f31c72a612946150d2b33068187646bb3a3ecea6b5395982b09a166b4063f',
    ],
    [AES, other, longIv, 'foo', 'e43ba07f85a6d70c5f1102ca06cf19c597e5f91e527b21f00fb76e8bec3fd1'],
    [
      CHACHA,
      SECRET,
      IV,
      'hello',
      'fe39d44aff6beaf3fb030ea6fd4bac686c4ccbecd0b82239f3fa580d09ccf938d3',
    ],
    [
      CHACHA,
      SECRET,
      IV,
      'hello',
      '52955d740e856a06cdbc2fb8f62069e8549d59813231e85a3bb8564a6e7cadfe60',
    ],
    [
      CHACHA,
      other,
      longIv,
      'foo',
      '118359f3d4d589d939efbbc3168ae4c77c51bcebce6845fe6ef5d11342faa6',
    ],
  ];
  for (const [name, secret, iv, text, sealed] of cases) {
    for (const form of FORMS) {
      const opened = openBytes(createCipher(name, secret, form), bytesOf(sealed).slice(), iv);
      t.equal(new TextDecoder().decode(opened), text);
    }
  }
});

t.test('OpenSSL serves both ciphers where native code is to be had', NATIVE, async t => {
  for (const { name, native } of Object.values(CIPHERS)) t.ok(native?.(SECRET), name);
});

t.test('each form opens what the other sealed, in place and out of place', async t => {
  const seed = randomBytes(4).readUInt32LE();
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  const plain = arenaOver(seededBytes(random, 2 ** 20));
  const plainCopy = plain.bytes.slice();
  const sealed = allocateArena(plain.bytes.length + 1000);
  const opened = allocateArena(plain.bytes.length + 1000);
  const lengths = [0, 1, 15, 16, 17, 2 ** 20, ...Array.from({ length: 30 }, () => random(9000))];
  for (const name of NAMES) {
    const forms = FORMS.map(form => createCipher(name, SECRET, form));
    for (const [index, length] of lengths.entries()) {
      const iv = seededBytes(random, index % 2 === 0 ? 16 : 32);
      const from = { arena: plain, offset: random(plain.bytes.length - length + 1) };
      const to = { arena: sealed, offset: random(900) };
      const back = { arena: opened, offset: random(900) };
      const expected = plain.bytes.subarray(from.offset, from.offset + length);
      for (const sealer of forms) {
        for (const opener of forms) {
          sealer.seal(from, length, to, iv);
          opener.open(to, length + SEAL_BYTES, back, iv);
          const outOfPlace = opened.bytes.subarray(back.offset, back.offset + length);
          const inPlace = openBytes(opener, sealBytes(sealer, expected, iv), iv);
          if (Buffer.compare(outOfPlace, expected) || Buffer.compare(inPlace, expected)) {
            t.fail(`${name} differs for ${length} bytes at ${from.offset}`);
          }
        }
      }
    }
  }
  t.same(plain.bytes, plainCopy, 'the plaintext is not changed');
});

t.test('a seal writes its own bytes only', async t => {
  const plain = arenaOver(new Uint8Array(new ArrayBuffer(100)).fill(1));
  for (const cipher of everyCipher()) {
    const sealed = arenaOver(new Uint8Array(new ArrayBuffer(300)).fill(0xee));
    cipher.seal({ arena: plain, offset: 3 }, 97, { arena: sealed, offset: 50 }, IV);
    t.ok(sealed.bytes.subarray(0, 50).every(byte => byte === 0xee));
    t.ok(sealed.bytes.subarray(50 + 97 + SEAL_BYTES).every(byte => byte === 0xee));
    const opened = arenaOver(new Uint8Array(new ArrayBuffer(300)).fill(0xdd));
    cipher.open({ arena: sealed, offset: 50 }, 97 + SEAL_BYTES, { arena: opened, offset: 9 }, IV);
    t.ok(opened.bytes.subarray(0, 9).every(byte => byte === 0xdd));
    t.ok(opened.bytes.subarray(9 + 97).every(byte => byte === 0xdd));
  }
});

t.test('no nonce is used twice', async t => {
  for (const cipher of everyCipher()) {
    const seen = new Set<string>();
    const arena = allocateArena(SEAL_BYTES);
    for (let i = 0; i < 2500; i++) {
      cipher.seal({ arena, offset: NONCE_BYTES }, 0, { arena, offset: 0 }, IV);
      seen.add(toHex(arena.bytes.subarray(0, NONCE_BYTES)));
    }
    t.equal(seen.size, 2500);
  }
});

t.test('any flipped byte, any cut and a wrong iv are CONTENT_DAMAGED', async t => {
  const plain = ascii('some bytes that matter to somebody');
  for (const cipher of everyCipher()) {
    const sealed = sealBytes(cipher, plain, IV);
    const damaged: [Uint8Array, Uint8Array][] = [];
    for (let i = 0; i < sealed.length; i++) {
      const flipped = sealed.slice();
      flipped[i] ^= 1 << (i % 8);
      damaged.push([flipped, IV], [sealed.slice(0, i), IV]);
    }
    damaged.push([sealed, IV.map(byte => byte ^ 1)], [sealed, IV.subarray(1)]);
    damaged.push([new Uint8Array([...sealed, 0]), IV]);
    for (const [bytes, iv] of damaged) {
      try {
        openBytes(cipher, bytes, iv);
        t.fail(`${cipher.name} opened damaged bytes`);
      } catch (error) {
        if (!isEngineError(error, 'CONTENT_DAMAGED')) throw error;
      }
    }
    t.same(openBytes(cipher, sealed, IV), plain, 'and opens what is whole afterwards');
  }
});

t.test('ciphers of another secret do not open it', async t => {
  for (const cipher of everyCipher()) {
    const sealed = sealBytes(cipher, ascii('hello'), IV);
    for (const form of FORMS) {
      const other = createCipher(
        cipher.name,
        SECRET.map(byte => byte ^ 1),
        form,
      );
      t.throws(() => openBytes(other, sealed, IV), { code: 'CONTENT_DAMAGED' });
    }
  }
});

t.test('a failed open leaves no error behind that TLS would trip over', NATIVE, async t => {
  const peekError = nativeFunction('unsigned long ERR_peek_error()');
  if (peekError === undefined) throw new Error('ERR_peek_error is not exported');
  for (const cipher of everyCipher()) {
    const sealed = sealBytes(cipher, ascii('hello'), IV).fill(0, 20);
    t.throws(() => openBytes(cipher, sealed, IV), { code: 'CONTENT_DAMAGED' });
    t.equal(peekError(), 0);
  }
});

t.test('what cannot be meant is refused before memory is touched', async t => {
  const arena = allocateArena(200);
  const at = (offset: number, of: Arena = arena) => ({ arena: of, offset });
  const elsewhere = allocateArena(200);
  for (const cipher of everyCipher()) {
    const bad: (() => void)[] = [
      () => {
        cipher.seal(at(12), 173, at(0), IV);
      },
      () => {
        cipher.seal(at(-1), 5, at(100), IV);
      },
      () => {
        cipher.seal(at(0, elsewhere), 201, at(0), IV);
      },
      () => {
        cipher.seal(at(0, elsewhere), Number.NaN, at(0), IV);
      },
      () => {
        cipher.seal(at(13), 20, at(0), IV);
      },
      () => {
        cipher.seal(at(0), 20, at(0), IV);
      },
      () => {
        cipher.seal(at(12), 20, at(0), new Uint8Array(0));
      },
      () => {
        cipher.seal(at(12), 20, at(0), new Uint8Array(33));
      },
      () => {
        cipher.open(at(0), 201, at(12), IV);
      },
      () => {
        cipher.open(at(0), 100, at(150, elsewhere), IV);
      },
      () => {
        cipher.open(at(0), 100, at(20), IV);
      },
    ];
    for (const [index, call] of bad.entries()) t.throws(call, { code: 'INTERNAL' }, `${index}`);
    // Next to each other is fine.
    cipher.seal(at(0), 20, at(20), IV);
    cipher.open(at(20), 20 + SEAL_BYTES, at(68), IV);
  }
});

t.test('a native cipher refuses bytes whose address is not known', NATIVE, async t => {
  const arena = { bytes: new Uint8Array(100), address: 0 };
  const cipher = createCipher(AES, SECRET);
  t.throws(
    () => {
      cipher.seal({ arena, offset: 12 }, 5, { arena, offset: 0 }, IV);
    },
    { code: 'INTERNAL' },
  );
});

t.test('an unknown name is a named error that lists what is known', async t => {
  for (const name of ['AES128-GCM-HMAC-SHA256', '', 'toString']) {
    try {
      createCipher(name, SECRET);
      t.fail('must throw');
    } catch (error) {
      if (!isEngineError(error, 'ALGORITHM_UNKNOWN')) throw error;
      t.same(error.details, { family: 'cipher', name });
      t.match(error.message, CHACHA);
    }
  }
  t.throws(() => createCipher(AES, SECRET.subarray(1)), { code: 'INTERNAL' });
});
