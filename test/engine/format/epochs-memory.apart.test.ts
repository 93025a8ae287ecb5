// Names are all that is needed for this, and whoever can write to a storage can give them.

import t from 'tap';
import { epochState, firstUncoveredEpoch } from '#engine/format/epochs.ts';

const EPOCHS = 20_000;
const BYTES_MAX = 100 * 2 ** 20;

t.test('a chain of very many ranges takes memory for each of them once', async t => {
  const listing = Array.from({ length: EPOCHS }, (_, epoch) => {
    return { id: `xr${epoch}_${epoch}_a`, bytes: 0, modifiedMs: 0 };
  });
  const beforeBytes = process.memoryUsage().heapUsed;
  const state = epochState(listing);
  const grownBytes = process.memoryUsage().heapUsed - beforeBytes;
  t.equal(firstUncoveredEpoch(state), EPOCHS);
  t.ok(grownBytes < BYTES_MAX, `${grownBytes} bytes`);
});
