// A program for odd-sources.test.ts: backs up a directory as somebody who may not read all of it,
// and prints the outcome. Root reads everything, so root becomes somebody else.

import { backup, createRepository, openRepository } from '#engine/index.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';
import { OWNER, PASSWORD } from './small-repository.ts';

const NOBODY = 65_534;
const [path = ''] = process.argv.slice(2);

// Imported before, since nobody may not read the program either.
await import('#engine/snapshot/restore/restore.ts');
const storage = new MemoryStorage();
await createRepository({ storage, password: PASSWORD, owner: OWNER });
await using repository = await openRepository({ storage, password: PASSWORD, threads: 1 });
await backup(repository, { path: import.meta.filename, source: { ...OWNER, path: '/' } });
const isRoot = process.getuid?.() === 0;
if (isRoot) {
  process.setgroups?.([]);
  process.setegid?.(NOBODY);
  process.seteuid?.(NOBODY);
}
console.log(JSON.stringify(await backup(repository, { path, source: { ...OWNER, path } })));
// A test runner may have something to write at the end.
if (isRoot) process.seteuid?.(0);
