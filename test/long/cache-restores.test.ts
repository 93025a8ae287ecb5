// Two restores side by side through a cache of a fortieth of one of them, by turns with the same
// without a cache, and what both took. The repository is read from the disk as a storage elsewhere
// would be, which is the hardest case: bytes cost nothing to fetch. STEVEDORE_RESTORES_MIB=10240
// for the size that matters, which needs 50 GB of disk.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { MIB } from '#test/engine/cache/scratch-cache.ts';
import { newSeed } from '#test/support/random.ts';
import { makeVolumes, restoreBoth } from './cache-restores.ts';
import type { RunnerReport } from './cache-restores-runner.ts';

t.setTimeout(0);
const ASKED_MIB = process.env.STEVEDORE_RESTORES_MIB;
const EACH_MIB = Number(ASKED_MIB ?? 256);
const CACHE_BYTES = (EACH_MIB / 40) * MIB;
const ROUNDS = 3;
/**
 * Of the size that matters, and only there: with seconds of work the start of programs and what
 * else the machine does are most of the difference. The least of three rounds counts.
 */
const TIMES_MAX = 1.2;

t.test('two restores through a small cache end well and within its limit', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'restores-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const seed = newSeed();
  t.comment(`STEVEDORE_TEST_SEED=${seed}`);
  const place = await makeVolumes(directory, { mib: EACH_MIB, seed });
  const plain: RunnerReport[] = [];
  const cached: RunnerReport[] = [];
  // By turns, so that what else the machine does hits both.
  for (let round = 0; round < ROUNDS; round++) {
    plain.push(await restoreBoth(place, 0));
    cached.push(await restoreBoth(place, CACHE_BYTES));
  }
  for (const report of [...plain, ...cached]) t.comment(JSON.stringify(report));
  const least = (key: 'wallMs' | 'cpuMs'): number =>
    Math.min(...cached.map(each => each[key])) / Math.min(...plain.map(each => each[key]));
  const [wall, cpu] = [least('wallMs').toFixed(2), least('cpuMs').toFixed(2)];
  t.comment(`${wall} times the time without a cache, ${cpu} times the processor time`);
  if (ASKED_MIB !== undefined) {
    t.ok(Number(wall) <= TIMES_MAX, `at most ${TIMES_MAX} times the time`);
  }
  t.ok(cached.every(({ usedBytes }) => usedBytes <= CACHE_BYTES && usedBytes > 0));
});
