// Every single byte of every blob of a small repository is flipped, one at a time.

import t from 'tap';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { readFlipped } from '#test/faults/flipped-bytes.ts';
import { blobIds, makeSmallRepository } from '#test/faults/small-repository.ts';

/** Key derivations that may run at once; each takes a core. */
const PARALLELISM = 2;

t.test('each flipped byte gives the right bytes or a named error', async t => {
  const small = await makeSmallRepository(t.testdir());
  const seed = newSeed();
  t.comment(`STEVEDORE_TEST_SEED=${seed}`);
  const random = new SeededRandom(seed);
  const codes = new Map<string, number>();
  for (const blobId of await blobIds(small.storage)) {
    const { bytes } = await small.storage.head(blobId);
    let next = 0;
    let faulty = 0;
    const lane = async (): Promise<void> => {
      while (next < bytes) {
        const flip = { blobId, offset: next++, mask: 1 + random.below(255) };
        try {
          const { openedWith, reading } = await readFlipped(small, flip);
          for (const code of [openedWith, ...reading]) codes.set(code, (codes.get(code) ?? 0) + 1);
        } catch (error) {
          faulty += 1;
          t.fail(`byte ${flip.offset} of ${blobId} ^ ${flip.mask}: ${String(error)}`);
        }
      }
    };
    await Promise.all(Array.from({ length: PARALLELISM }, lane));
    t.equal(faulty, 0, `${bytes} bytes of ${blobId}`);
  }
  t.comment(JSON.stringify(Object.fromEntries(codes)));
});
