import t from 'tap';
import { toHex } from '#engine/base/bytes.ts';
import { encodeReplica, findReplica } from '#engine/format/replica.ts';
import { newSeed, seededByteSource, seededRandom } from '#test/support/seeded.ts';
import { bytesOf } from './text-bytes.ts';

const NOTHING = new Uint8Array(0);

t.test("a block is the one of kopia's test", async t => {
  t.equal(
    toHex(encodeReplica(bytesOf('aadsdasdas'))),
    '2a00616164736461736461735d248ba07bde060f500ae9b489ff46358544ada66b4737a879ec5f0c9cc257ef2a00',
  );
});

t.test('a block is found at the beginning and at the end of a blob', async t => {
  const seed = newSeed();
  const random = seededRandom(seed);
  const bytes = seededByteSource(random);
  for (let round = 0; round < 50; round++) {
    const payload = bytes(random(300));
    const block = encodeReplica(payload);
    const rest = bytes(random(500));
    const head = new Uint8Array(Buffer.concat([block, rest]));
    const tail = new Uint8Array(Buffer.concat([rest, block]));
    t.same(findReplica(head, NOTHING), payload, `seed ${seed}`);
    t.same(findReplica(rest, tail), payload, `seed ${seed}`);
  }
});

t.test('other bytes hold none', async t => {
  const block = encodeReplica(bytesOf('aadsdasdas'));
  t.equal(findReplica(NOTHING, NOTHING), undefined);
  t.equal(findReplica(block.subarray(0, 20), block.subarray(0, 20)), undefined);
  t.equal(findReplica(new Uint8Array(100), new Uint8Array(1)), undefined);
  for (let at = 2; at < block.length - 2; at++) {
    const flipped = Uint8Array.from(block);
    flipped[at] ^= 1;
    t.equal(findReplica(flipped, flipped), undefined, `byte ${at}`);
  }
});

t.test('more than a block can hold is refused', async t => {
  t.equal(encodeReplica(new Uint8Array(64_968)).length, 65_004);
  t.throws(() => encodeReplica(new Uint8Array(64_969)), { code: 'LIMIT_EXCEEDED' });
});
