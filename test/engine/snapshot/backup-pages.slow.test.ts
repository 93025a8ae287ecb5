import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { backup } from '#engine/operations.ts';
import { repositoryFor, request } from './backup-scene.ts';

t.test('a directory of ten thousand entries is shared among threads, page by page', async t => {
  const root = `${t.testdir({})}/many`;
  mkdirSync(`${root}/a-directory`, { recursive: true });
  for (let index = 0; index < 10_000; index++) writeFileSync(`${root}/f${index}`, `${index % 100}`);
  const first = await backup(await repositoryFor(t, { threads: 1 }), request(root));
  const repository = await repositoryFor(t, { threads: 4 });
  const second = await backup(repository, request(root));
  t.match(second, { files: 10_000, directories: 2, rootObjectId: first.rootObjectId });
  const third = await backup(repository, request(root));
  t.match(third, { rootObjectId: first.rootObjectId, contentsNew: 1 });
  rmSync(`${root}/f77`);
  const fourth = await backup(repository, request(root));
  t.match(fourth, { files: 9999 });
  t.not(fourth.rootObjectId, first.rootObjectId);
});
