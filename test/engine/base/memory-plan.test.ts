import t from 'tap';
import { MEMORY_BYTES_MIN, type MemoryNeeds, MIB, memoryPlan } from '#engine/base/memory-plan.ts';

const FILES: MemoryNeeds = {
  threads: 8,
  chunkBytesMax: 8 * MIB,
  packBytes: 20 * MIB,
  arePacksInMemory: false,
};
const BUFFERS: MemoryNeeds = { ...FILES, arePacksInMemory: true };

t.test('the budget decides how many threads, packs and contents there are', t => {
  // Budget in MiB; threads, packs in flight, waiting contents in thousands, reader's window in MiB
  // and requests, restore's window and tables in MiB.
  const rows: readonly (readonly [number, MemoryNeeds, readonly number[]])[] = [
    [192, FILES, [1, 4, 176, 13, 1, 27, 13]],
    [256, FILES, [3, 4, 111, 8, 1, 17, 8]],
    [256, { ...FILES, threads: 1 }, [1, 4, 386, 29, 3, 59, 29]],
    [512, FILES, [8, 4, 262, 20, 2, 40, 20]],
    [4096, FILES, [8, 4, 1000, 32, 4, 64, 128]],
    [4096, { ...FILES, threads: 64 }, [64, 4, 1000, 32, 4, 64, 128]],
    [192, BUFFERS, [1, 1, 104, 8, 1, 16, 8]],
    [256, BUFFERS, [1, 2, 288, 22, 2, 44, 22]],
    [512, BUFFERS, [5, 1, 183, 14, 1, 28, 14]],
    [4096, BUFFERS, [8, 4, 1000, 32, 4, 64, 128]],
    [4096, { ...BUFFERS, threads: 64 }, [55, 1, 131, 10, 1, 20, 10]],
    [256, { ...FILES, chunkBytesMax: 16 * MIB }, [2, 4, 144, 11, 1, 22, 11]],
  ];
  for (const [budget, needs, expected] of rows) {
    const plan = memoryPlan(budget * MIB, needs);
    const found = [
      plan.threads,
      plan.packsInFlight,
      Math.floor(plan.sessionContentsMax / 1000),
      Math.floor(plan.readWindowBytes / MIB),
      plan.readsAhead,
      Math.floor(plan.restoreWindowBytes / MIB),
      Math.floor(plan.restorePlanBytes / MIB),
    ];
    t.strictSame(found, expected, `${budget} MiB, ${JSON.stringify(needs)}`);
    t.equal(plan.budgetBytes, budget * MIB);
  }
  t.end();
});

t.test('more memory never means fewer threads', t => {
  for (const needs of [FILES, BUFFERS]) {
    const budgets = Array.from({ length: 232 }, (_, step) => (192 + 8 * step) * MIB);
    const threads = budgets.map(budget => memoryPlan(budget, needs).threads);
    t.strictSame(
      threads,
      threads.toSorted((a, b) => a - b),
    );
    t.equal(threads.at(-1), 8);
  }
  t.end();
});

t.test('a budget that is too small is refused', t => {
  const usage = { code: 'USAGE', message: /192 MiB or more/ };
  t.throws(() => memoryPlan(MEMORY_BYTES_MIN - 1, FILES), usage);
  t.throws(() => memoryPlan(Number.NaN, FILES), usage);
  t.end();
});
