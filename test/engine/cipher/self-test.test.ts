import t from 'tap';
import { createCipher } from '#engine/cipher/ciphers.ts';
import type { ContentCipher } from '#engine/cipher/content-cipher.ts';
import { passesSelfTest } from '#engine/cipher/self-test.ts';

const sealedHello = '7f747eedfba29ebcc3da89ca36d2b2f24a85e2738540ce6bc01a81889d7934e9f9';

function createPortable(secret: Uint8Array): ContentCipher {
  return createCipher('AES256-GCM-HMAC-SHA256', secret, { native: false });
}

/** The right cipher but for the methods that `change` gives. */
function changed(change: (cipher: ContentCipher) => Partial<ContentCipher>) {
  return (secret: Uint8Array): ContentCipher => {
    const cipher = createPortable(secret);
    return { ...cipher, ...change(cipher) };
  };
}

t.test('a cipher that does what the portable one does passes', async t => {
  t.ok(
    passesSelfTest({ name: 'right', sealedHello, createNative: createPortable, createPortable }),
  );
});

t.test('a cipher that differs in anything does not pass', async t => {
  const cases = {
    missing: () => undefined,
    key: (secret: Uint8Array) => createPortable(secret.map(byte => byte ^ 1)),
    silent: changed(() => ({ seal: () => undefined })),
    short: changed(cipher => ({
      seal: (plaintext, length, sealed, iv) => {
        cipher.seal(plaintext, Math.min(length, 500), sealed, iv);
      },
    })),
    credulous: changed(cipher => ({
      open: (sealed, length, plaintext, iv) => {
        try {
          cipher.open(sealed, length, plaintext, iv);
        } catch {
          plaintext.arena.bytes.fill(0);
        }
      },
    })),
  };
  for (const [name, createNative] of Object.entries(cases)) {
    t.notOk(passesSelfTest({ name, sealedHello, createNative, createPortable }), name);
  }
});
