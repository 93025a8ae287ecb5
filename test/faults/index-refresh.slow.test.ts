// Loading the index anew while others do something else with it.

import t from 'tap';
import { EngineError } from '#engine/base/errors.ts';
import { backupTree, copyOf, makeSmallRepository, openSmall } from './small-repository.ts';
import { watched } from './troubled-storage.ts';

const small = await makeSmallRepository(t.testdir());

/** Stops everybody who asks until it is opened. */
class Gate {
  readonly #opened = Promise.withResolvers<void>();
  readonly #reached = Promise.withResolvers<void>();
  isClosed = false;

  async pass(): Promise<void> {
    if (!this.isClosed) return;
    this.#reached.resolve();
    await this.#opened.promise;
  }

  get reached(): Promise<void> {
    return this.#reached.promise;
  }

  open(): void {
    this.isClosed = false;
    this.#opened.resolve();
  }
}

t.test('a refresh that one caller cancels goes on for the others', async t => {
  const gate = new Gate();
  const storage = watched(await copyOf(small.storage), {
    before: async ({ kind }) => {
      if (kind === 'list') await gate.pass();
    },
  });
  await using repository = await openSmall(storage, small.format);
  const controller = new AbortController();
  gate.isClosed = true;
  const cancelled = repository.refresh(controller.signal).catch((error: unknown) => error);
  const other = repository.refresh();
  await gate.reached;
  controller.abort();
  gate.open();
  t.match(await cancelled, { code: 'ABORTED' });
  await other;
  t.pass('the other one is served');
});

t.test('what is committed during a refresh is not lost by it', async t => {
  const gate = new Gate();
  let isGated = false;
  const storage = watched(await copyOf(small.storage), {
    after: async ({ kind, id }) => {
      // The index blob that the refresh reads first, not the listings of the backup.
      if (isGated && kind === 'get' && id.startsWith('x')) await gate.pass();
    },
  });
  // Another writer, so that the refresh has something to read.
  await using other = await openSmall(storage, small.format);
  await using repository = await openSmall(storage, small.format);
  await backupTree(other, small.changed);
  isGated = true;
  gate.isClosed = true;
  const refreshed = repository.refresh();
  await gate.reached;
  isGated = false;
  const { snapshotId } = await backupTree(repository, small.source);
  const before = repository.parts.index.blobIds.size;
  gate.open();
  await refreshed;
  t.equal(repository.parts.index.blobIds.size, before + 1, 'both are there');
  t.ok(await repository.manifests.get(snapshotId), 'our own snapshot is still seen');
});

t.test('a failing refresh is the failure of all who wait', async t => {
  let isFailing = false;
  const storage = watched(await copyOf(small.storage), {
    before: ({ kind }) => {
      if (isFailing && kind === 'list') throw new EngineError('STORAGE_UNAVAILABLE', 'away; wait');
    },
  });
  await using repository = await openSmall(storage, small.format);
  isFailing = true;
  const ended = await Promise.allSettled([repository.refresh(), repository.refresh()]);
  t.match(ended, [
    { reason: { code: 'STORAGE_UNAVAILABLE' } },
    { reason: { code: 'STORAGE_UNAVAILABLE' } },
  ]);
  isFailing = false;
  await repository.refresh();
});
