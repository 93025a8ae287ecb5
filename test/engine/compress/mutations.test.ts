import { randomBytes } from 'node:crypto';
import t from 'tap';
import { isEngineError } from '#engine/base/errors.ts';
import { decompress } from '#engine/compress/decompress.ts';
import { seededBytes, seededRandom, type SeededRandom } from '#test/support/seeded.ts';
import { STORED_VECTORS } from './vectors.ts';

const ROUNDS = 300;
const LIMIT = 200_000;

/** One of: a few bytes changed, a piece cut out, a piece doubled, a tail of noise. */
function mutated(random: SeededRandom, stored: Uint8Array): Uint8Array {
  const body = Array.from(stored.subarray(4));
  const at = random(body.length);
  const length = 1 + random(20);
  switch (random(4)) {
    case 0:
      for (let i = 0; i <= random(4); i++) body[random(body.length)] = random(256);
      break;
    case 1:
      body.splice(at, length);
      break;
    case 2:
      body.splice(at, 0, ...body.slice(at, at + length));
      break;
    default:
      body.splice(at, body.length, ...seededBytes(random, length));
  }
  return new Uint8Array([...stored.subarray(0, 4), ...body]);
}

t.test('a damaged stream gives a named error or bytes within the limit, soon', async t => {
  const seed = randomBytes(4).readUInt32LE();
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  for (const { name, headerId, stored } of STORED_VECTORS) {
    let refused = 0;
    for (let round = 0; round < ROUNDS; round++) {
      try {
        const plain = decompress(headerId, mutated(random, stored), LIMIT);
        if (plain.length > LIMIT) t.fail(`${name} gave ${plain.length} bytes`);
      } catch (error) {
        if (!isEngineError(error, 'CONTENT_DAMAGED', 'LIMIT_EXCEEDED')) throw error;
        refused++;
      }
    }
    t.ok(refused > 0, `${name}: ${refused} of ${ROUNDS} refused`);
  }
});
