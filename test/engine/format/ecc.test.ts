import { crc32 } from 'node:zlib';
import t from 'tap';
import { toHex } from '#engine/base/bytes.ts';
import { hasEcc, unwrapEcc } from '#engine/format/ecc.ts';
import { newSeed, seededByteSource, seededRandom } from '#test/support/seeded.ts';
import { hex } from './text-bytes.ts';

// The sealed local index of a pack that kopia v0.23.1 wrote with an overhead of 2 %, and what is in
// it: two parity shards, then six data shards of 30 bytes, each behind its CRC.
const WRAPPED =
  'b6f7093df2d243bc059543ddc49df245d847b6e3572dea1a69c94ce5ea903361c9e86db273cdd3c63997fe3a' +
  '109bc319df0be1142d733c9876c60e9200aa0c14bc039716a7c0db08000000afc91cd22cb61b7d443dcc9e14' +
  'df65648d54d7ddfe90df8555d1239f1c3a80eba0fec45de78c05b7011b268ac65eb388db5854ae2ce4887d51' +
  '0a78a7f2350c0d8816fd2bde18a630e058e19ce2f2a32409069a6ee5759c4a4ab50e3602a4eca3685292cbd3' +
  'ee9bff26e0aae0cf190c2c79dd3260621b60bd8c13d98641a15bdd63d04d29ded959e7a93d80b89897fef5b4' +
  '7d402cff504d16adc39f6c4727e9d08dcea0a5b0edbccec3a6acb55465bd294e3b762dc38ef30abec32d962f' +
  '40ed1fac479b9f00';
const SEALED =
  'c91cd22cb61b7d443dcc9e14df65648d54d7ddfe90df8555d123eba0fec45de78c05b7011b268ac65eb388db' +
  '5854ae2ce4887d510a78a7f216fd2bde18a630e058e19ce2f2a32409069a6ee5759c4a4ab50e3602a4eccbd3' +
  'ee9bff26e0aae0cf190c2c79dd3260621b60bd8c13d98641a15bdd63d959e7a93d80b89897fef5b47d402cff' +
  '504d16adc39f6c4727e9d08dcea0cec3a6acb55465bd294e3b762dc38ef30abec32d962f40ed1fac479b9f';
const PARITY_BYTES = 2 * 34;

t.test('a unit that kopia wrapped is read', async t => {
  t.equal(toHex(unwrapEcc(hex(WRAPPED), 2)), SEALED);
});

t.test('damage of data is refused, damage of parity does not matter', async t => {
  const wrapped = hex(WRAPPED);
  for (let at = 0; at < wrapped.length; at++) {
    const flipped = Uint8Array.from(wrapped);
    flipped[at] ^= 1;
    if (at < PARITY_BYTES) t.equal(toHex(unwrapEcc(flipped, 2)), SEALED);
    else t.throws(() => unwrapEcc(flipped, 2), { code: 'CONTENT_DAMAGED' }, `byte ${at}`);
  }
});

t.test('a unit that is cut or empty is refused', async t => {
  const wrapped = hex(WRAPPED);
  for (const length of [0, 1, 5, 9, 40, PARITY_BYTES, 80, 171, 200, wrapped.length - 9]) {
    t.throws(
      () => unwrapEcc(wrapped.subarray(0, length), 2),
      { code: 'CONTENT_DAMAGED' },
      `${length}`,
    );
  }
});

t.test('a length that cannot be is refused', async t => {
  const layout = { dataShards: 6, parityShards: 2, shardBytes: 2, blocks: 1 };
  const plain = Uint8Array.from([0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8]);
  t.throws(() => unwrapEcc(wrap(plain, layout, false), 2), { code: 'CONTENT_DAMAGED' });
});

/** Shards by overhead: read off kopia-format.md appendix D by hand. */
const SHARDS: readonly [percent: number, data: number, parity: number, shardBytesMax: number][] = [
  [1, 254, 2, 1024],
  [2, 164, 2, 512],
  [3, 139, 2, 256],
  [5, 128, 2, 128],
  [10, 128, 4, 64],
  [20, 128, 17, 64],
  [50, 128, 56, 64],
  [100, 128, 120, 64],
];

for (const [percent, data, parity, shardBytesMax] of SHARDS) {
  t.test(`units of all sizes are read with an overhead of ${percent} %`, async t => {
    const seed = newSeed();
    const random = seededByteSource(seededRandom(seed));
    const small = 8 * (data + parity) - 4;
    const block = data * shardBytesMax - 4;
    const lengths = [28, 100, small, small + 1, block, block + 1, block + 777, 2 * block + 5];
    for (const length of lengths) {
      const sealed = random(length);
      const plain = new Uint8Array(length + 4);
      new DataView(plain.buffer).setUint32(0, length);
      plain.set(sealed, 4);
      const size = plain.length;
      const wrapped =
        length <= small
          ? wrap(plain, layout(6, 2, Math.ceil(size / 6)), false)
          : length <= block
            ? wrap(plain, layout(data, parity, Math.ceil(size / data)), false)
            : wrap(plain, layout(data, parity, shardBytesMax, size), true);
      t.equal(toHex(unwrapEcc(wrapped, percent)), toHex(sealed), `seed ${seed}, ${length} bytes`);
    }
  });
}

t.test('a repository has error correction when it is named and not 0 %', async t => {
  t.ok(hasEcc({ ecc: 'REED-SOLOMON-CRC32', eccOverheadPercent: 2 }));
  t.notOk(hasEcc({ ecc: 'REED-SOLOMON-CRC32', eccOverheadPercent: 0 }));
  t.notOk(hasEcc({ ecc: '', eccOverheadPercent: 2 }));
  t.throws(() => hasEcc({ ecc: 'HOPE', eccOverheadPercent: 2 }), {
    code: 'ALGORITHM_UNKNOWN',
    details: { family: 'error correction', name: 'HOPE' },
  });
});

interface Layout {
  readonly dataShards: number;
  readonly parityShards: number;
  readonly shardBytes: number;
  readonly blocks: number;
}

function layout(dataShards: number, parityShards: number, shardBytes: number, size = 0): Layout {
  const blocks = Math.max(1, Math.ceil(size / (dataShards * shardBytes)));
  return { dataShards, parityShards, shardBytes, blocks };
}

/** Wraps as kopia does, but with zeros for parity: nobody who only reads looks at it. */
function wrap(plain: Uint8Array, layout: Layout, isCut: boolean): Uint8Array {
  const { dataShards, parityShards, shardBytes, blocks } = layout;
  const pieces: Uint8Array[] = [new Uint8Array(parityShards * blocks * (4 + shardBytes))];
  const padded = new Uint8Array(dataShards * blocks * shardBytes);
  padded.set(plain);
  const end = isCut ? plain.length : padded.length;
  for (let at = 0; at < end; at += shardBytes) {
    const shard = padded.subarray(at, at + shardBytes);
    const checksum = new Uint8Array(4);
    new DataView(checksum.buffer).setUint32(0, crc32(shard));
    pieces.push(checksum, shard.subarray(0, Math.min(shardBytes, end - at)));
  }
  return new Uint8Array(Buffer.concat(pieces));
}
