// The inside of the torture: 32 readers at a time through a cache, as long as they are told to.

import { Cache } from '#engine/cache/cache.ts';
import {
  expectedBytes,
  generatedStorage,
  MIB,
  packId,
  through,
} from '#test/engine/cache/scratch-cache.ts';
import { SeededRandom } from '#test/support/random.ts';

export type RunOrder =
  | { readonly kind: 'run'; readonly seed: number; readonly limit: number }
  | { readonly kind: 'limit'; readonly limit: number };

export type ReaderMessage =
  | { readonly kind: 'limited'; readonly limit: number }
  | {
      readonly kind: 'done';
      readonly hits: number;
      readonly wrongBytes: number;
      readonly failedReads: number;
    };

const READERS = 32;
const READS_EACH = 5;
const PACKS = 10;
const PACK_BYTES = 1.5 * MIB;
const [directory = ''] = process.argv.slice(2);

let cache: Cache | undefined;
let changing = Promise.resolve();

process.on('disconnect', () => process.exit());
process.on('message', (order: RunOrder) => {
  changing = changing.then(() => limitTo(order.limit));
  // Limits that are asked for later hold while this one still reads.
  if (order.kind === 'run') changing = changing.then(() => void run(order.seed));
});

async function limitTo(limit: number): Promise<void> {
  if (cache) await cache.change({ absoluteBytes: limit });
  else cache = await Cache.open({ directory, isRootDiskAllowed: true, absoluteBytes: limit });
  tell({ kind: 'limited', limit });
}

async function run(seed: number): Promise<void> {
  if (cache === undefined) return;
  const { statistics } = cache;
  const random = new SeededRandom(seed);
  const storage = through(cache, generatedStorage(PACK_BYTES));
  const before = statistics.hits;
  let wrongBytes = 0;
  let failedReads = 0;
  const reader = async (): Promise<void> => {
    for (let read = 0; read < READS_EACH; read++) {
      const id = packId(random.below(PACKS), random.pick(['p', 'p', 'q'] as const));
      const offset = random.below(PACK_BYTES - 1);
      const most = random.pick([2000, 60_000, 200_000]);
      const length = 1 + random.below(Math.min(most, PACK_BYTES - offset));
      try {
        const got = await storage.get(id, { range: { offset, length } });
        if (Buffer.compare(got, expectedBytes(id, offset, length)) !== 0) wrongBytes++;
      } catch (error) {
        process.stderr.write(`${String(error)}\n`);
        failedReads++;
      }
      cache?.ledger.check();
    }
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  tell({ kind: 'done', hits: statistics.hits - before, wrongBytes, failedReads });
}

function tell(message: ReaderMessage): void {
  process.send?.(message);
}
