// Directories that are left out because nobody could read them again.

import { mkdirSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { EngineError } from '#engine/base/errors.ts';
import type { OpenContents } from '#engine/content/open-contents.ts';
import { listTree } from '#engine/index.ts';
import type { Repository } from '#engine/repository.ts';
import { backup } from '#engine/snapshot/backup.ts';
import type { EngineTasks } from '#engine/snapshot/worker.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { repositoryFor, request } from './backup-scene.ts';

const TOO_LARGE = 'a directory is left out; spread its entries';

/** Contents whose threads find directory number `which` that is written by itself too large. */
function refusing(contents: OpenContents<EngineTasks>, which: number): OpenContents<EngineTasks> {
  let count = 0;
  const pool = {
    size: contents.pool.size,
    broadcast: contents.pool.broadcast.bind(contents.pool),
    async run(kind: keyof EngineTasks, input: object, options?: object) {
      if (kind === 'writeDirectory' && ++count === which) {
        throw new EngineError('SOURCE_TOO_LARGE', TOO_LARGE);
      }
      // The types of kind and input belong together, whatever they are.
      return await contents.pool.run(kind as never, input, options);
    },
  };
  return new Proxy(contents, {
    // Private members belong to the original.
    get: (original, name) => (name === 'pool' ? pool : (Reflect.get(original, name) as unknown)),
  });
}

/** Two directories are written by themselves, since there are others in them: `crowd`, the root. */
async function sceneOf(t: Test) {
  const root = `${fastDirectory(t)}/tree`;
  mkdirSync(`${root}/crowd/inner`, { recursive: true });
  for (const path of ['crowd/inner/file', 'crowd/file', 'kept'])
    writeFileSync(`${root}/${path}`, path);
  const repository = await repositoryFor(t);
  const run = (which: number, onError: 'warn' | 'fail') => {
    const contents = refusing(repository.parts, which);
    return backup({ contents, manifests: repository.manifests }, request(root, { onError }));
  };
  return { root, repository, run };
}

async function pathsIn(repository: Repository, snapshotId: string): Promise<string[]> {
  const entries = listTree(repository, snapshotId, { isRecursive: true });
  return (await Array.fromAsync(entries)).map(({ path }) => path);
}

t.test('one is named, and the rest is stored', async t => {
  const { root, repository, run } = await sceneOf(t);
  const outcome = await run(1, 'warn');
  t.match(outcome.skipped, [
    { path: `${root}/crowd`, code: 'SOURCE_TOO_LARGE', isDirectory: true, message: TOO_LARGE },
  ]);
  t.equal(outcome.failedCount, 1);
  t.strictSame(await pathsIn(repository, outcome.snapshotId), ['kept']);
  const again = await run(0, 'warn');
  t.strictSame(again.skipped, []);
  const paths = ['crowd', 'crowd/inner', 'crowd/inner/file', 'crowd/file', 'kept'];
  t.strictSame(await pathsIn(repository, again.snapshotId), paths, 'when it is smaller again');
});

t.test('where nothing may be missing there is no snapshot', async t => {
  const { run } = await sceneOf(t);
  await t.rejects(run(1, 'fail'), { code: 'SOURCE_INCOMPLETE', message: /crowd: a directory is/ });
});

t.test('nor when it is the source itself', async t => {
  const { run } = await sceneOf(t);
  await t.rejects(run(2, 'warn'), { code: 'SOURCE_TOO_LARGE' });
});
