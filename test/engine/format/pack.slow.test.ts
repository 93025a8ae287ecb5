import { crc32 } from 'node:zlib';
import t from 'tap';
import { toHex } from '#engine/base/bytes.ts';
import {
  encodePackTail,
  encodePostamble,
  locateLocalIndex,
  packPaddingBytes,
} from '#engine/format/pack.ts';
import { newSeed, seededByteSource, seededRandom } from '#test/support/seeded.ts';
import { hex, sequence } from './text-bytes.ts';

const PACK = 'p00-s00';
const IV = sequence(1, 16);

t.test('padding fills up to 4096 and is never empty', async t => {
  const cases = [
    [32, 4064],
    [4095, 1],
    [4096, 4096],
    [4097, 4095],
  ];
  for (const [packBytes, padding] of cases) t.equal(packPaddingBytes(packBytes), padding);
});

t.test('a postamble has the layout of the reference', async t => {
  // kopia-format.md 5.3: offset 12587008, length 505, an IV of 16 bytes.
  const postamble = toHex(encodePostamble({ iv: IV, offset: 12_587_008, length: 505 }));
  t.match(postamble, new RegExp(`^0110${toHex(IV)}80a08006f903[0-9a-f]{8}1c$`));
});

t.test("a postamble of kopia's own is read and written", async t => {
  // The last 29 bytes of a pack of 4,377,075 bytes that kopia v0.23.1 wrote.
  const tail = hex('0110cfe469f323dd35dbd6723136dbc2133180808b02d613ae4463821c');
  const iv = hex('cfe469f323dd35dbd6723136dbc21331');
  const place = { iv, offset: 4_374_528, length: 2518 };
  t.same(locateLocalIndex(tail, 4_377_075, PACK), place);
  t.same(encodePostamble(place), tail);
});

t.test('what is put behind a pack is found again', async t => {
  const seed = newSeed();
  const random = seededRandom(seed);
  const bytes = seededByteSource(random);
  for (let round = 0; round < 100; round++) {
    const contents = bytes(32 + random(6000));
    const sealedIndex = bytes(28 + random(3000));
    const iv = bytes([16, 28, 32][random(3)]);
    const tail = encodePackTail({ packBytes: contents.length, sealedIndex, iv }, bytes);
    const pack = new Uint8Array(Buffer.concat([contents, tail]));
    const place = locateLocalIndex(pack.subarray(-8192), pack.length, PACK);
    t.same(place.iv, iv, `seed ${seed}`);
    t.equal(place.offset % 4096, 0);
    const found = pack.subarray(place.offset, place.offset + place.length);
    t.same(found, sealedIndex, `seed ${seed}`);
  }
});

t.test('padding is random unless something else is asked for', async t => {
  const tail = { packBytes: 32, sealedIndex: IV, iv: IV };
  t.notSame(encodePackTail(tail), encodePackTail(tail));
});

t.test('a damaged end is refused', async t => {
  const pack = new Uint8Array(4200);
  const tail = encodePackTail({ packBytes: 32, sealedIndex: sequence(0, 50), iv: IV });
  pack.set(tail, 32);
  const packBytes = 32 + tail.length;
  const fails = (bytes: Uint8Array, length = packBytes) =>
    t.throws(() => locateLocalIndex(bytes, length, PACK), {
      code: 'PACK_DAMAGED',
      message: /p00-s00/,
    });
  fails(new Uint8Array(0));
  fails(sequence(0, 5));
  fails(new Uint8Array(100));
  fails(tail.subarray(0, -1));
  fails(tail.subarray(-10));
  // The place lies behind the end of a pack that is shorter, or before its contents.
  fails(tail, packBytes - 1);
  fails(encodePostamble({ iv: IV, offset: 31, length: 1 }), 4096);
  const postambleBytes = encodePostamble({ iv: IV, offset: 4096, length: 50 }).length;
  for (let at = tail.length - postambleBytes; at < tail.length; at++) {
    const flipped = Uint8Array.from(tail);
    flipped[at] ^= 0x40;
    fails(flipped);
  }
});

t.test('a postamble of another shape is refused', async t => {
  const good = encodePostamble({ iv: IV, offset: 4096, length: 50 });
  const payloads = [
    [2, 16, ...IV, 1, 1],
    [1],
    [1, 65, ...IV],
    [1, 17, ...IV],
    [1, 16, ...IV],
    [1, 16, ...IV, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 1],
    [1, 16, ...IV, 0x80],
    [0x80],
  ];
  for (const payload of payloads) {
    t.throws(() => locateLocalIndex(reseal(payload), 10_000, PACK), { code: 'PACK_DAMAGED' });
  }
  t.ok(locateLocalIndex(good, 10_000, PACK));
});

function reseal(payload: number[]): Uint8Array {
  const bytes = new Uint8Array(payload.length + 5);
  bytes.set(payload);
  new DataView(bytes.buffer).setUint32(payload.length, crc32(Uint8Array.from(payload)));
  bytes[bytes.length - 1] = payload.length + 4;
  return bytes;
}
