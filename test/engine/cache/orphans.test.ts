// Entries of repositories that were deleted, or that nobody visits, go first and completely.

import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type Accounts, totalOf } from '#engine/cache/accounts.ts';
import { repositoryKey } from '#engine/cache/blob-key.ts';
import type { Cache } from '#engine/cache/cache.ts';
import { readNotes } from '#engine/cache/notes-file.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import {
  generatedStorage,
  indexId,
  MIB,
  readPacks,
  scratchCache,
  through,
} from './scratch-cache.ts';
import { DAY_MS, SteppingClock, YEAR_MS } from './stepping-clock.ts';

const HERE = 'stevedore-cache';
const PACK = 100_000;
/** Of two packs and an index. */
const FILLED = 2 * PACK + MIB;

async function openAt(t: Test, directory: string, clock: SteppingClock) {
  const options = { clock, readBoot: clock.readBoot };
  const scratch = await scratchCache(t, { directory, absoluteBytes: 32 * MIB }, options);
  await scratch.cache.recovered();
  return scratch;
}

/** Two packs and an index of the repository `name`. */
async function fill(t: Test, cache: Cache, name: string): Promise<void> {
  const storage = through(cache, generatedStorage(MIB), { identity: name, name });
  await readPacks(t, storage, { to: 2, bytes: PACK });
  await storage.get(indexId(1));
  await storage.close();
}

function accountsOf({ volume }: Cache): Accounts {
  if (volume === undefined) throw new Error('there is no directory');
  return volume.accounts;
}

function bytesOf(cache: Cache, name: string): number {
  const { a, b } = repositoryKey(name);
  const accounts = cache.volume?.accounts.all() ?? [];
  const account = accounts.find(({ key }) => key.a === a && key.b === b);
  return account ? totalOf(account) : 0;
}

/** After a look, when what follows from it has been done. */
async function looked(cache: Cache): Promise<void> {
  await cache.look();
  for (let turns = 0; (cache.volume?.accounts.orphanedBytes() ?? 0) > 0; turns++) {
    if (turns > 100_000) throw new Error('orphans stay');
    await turn();
  }
}

t.test('what nobody has visited for two weeks goes, and nothing else', async t => {
  const clock = new SteppingClock();
  const { cache, events } = await openAt(t, fastDirectory(t), clock);
  await fill(t, cache, 'old');
  await fill(t, cache, 'used');
  clock.pass(10 * DAY_MS);
  await looked(cache);
  await fill(t, cache, 'used');
  clock.pass(5 * DAY_MS);
  await looked(cache);
  t.equal(bytesOf(cache, 'old'), 0);
  t.equal(bytesOf(cache, 'used'), FILLED);
  t.match(
    events.filter(({ kind }) => kind === 'orphaned'),
    [{ repository: 'old', reason: 'unvisited' }],
  );
  t.equal(cache.statistics.evictedBytes.orphan, FILLED);
});

t.test('the days can be set', async t => {
  const clock = new SteppingClock();
  const settings = { directory: fastDirectory(t), unvisitedDaysMax: 2 };
  const { cache } = await scratchCache(t, settings, { clock, readBoot: clock.readBoot });
  await cache.recovered();
  await fill(t, cache, 'one');
  clock.pass(1.9 * DAY_MS);
  await looked(cache);
  t.equal(bytesOf(cache, 'one'), FILLED);
  clock.pass(0.2 * DAY_MS);
  await looked(cache);
  t.equal(bytesOf(cache, 'one'), 0);
});

t.test('one that is kept open and used is visited', async t => {
  const clock = new SteppingClock();
  const { cache } = await openAt(t, fastDirectory(t), clock);
  const storage = through(cache, generatedStorage(MIB), { identity: 'one', name: 'one' });
  await readPacks(t, storage, { to: 2, bytes: PACK });
  for (let day = 0; day < 40; day += 8) {
    clock.pass(8 * DAY_MS);
    await looked(cache);
    await readPacks(t, storage, { to: 1, bytes: PACK });
  }
  t.equal(bytesOf(cache, 'one'), 2 * PACK);
});

