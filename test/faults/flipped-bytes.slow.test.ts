// Single bytes that are flipped, a seeded sample of all; test/long/flipped-bytes.test.ts tries
// each.

import t from 'tap';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { readFlipped } from './flipped-bytes.ts';
import { blobIds, makeSmallRepository } from './small-repository.ts';

/** Each blob gets its share, however short it is. */
const FLIPS_PER_BLOB = 40;
/** Opening these takes as long as the password asks for. */
const FLIPS_PER_FORMAT_BLOB = 2;

t.test('a flipped byte gives the right bytes or a named error', async t => {
  const small = await makeSmallRepository(t.testdir());
  const seed = newSeed();
  t.comment(`STEVEDORE_TEST_SEED=${seed}`);
  const random = new SeededRandom(seed);
  const found = new Set<string>();
  for (const blobId of await blobIds(small.storage)) {
    const { bytes } = await small.storage.head(blobId);
    const flips = blobId.startsWith('kopia.') ? FLIPS_PER_FORMAT_BLOB : FLIPS_PER_BLOB;
    for (let count = 0; count < flips; count++) {
      const flip = { blobId, offset: random.below(bytes), mask: 1 + random.below(255) };
      try {
        const { openedWith, reading } = await readFlipped(small, flip);
        for (const code of [openedWith, ...reading]) found.add(code);
      } catch (error) {
        t.fail(`byte ${flip.offset} of ${blobId} ^ ${flip.mask}: ${String(error)}`);
      }
    }
  }
  found.delete('');
  t.comment([...found].join(' '));
  t.ok(found.has('CONTENT_DAMAGED') && found.has('INDEX_DAMAGED'), 'some were noticed');
});
