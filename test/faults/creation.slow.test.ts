// Creating a repository in a storage that fails before there is one; test/long/creation.test.ts
// goes on from there.

import t from 'tap';
import { createRepository } from '#engine/index.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';
import { failCreation } from './failing-creation.ts';
import { OWNER, PASSWORD } from './small-repository.ts';

t.test('a creation that fails can be done again', async t => {
  await failCreation(t, { at: 2, when: 'after' });
  await failCreation(t, { at: 3, when: 'after' });
  await failCreation(t, { at: 6, when: 'before' });
});

t.test('one that dies between its blobs has made a repository', async t => {
  await failCreation(t, { at: 6, when: 'after' });
});

t.test('what an interrupted creation by kopia leaves is told from a repository', async t => {
  const storage = new MemoryStorage();
  await storage.put('kopia.blobcfg', [new Uint8Array(30)]);
  await t.rejects(createRepository({ storage, password: PASSWORD, owner: OWNER }), {
    code: 'REPOSITORY_EXISTS',
    message: /delete kopia.blobcfg/,
  });
});