t.test('steps of the clock, either way, make nothing older', async t => {
  const directory = fastDirectory(t);
  const clock = new SteppingClock();
  const first = await openAt(t, directory, clock);
  await fill(t, first.cache, 'one');
  for (const step of [YEAR_MS, -2 * YEAR_MS, 30 * YEAR_MS]) {
    clock.step(step);
    clock.pass(1000);
    await looked(first.cache);
  }
  await first.cache.close();
  for (const step of [10 * YEAR_MS, -20 * YEAR_MS, 10 * YEAR_MS]) {
    clock.step(step);
    clock.pass(1000);
    const { cache } = await openAt(t, directory, clock);
    await looked(cache);
    t.equal(bytesOf(cache, 'one'), FILLED, `after a step of ${step / YEAR_MS} years`);
    await cache.close();
  }
  clock.restart();
  clock.step(10 * YEAR_MS);
  clock.pass(2 * DAY_MS);
  const { cache } = await openAt(t, directory, clock);
  await looked(cache);
  t.equal(bytesOf(cache, 'one'), FILLED, 'and after a start of the machine with a wrong clock');
  const noted = cache.volume?.accounts.all()[0]?.unvisitedMs ?? 0;
  t.ok(noted >= DAY_MS && noted <= DAY_MS + 60_000, `${noted / DAY_MS} days old`);
});

t.test('ages go on from one life to the next', async t => {
  const directory = fastDirectory(t);
  const clock = new SteppingClock();
  const first = await openAt(t, directory, clock);
  await fill(t, first.cache, 'old');
  for (let day = 0; day < 16; day++) {
    const { cache } = day === 0 ? first : await openAt(t, directory, clock);
    await fill(t, cache, 'used');
    clock.pass(0.5 * DAY_MS);
    await looked(cache);
    await cache.close();
    clock.pass(0.5 * DAY_MS);
  }
  const { cache } = await openAt(t, directory, clock);
  await looked(cache);
  t.equal(bytesOf(cache, 'old'), 0);
  t.equal(bytesOf(cache, 'used'), FILLED);
});

t.test('what has gone does not come back with the next life', async t => {
  const directory = fastDirectory(t);
  const clock = new SteppingClock();
  const first = await openAt(t, directory, clock);
  await fill(t, first.cache, 'gone');
  await fill(t, first.cache, 'other');
  await first.cache.forgetRepository('gone');
  t.equal(bytesOf(first.cache, 'gone'), 0);
  await first.cache.close();
  const second = await openAt(t, directory, clock);
  t.equal(bytesOf(second.cache, 'gone'), 0);
  t.equal(bytesOf(second.cache, 'other'), FILLED);
  await second.cache.close();
  const third = await openAt(t, directory, clock);
  await third.cache.close();
  t.same(readNotes(`${directory}/${HERE}`)?.repositories.length, 1, 'nor is it noted for ever');
});

t.test('one that was deleted is noted as such until its entries are gone', async t => {
  const directory = fastDirectory(t);
  const clock = new SteppingClock();
  const first = await openAt(t, directory, clock);
  await fill(t, first.cache, 'gone');
  await fill(t, first.cache, 'other');
  const accounts = accountsOf(first.cache);
  // As when the process ends between the mark and the removal.
  accounts.markDeleted(accounts.indexOf(repositoryKey('gone')));
  await first.cache.close();
  const second = await openAt(t, directory, clock);
  t.equal(bytesOf(second.cache, 'gone'), FILLED);
  await looked(second.cache);
  t.equal(bytesOf(second.cache, 'gone'), 0);
  t.equal(bytesOf(second.cache, 'other'), FILLED);
});

