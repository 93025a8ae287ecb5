import { randomBytes } from 'node:crypto';
import t from 'tap';
import {
  decodeFormatBlob,
  encodeFormatBlob,
  openWithPassword,
  sealWithPassword,
} from '#engine/format/format-blob.ts';
import { bytesOf, sequence, textOf } from './text-bytes.ts';

const TEXT = `{
  "tool": "https://github.com/kopia/kopia",
  "buildVersion": "0.23.1",
  "buildInfo": "v0.23.1 \\u003c\\u0026\\u003e",
  "uniqueID": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
  "keyAlgo": "scrypt-65536-8-1",
  "encryption": "AES256_GCM",
  "encryptedBlockFormat": "AQID"
}
`;

const KEY = { formatKey: sequence(7), uniqueId: sequence(0) };
const withField = (field: string) => TEXT.replace('"tool": ', `${field},\n  "tool": `);
const without = (name: string) => TEXT.replace(`"${name}"`, '"other"');

t.test('the outer JSON is read and written as kopia writes it', async t => {
  const blob = decodeFormatBlob(bytesOf(TEXT));
  t.same(blob.uniqueId, sequence(0));
  t.same(blob.sealedConfig, sequence(1, 3));
  t.equal(blob.keyDerivation, 'scrypt-65536-8-1');
  t.equal(blob.buildInfo, 'v0.23.1 <&>');
  t.equal(textOf(encodeFormatBlob(blob)), TEXT);
});

t.test('fields of a later version survive', async t => {
  const later = '"later": {\n"a": [1.0, 12345678901234567890, null]}';
  const blob = decodeFormatBlob(bytesOf(withField(later)));
  t.match(textOf(encodeFormatBlob(blob)), '"later": {"a":[1.0,12345678901234567890,null]}');
});

t.test('what is no format blob is refused', async t => {
  const texts = ['', 'null', '[]', '"x"', TEXT.slice(0, -10), without('uniqueID')];
  const more = [
    without('encryptedBlockFormat'),
    TEXT.replace('AQID', 'AQ!D'),
    TEXT.replace('"AQID"', '7'),
  ];
  for (const text of [...texts, ...more, withField(`"pad": "${'x'.repeat(65_000)}"`)]) {
    const message = /kopia\.repository/;
    t.throws(
      () => decodeFormatBlob(bytesOf(text)),
      { code: 'REPOSITORY_FORMAT_INVALID', message },
      text.slice(0, 40),
    );
  }
});

t.test('an unknown encryption is named', async t => {
  t.throws(() => decodeFormatBlob(bytesOf(TEXT.replace('AES256_GCM', 'ROT13'))), {
    code: 'ALGORITHM_UNKNOWN',
    details: { family: 'format encryption', name: 'ROT13' },
  });
});

t.test('what the password seals only the password opens', async t => {
  const sealed = sealWithPassword(KEY, bytesOf('secret'), randomBytes);
  t.equal(textOf(openWithPassword(KEY, sealed)), 'secret');
  const wrong = { ...KEY, formatKey: sequence(8) };
  t.throws(() => openWithPassword(wrong, sealed), { code: 'REPOSITORY_PASSWORD_WRONG' });
});

t.test('any flipped byte and any cut is noticed', async t => {
  const sealed = sealWithPassword(KEY, bytesOf('secret'), randomBytes);
  for (let at = 0; at < sealed.length; at++) {
    const flipped = Uint8Array.from(sealed);
    flipped[at] ^= 1;
    t.throws(() => openWithPassword(KEY, flipped), { code: 'REPOSITORY_PASSWORD_WRONG' });
    t.throws(() => openWithPassword(KEY, sealed.subarray(0, at)), {
      code: 'REPOSITORY_PASSWORD_WRONG',
    });
  }
});
