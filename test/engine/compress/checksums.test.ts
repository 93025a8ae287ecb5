import t from 'tap';
import { crc32c } from '#engine/compress/crc32c.ts';
import { xxhash32 } from '#engine/compress/xxhash32.ts';

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

t.test('CRC-32C gives the known answers', async t => {
  // RFC 3720 B.4 and the check value of the catalogue of CRCs.
  const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);
  t.equal(crc32c(ascii('123456789'), 0, 9), 0xe3069283);
  t.equal(crc32c(new Uint8Array(32), 0, 32), 0x8a9136aa);
  t.equal(crc32c(new Uint8Array(32).fill(0xff), 0, 32), 0x62a8ab43);
  t.equal(crc32c(ascending, 0, 32), 0x46dd794e);
  t.equal(crc32c(ascending.toReversed(), 0, 32), 0x113fdb5c);
  t.equal(crc32c(new Uint8Array(0), 0, 0), 0);
});

t.test('XXH32 gives the known answers', async t => {
  t.equal(xxhash32(new Uint8Array(0), 0, 0), 0x02cc5d05);
  t.equal(xxhash32(ascii('a'), 0, 1), 0x550d7456);
  t.equal(xxhash32(ascii('abc'), 0, 3), 0x32d153ff);
  t.equal(xxhash32(ascii('Nobody inspects the spammish repetition'), 0, 39), 0xe2293b2f);
});

t.test('a checksum covers the range that it is given and nothing else', async t => {
  const framed = ascii('xxxxx123456789yyy');
  t.equal(crc32c(framed, 5, 14), 0xe3069283);
  t.equal(xxhash32(ascii('..abc..'), 2, 5), 0x32d153ff);
});
