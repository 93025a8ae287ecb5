import t from 'tap';
import { systemClock } from '#engine/base/clock.ts';
import { createFormat } from '#engine/content/create-format.ts';
import { loadRepositoryFormat } from '#engine/content/repository-format.ts';
import { derivePasswordKey } from '#engine/format/repository-key.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';
import { putBlobConfig, putChanged } from '#test/support/changed-format.ts';

const retention = { mode: 'GOVERNANCE', periodNs: 86_400_000_000_000n } as const;

const created = (async () => {
  const storage = new MemoryStorage();
  await createFormat(storage, { password: 'old' });
  const format = await loadRepositoryFormat(storage, { password: 'old' });
  const { blob } = format;
  return { format, newKey: await derivePasswordKey(blob.keyDerivation, 'new', blob.uniqueId) };
})();

/** A repository between the two puts of a change of its password, and what happens in pauses. */
async function scene(pauses: readonly ('end' | 'nothing')[] = []) {
  const storage = new MemoryStorage();
  const { format, newKey } = await created;
  await putChanged(storage, format, {});
  await putBlobConfig(storage, newKey, { retention });
  const sleeps: number[] = [];
  const sleep = async (ms: number) => {
    if (pauses[sleeps.length] === 'end') await putChanged(storage, format, {}, newKey);
    sleeps.push(ms);
  };
  const clock = { ...systemClock, sleep };
  const load = (password: string) => loadRepositoryFormat(storage, { password, clock });
  return { storage, format, sleeps, load };
}

t.test('a repository whose password is being changed opens once it has been', async t => {
  const { sleeps, load } = await scene(['nothing', 'end']);
  const { blobConfig } = await load('new');
  t.match(blobConfig, { retention });
  t.equal(sleeps.length, 2);
});

t.test('the old password is wrong once it has been changed', async t => {
  const { load } = await scene(['end']);
  await t.rejects(load('old'), { code: 'REPOSITORY_PASSWORD_WRONG' });
});

t.test('a change of the password that was cut off is named, and is worth trying again', async t => {
  for (const password of ['old', 'new']) {
    const { sleeps, load } = await scene();
    await t.rejects(load(password), {
      code: 'REPOSITORY_KEYS_DIFFER',
      retryable: true,
      message: /try again.*bring back/,
    });
    t.equal(sleeps.length, 2);
  }
});

t.test('a password that opens neither is wrong, and nothing is waited for', async t => {
  const { storage, sleeps, load } = await scene();
  await t.rejects(load('guess'), { code: 'REPOSITORY_PASSWORD_WRONG' });
  await storage.delete('kopia.blobcfg');
  await t.rejects(load('new'), { code: 'REPOSITORY_PASSWORD_WRONG' });
  t.match((await load('old')).blobConfig, {});
  t.same(sleeps, []);
});
