// What the cache costs: a hit beside reading a plain file of that size into memory of its own, by
// readFile and with as few calls as it takes (open, one read, close), and a reservation.

import { writeFileSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Cache } from '#engine/cache/cache.ts';
import { CacheRepository } from '#engine/cache/cache-repository.ts';
import { cached } from '#engine/cache/cached.ts';
import { Ledger } from '#engine/cache/ledger.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';
import { MIB, sizeName, type BenchFigure, type StageOptions } from './figure.ts';
import { fillWithNoise } from './test-bytes.ts';
import { processorRatio } from './timing.ts';

const SIZES = [16 * 1024, 256 * 1024, MIB, 8 * MIB];
const RESERVATIONS = 1_000_000;

export async function benchCache({ directory, isQuick }: StageOptions): Promise<BenchFigure[]> {
  const settings = { directory, isRootDiskAllowed: true, absoluteBytes: 256 * MIB };
  await using cache = await Cache.open(settings);
  const inner = new MemoryStorage();
  const repository = new CacheRepository(cache, { identity: 'bench', name: 'bench' });
  const storage = cached(inner, repository);
  const figures: BenchFigure[] = [];
  for (const [index, size] of SIZES.entries()) {
    const bytes = new Uint8Array(size);
    fillWithNoise(bytes, index);
    const file = join(directory, `plain-${size}`);
    writeFileSync(file, bytes);
    const id = `p${String(index).padStart(32, '0')}-s0`;
    const range = { offset: 0, length: size };
    await storage.put(id, [bytes]);
    await storage.get(id, { range });
    const rounds = Math.ceil((isQuick ? 16 : 128) * Math.max(1, MIB / size));
    const [plain, oneRead, hit] = await medians(rounds, [
      () => readFile(file),
      () => readAtOnce(file, size),
      () => storage.get(id, { range }),
    ]);
    const name = sizeName(size);
    figures.push({ name: `readFile, ${name}`, value: plain * 1000, unit: 'us' });
    figures.push({ name: `one read, ${name}`, value: oneRead * 1000, unit: 'us' });
    figures.push({ name: `hit, ${name}`, value: hit * 1000, unit: 'us' });
    figures.push({ name: `hit / readFile, ${name}`, value: hit / plain, unit: 'times' });
    const ratio = await processorRatio(
      () => storage.get(id, { range }),
      () => readFile(file),
      { turns: isQuick ? 4 : 24, calls: Math.ceil(rounds / 4) },
    );
    figures.push({ name: `hit / readFile, ${name}, processor time`, value: ratio, unit: 'times' });
  }
  figures.push({ name: 'reserve and commit', value: reservationsPerSecond(), unit: '/s' });
  return figures;
}

async function readAtOnce(file: string, size: number): Promise<void> {
  await using handle = await open(file);
  const { bytesRead } = await handle.read(Buffer.allocUnsafeSlow(size), 0, size, 0);
  if (bytesRead !== size) throw new Error(`${file} is shorter than it was`);
}

/** Of all in turn, so that a busy moment hits the one like the other. */
async function medians(
  rounds: number,
  works: readonly (() => Promise<unknown>)[],
): Promise<number[]> {
  const times = works.map(() => [] as number[]);
  for (let round = 0; round < rounds; round++) {
    for (const [index, work] of works.entries()) {
      const start = performance.now();
      await work();
      times[index].push(performance.now() - start);
    }
  }
  return times.map(each => each.sort((a, b) => a - b)[each.length >> 1]);
}

function reservationsPerSecond(): number {
  const ledger = new Ledger();
  ledger.setLimit({ bytes: 1e12, inodes: 1e6 });
  const start = performance.now();
  for (let round = 0; round < RESERVATIONS; round++) {
    ledger.tryReserve(4096, 0)?.commit();
    ledger.giveBack({ bytes: 4096, inodes: 0 });
  }
  return RESERVATIONS / ((performance.now() - start) / 1000);
}
