import { createDecipheriv, createHmac } from 'node:crypto';
import t from 'tap';
import { toHex } from '#engine/base/bytes.ts';
import {
  KEY_DERIVATIONS,
  contentEncryptionSecret,
  deriveKey,
  derivePasswordKey,
  formatGcmKey,
  maintenanceGcmKey,
} from '#engine/format/repository-key.ts';
import { bytesOf, hex, sequence, textOf } from './text-bytes.ts';

// Vectors: kopia-format.md 16.2 and 16.4.
const UNIQUE_ID = sequence(0);
const MASTER_KEY = sequence(0x80);
const SCRYPT_KEY = 'c25bccae074678f4ce6443ce46b56229e112e00ee0e52a53ff3ab35aeec3bac7';
const PBKDF2_KEY = '8aba72dadfcd3b59e16a4f57d805f18dcf81b29fa8c9046e8fa8a899ea4f1248';

t.test('a password becomes the key that kopia makes of it', async t => {
  const scrypt = await derivePasswordKey('scrypt-65536-8-1', 'test-password', UNIQUE_ID);
  t.equal(toHex(scrypt.formatKey), SCRYPT_KEY);
  t.equal(scrypt.uniqueId, UNIQUE_ID);
  const pbkdf2 = await derivePasswordKey('pbkdf2-sha256-600000', 'test-password', UNIQUE_ID);
  t.equal(toHex(pbkdf2.formatKey), PBKDF2_KEY);
});

t.test('keys derive from the format key and the master key', async t => {
  const { key, aad } = formatGcmKey({ formatKey: hex(SCRYPT_KEY), uniqueId: UNIQUE_ID });
  t.equal(toHex(key), 'dea70e93a79e69145302bb312d93eae1c647df3432c8467955f6d6d09554d1fd');
  t.equal(toHex(aad), 'eb11c3d7fc8134db288d5d8155c8013cfb4d610a5abf51c23bc33444ee208a0b');
  t.equal(
    toHex(contentEncryptionSecret(MASTER_KEY)),
    '460d9c1e280cd974081bdd2d9deee86ec558def939d959d30eb258123e42aec2',
  );
  t.equal(
    toHex(maintenanceGcmKey(MASTER_KEY, UNIQUE_ID).key),
    '7d69c864131b0a9763c5ca4846b5b3c2948147eab6c78cb7a91016f314aaba0d',
  );
  t.equal(textOf(maintenanceGcmKey(MASTER_KEY, UNIQUE_ID).aad), 'maintenance');
  t.equal(
    toHex(deriveKey(sequence(0x40), UNIQUE_ID, 'local-cache-integrity', 16)),
    'f5d1b6913014e806fcd16c3638a664dd',
  );
});

t.test("kopia's own test of HKDF passes", async t => {
  const key = deriveKey(
    bytesOf('ABCDEFGHIJKLMNOP'),
    bytesOf('0123456789012345'),
    'the-test-purpose',
  );
  t.equal(toHex(key), '828769ee8969bc37f11dbaa32838f8db6c19daa6e3ae5f5eed2da2d94d8faddb');
});

t.test('the secret opens what kopia sealed', async t => {
  const iv = hex('0303f40780e21a28597f9b8787ad48f4');
  const sealed = hex('7f747eedfba29ebcc3da89ca36d2b2f24a85e2738540ce6bc01a81889d7934e9f9');
  const secret = contentEncryptionSecret(MASTER_KEY);
  const key = createHmac('sha256', secret).update(iv).digest();
  t.equal(toHex(key), 'f341f2b990811e9a65a74c4944a2323760ea6bd1e362ebe3f48bc9141fc5906d');
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12));
  decipher.setAAD(iv).setAuthTag(sealed.subarray(-16));
  t.equal(
    decipher.update(sealed.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8'),
    'hello',
  );
});

t.test('an unknown derivation is named', async t => {
  for (const name of ['', 'testing-only-insecure', 'toString', '__proto__']) {
    await t.rejects(derivePasswordKey(name, 'x', UNIQUE_ID), {
      code: 'ALGORITHM_UNKNOWN',
      details: { family: 'key derivation', name },
    });
  }
  t.ok(Object.isFrozen(KEY_DERIVATIONS));
});

t.test('a salt that is too short is refused', async t => {
  const short = derivePasswordKey('scrypt-65536-8-1', 'x', sequence(0, 15));
  await t.rejects(short, { code: 'REPOSITORY_FORMAT_INVALID' });
});
