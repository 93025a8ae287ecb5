// Aborts at moments that a seed chooses: in a backup, a restore and a verification. Each ends with
// ABORTED or was over already; nothing is half-published. That no handle is left shows in this
// process coming to its end by itself.

import { randomFillSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { type Repository, restore, verify } from '#engine/index.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { newSeed, SeededRandom } from '#test/support/random.ts';
import { endOf } from './failing-backups.ts';
import {
  backupTree,
  copyOf,
  faultsOf,
  makeSmallRepository,
  openSmall,
  snapshotIds,
} from './small-repository.ts';
import { watched } from './troubled-storage.ts';

const small = await makeSmallRepository(t.testdir());
writeFileSync(`${small.changed}/large`, randomFillSync(new Uint8Array(3_000_000)));
const seed = newSeed();
t.comment(`STEVEDORE_TEST_SEED=${seed}`);
const random = new SeededRandom(seed);

/** A signal that fires at an operation on the storage, or some turns of the event loop later. */
class Alarm {
  readonly #controller = new AbortController();
  #left = Number.POSITIVE_INFINITY;
  #turns = 0;

  set(operations: number, turns: number): AbortSignal {
    this.#left = operations;
    this.#turns = turns;
    return this.#controller.signal;
  }

  tick(): void {
    if (--this.#left === 0) void this.#ring();
  }

  async #ring(): Promise<void> {
    for (let turn = 0; turn < this.#turns; turn++) await nextTurn();
    this.#controller.abort();
  }
}

async function aborted(
  operations: number,
  work: (repository: Repository, signal: AbortSignal) => Promise<unknown>,
): Promise<{ storage: Awaited<ReturnType<typeof copyOf>>; ended: unknown }> {
  const storage = await copyOf(small.storage);
  const alarm = new Alarm();
  const watching = watched(storage, { before: () => alarm.tick() });
  await using repository = await openSmall(watching, small.format, { threads: 2 });
  const signal = alarm.set(1 + random.below(operations), random.below(8));
  return { storage, ended: await endOf(work(repository, signal)) };
}

t.test('a backup that is aborted publishes nothing', async t => {
  for (let round = 0; round < 3; round++) {
    const { storage, ended } = await aborted(13, (repository, signal) =>
      backupTree(repository, small.changed, { signal }),
    );
    await using repository = await openSmall(storage, small.format, { isReadOnly: true });
    const listed = await snapshotIds(repository);
    if (ended instanceof Error) t.match(ended, { code: 'ABORTED' });
    // Once the index has been taken there is no way back.
    const isPublished = listed.length > 1;
    if (!(ended instanceof Error)) t.ok(isPublished, 'it was too late');
    t.equal(listed[0], small.snapshotId);
    t.strictSame(await faultsOf(repository), [], 'what is listed is whole');
  }
});

t.test('an abort while the manifest is written comes too late', async t => {
  await using repository = await openSmall(await copyOf(small.storage), small.format);
  const controller = new AbortController();
  const { manifests } = repository;
  const flush = manifests.flush.bind(manifests);
  manifests.flush = async () => {
    await flush();
    controller.abort();
  };
  const { signal } = controller;
  const { snapshotId } = await backupTree(repository, small.changed, { signal });
  manifests.flush = flush;
  const { snapshotId: next } = await backupTree(repository, small.changed);
  t.strictSame(await snapshotIds(repository), [small.snapshotId, snapshotId, next]);
});

t.test('a restore that is aborted ends with ABORTED', async t => {
  for (let round = 0; round < 3; round++) {
    const target = `${fastDirectory(t)}/restored`;
    const { ended } = await aborted(3, (repository, signal) =>
      restore(repository, { snapshot: 'latest', target }, { signal }),
    );
    if (ended instanceof Error) t.match(ended, { code: 'ABORTED' });
    else t.match(ended, { differences: [] });
  }
});

t.test('a verification that is aborted ends with ABORTED', async t => {
  for (let round = 0; round < 3; round++) {
    const { ended } = await aborted(4, (repository, signal) =>
      verify(repository, { readPercent: 100 }, { signal }),
    );
    if (ended instanceof Error) t.match(ended, { code: 'ABORTED' });
    else t.match(ended, { problems: [] });
  }
});

t.test('what was aborted before it began does nothing', async t => {
  const signal = AbortSignal.abort();
  await using repository = await openSmall(await copyOf(small.storage), small.format);
  const target = `${fastDirectory(t)}/restored`;
  const code = 'ABORTED';
  await t.rejects(backupTree(repository, small.changed, { signal }), { code });
  await t.rejects(restore(repository, { snapshot: 'latest', target }, { signal }), { code });
  await t.rejects(verify(repository, { readPercent: 100 }, { signal }), { code });
  await backupTree(repository, small.changed);
  t.strictSame(await faultsOf(repository), [], 'and does no harm to what comes next');
});

t.test('a repository that is closed under a backup ends it with ABORTED', async t => {
  const storage = await copyOf(small.storage);
  const repository = await openSmall(storage, small.format, { threads: 2 });
  const ended = endOf(backupTree(repository, small.changed));
  for (let turn = random.below(50); turn > 0; turn--) await nextTurn();
  await repository.close();
  t.match(await ended, { code: 'ABORTED' });
});
