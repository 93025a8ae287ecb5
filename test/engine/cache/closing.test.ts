// A disk that hangs does not hold up whoever is done.

import { mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { CLOSE_WAIT_MS, STORE_WAIT_MS } from '#engine/cache/blob-reader.ts';
import { CacheRepository } from '#engine/cache/cache-repository.ts';
import { cached } from '#engine/cache/cached.ts';
import { generatedStorage, packId, scratchCache } from './scratch-cache.ts';

/** Where storing takes as long as the disk does: for ever, or until it is released. */
class SlowDisk extends CacheRepository {
  release: () => void = () => undefined;

  override store(): Promise<void> {
    return new Promise(resolve => (this.release = resolve));
  }
}

async function closingBesides(t: Parameters<typeof scratchCache>[0]) {
  const { cache } = await scratchCache(t);
  const repository = new SlowDisk(cache, { identity: 'one', name: 'one' });
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const storage = cached(generatedStorage(1000), repository);
  const reading = storage.get(packId(1), { range: { offset: 0, length: 1000 } });
  await turn();
  mock.timers.tick(STORE_WAIT_MS);
  await reading;
  let isClosed = false;
  const closing = storage.close().then(() => (isClosed = true));
  await turn();
  return { repository, closing, isClosed: () => isClosed };
}

t.test('closing waits for what is being stored', async t => {
  const { repository, closing, isClosed } = await closingBesides(t);
  mock.timers.tick(CLOSE_WAIT_MS - 1);
  await turn();
  t.notOk(isClosed());
  repository.release();
  await closing;
});

t.test('but not for a disk that hangs', async t => {
  const { closing, isClosed } = await closingBesides(t);
  t.notOk(isClosed());
  mock.timers.tick(CLOSE_WAIT_MS);
  await closing;
});