t.test('a reader that outlives its repository keeps nothing; a new one is another one', async t => {
  const clock = new SteppingClock();
  const { cache } = await openAt(t, fastDirectory(t), clock);
  const old = through(cache, generatedStorage(MIB));
  await readPacks(t, old, { to: 2, bytes: PACK });
  await cache.forgetRepository('one');
  await readPacks(t, old, { to: 2, bytes: PACK });
  await looked(cache);
  t.equal(bytesOf(cache, 'one'), 0);
  await readPacks(t, through(cache, generatedStorage(MIB)), { to: 2, bytes: PACK });
  await looked(cache);
  t.equal(bytesOf(cache, 'one'), 2 * PACK);
});

t.test('what is deleted while there is no directory goes when there is one', async t => {
  const directory = fastDirectory(t);
  const clock = new SteppingClock();
  const first = await openAt(t, directory, clock);
  await fill(t, first.cache, 'gone');
  const second = await openAt(t, directory, clock);
  t.equal(second.cache.volume, undefined, 'the first has it');
  await second.cache.forgetRepository('gone');
  await first.cache.close();
  clock.pass(10_000);
  await second.cache.look();
  await second.cache.recovered();
  t.ok(second.cache.volume);
  await looked(second.cache);
  t.equal(bytesOf(second.cache, 'gone'), 0);
});

t.test('where room is needed orphans go before anything else', async t => {
  const clock = new SteppingClock();
  const { cache } = await openAt(t, fastDirectory(t), clock);
  for (const [name, from] of [
    ['gone', 0],
    ['other', 100],
  ] as const) {
    const storage = through(cache, generatedStorage(MIB), { identity: name, name });
    await readPacks(t, storage, { from, to: from + 12 });
    await storage.get(indexId(1));
  }
  const accounts = accountsOf(cache);
  accounts.markDeleted(accounts.indexOf(repositoryKey('gone')));
  const newcomer = through(cache, generatedStorage(MIB), { identity: 'new', name: 'new' });
  await readPacks(t, newcomer, { from: 200, to: 212 });
  t.equal(bytesOf(cache, 'gone'), 0, 'its index as well');
  t.equal(cache.statistics.evictedBytes.room, 0);
  t.ok(bytesOf(cache, 'other') >= 13 * MIB);
});

t.test('without notes ages are lost, and no entry is', async t => {
  const damages: Record<string, (whole: Buffer) => Buffer> = {
    damaged: whole => whole.map(byte => byte ^ 0x55) as Buffer,
    cut: whole => whole.subarray(0, 10_000),
    'of zeros': whole => Buffer.alloc(whole.length),
  };
  for (const [title, damage] of Object.entries(damages)) {
    const directory = fastDirectory(t);
    const clock = new SteppingClock();
    const first = await openAt(t, directory, clock);
    await fill(t, first.cache, 'one');
    clock.pass(13.5 * DAY_MS);
    await looked(first.cache);
    await first.cache.close();
    const path = `${directory}/${HERE}/notes`;
    writeFileSync(path, damage(readFileSync(path)));
    clock.pass(2 * DAY_MS);
    const { cache } = await openAt(t, directory, clock);
    await looked(cache);
    t.equal(bytesOf(cache, 'one'), FILLED, title);
    clock.pass(13 * DAY_MS);
    await looked(cache);
    t.equal(bytesOf(cache, 'one'), FILLED, title);
    clock.pass(2 * DAY_MS);
    await looked(cache);
    t.equal(bytesOf(cache, 'one'), 0, title);
  }
});

t.test('while nothing happens nothing is written but the age now and then', async t => {
  const clock = new SteppingClock();
  const directory = fastDirectory(t);
  const { cache } = await openAt(t, directory, clock);
  const path = `${directory}/${HERE}/notes`;
  await fill(t, cache, 'one');
  let writes = 0;
  let before = readFileSync(path);
  for (let minute = 0; minute < 60; minute++) {
    clock.pass(60_000);
    await cache.look();
    // Behind the write in the queue of those who work for Node, and behind what it was told of.
    await readFile(path);
    const after = await readFile(path);
    if (!after.equals(before)) writes++;
    before = after;
  }
  t.ok(writes >= 4 && writes <= 8, `${writes} times in an hour`);
});
