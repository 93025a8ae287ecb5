import t from 'tap';
import { compareBytes, toHex } from '#engine/base/bytes.ts';
import {
  contentIdOfKey,
  contentIdOfKnownKey,
  contentIv,
  contentKey,
  formatContentId,
  isContentId,
  isMetadataPrefix,
  parseContentId,
  prefixOf,
  putContentKey,
} from '#engine/format/content-id.ts';
import { newSeed, seededByteSource, seededRandom } from '#test/support/seeded.ts';
import { hex, sequence } from './text-bytes.ts';

const DIGITS = '00112233445566778899aabbccddeeff';

t.test('an id is an optional letter and a hash', async t => {
  t.same(parseContentId(DIGITS), { prefix: '', hash: hex(DIGITS) });
  t.same(parseContentId(`k${DIGITS}`), { prefix: 'k', hash: hex(DIGITS) });
  t.same(parseContentId('z00'), { prefix: 'z', hash: hex('00') });
  t.equal(formatContentId('x', hex('ab')), 'xab');
  t.equal(prefixOf(`k${DIGITS}`), 'k');
  t.equal(prefixOf(DIGITS), '');
  t.ok(isMetadataPrefix('k'));
  t.notOk(isMetadataPrefix(''));
});

t.test('what is no id is refused', async t => {
  const texts = ['', 'k', 'a12', 'f00', '{00', 'kk00', `${'00'.repeat(33)}`, 'kxx', 'é00', ' 00'];
  for (const text of texts) {
    t.notOk(isContentId(text), text);
    t.throws(() => parseContentId(text), { code: 'CONTENT_ID_INVALID' }, text);
  }
  t.throws(() => formatContentId('kk', hex('00')), { code: 'CONTENT_ID_INVALID' });
  t.throws(() => formatContentId('f', hex('00')), { code: 'CONTENT_ID_INVALID' });
  t.throws(() => formatContentId('', new Uint8Array(0)), { code: 'CONTENT_ID_INVALID' });
  t.throws(() => formatContentId('', new Uint8Array(33)), { code: 'CONTENT_ID_INVALID' });
});

t.test('the key has a byte for the letter, 0 for none', async t => {
  t.equal(toHex(contentKey('00ff')), '0000ff');
  t.equal(toHex(contentKey('k00FF')), '6b00ff');
  t.throws(() => contentIdOfKey(new Uint8Array(0)), { code: 'CONTENT_ID_INVALID' });
  t.throws(() => contentIdOfKey(hex('0100')), { code: 'CONTENT_ID_INVALID' });
});

t.test('the iv is the last 16 bytes of the hash', async t => {
  t.same(contentIv(sequence(0, 32)), sequence(16, 16));
  t.same(contentIv(contentKey(`k${DIGITS}`)), hex(DIGITS));
  t.same(contentIv(sequence(0, 8)), sequence(0, 8));
});

t.test('ids and keys convert both ways and order alike', async t => {
  const seed = newSeed();
  const random = seededRandom(seed);
  const bytes = seededByteSource(random);
  const ids = Array.from({ length: 500 }, () => {
    const prefix = ['', 'g', 'k', 'm', 'x', 'z'][random(6)];
    return formatContentId(prefix, bytes(16));
  });
  for (const id of ids) {
    t.equal(contentIdOfKey(contentKey(id)), id, `seed ${seed}`);
    t.equal(contentIdOfKnownKey(contentKey(id)), id, `seed ${seed}`);
  }
  const byText = [...ids].sort();
  const byKey = [...ids].sort((a, b) => compareBytes(contentKey(a), contentKey(b)));
  t.same(byKey, byText, `seed ${seed}`);
});

t.test('a key is written from text as it is read from it, or not at all', async t => {
  const digits = '00ff10A9cd'.repeat(4).slice(0, 32);
  const written = (text: string): Uint8Array | undefined => {
    const bytes = Buffer.from(`"${text}"`);
    const key = new Uint8Array(19);
    const isKey = putContentKey({ bytes, start: 1, end: bytes.length - 1 }, key, 1, 17);
    t.same([key[0], key[18]], [0, 0]);
    return isKey ? key.slice(1, 18) : undefined;
  };
  for (const text of [digits, `k${digits}`, `z${digits.toUpperCase()}`]) {
    t.same(written(text), contentKey(text));
  }
  const others = [`I${digits}`, `h${digits}h`, `x${digits}00`, digits.slice(2), ''];
  for (const text of [...others, `f${digits}`, `${digits.slice(2)}0g`, `${digits.slice(2)}\x7f0`]) {
    t.equal(written(text), undefined, text);
  }
});
