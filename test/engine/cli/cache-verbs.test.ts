import t from 'tap';
import { Cache } from '#engine/index.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { generatedStorage, packId, through } from '#test/engine/cache/scratch-cache.ts';
import { runWords } from './surface.ts';

const run = (...words: string[]) =>
  runWords(['cache', ...words], { environment: {}, loadEngine: () => import('#engine/index.ts') });

t.test('verbs of the cache need a cache and no repository', async t => {
  for (const verb of ['info', 'clear']) {
    t.match(await run(verb), { status: 2, stderr: /--cache-dir/ });
    t.equal((await run(verb, '--cache-dir', fastDirectory(t))).status, 0);
  }
});

t.test('where there is no cache both verbs say so', async t => {
  const directory = fastDirectory(t);
  t.match(await run('info', '--cache-dir', directory), {
    status: 0,
    stdout: `There is no cache in ${directory}\n`,
  });
  t.match(await run('clear', '--cache-dir', directory), {
    status: 0,
    stdout: `There is no cache in ${directory}; nothing was removed\n`,
  });
  t.match(await run('clear', '--cache-dir', `${directory}/mistyped`), {
    status: 1,
    stderr: /no such directory; name the one.*CACHE_NOT_FOUND/s,
  });
});

t.test('caches of nodes are named where none of them is meant', async t => {
  const directory = fastDirectory(t);
  const settings = { directory, absoluteBytes: 2 ** 22, isRootDiskAllowed: true };
  for (const node of ['worker-2', 'worker-1']) {
    await (await Cache.open({ ...settings, node }, { isWatching: false })).close();
  }
  const words = ['--cache-dir', directory];
  const names = 'of each of these, for --node-name: worker-1, worker-2';
  const text = `There is no cache in ${directory}, but one ${names}`;
  t.equal((await run('info', ...words)).stdout, `${text}\n`);
  t.equal((await run('clear', ...words)).stdout, `${text}; nothing was removed\n`);
  const { stdout } = await run('info', ...words, '-o', 'json');
  t.match(JSON.parse(stdout), { repositories: [], nodes: ['worker-1', 'worker-2'] });
  const other = await run('info', ...words, '--node-name', 'worker-3');
  t.match(other.stdout, /^There is no cache of the node worker-3 in /);
  t.match((await run('info', ...words, '--node-name', 'worker-2')).stdout, 'cache-worker-2\n');
});

t.test('what the last process has noted is shown', async t => {
  const directory = fastDirectory(t);
  const settings = { directory, absoluteBytes: 2 ** 22, isRootDiskAllowed: true };
  const cache = await Cache.open(settings, { isWatching: false });
  const storage = through(cache, generatedStorage(1000), { identity: 'a', name: 's3://b/a/' });
  for (let round = 0; round < 2; round++) {
    await storage.get(packId(1), { range: { offset: 0, length: 1000 } });
  }
  await cache.close();
  const { stdout } = await run('info', '--cache-dir', directory, '--cache-limit', '4MiB');
  t.match(stdout, / noted +20\d\d-/);
  t.match(stdout, / hits +1000 B of .*\(50 %\)/);
  t.match(stdout, /last shrink +none/);
  t.match(stdout, /s3:\/\/b\/a\/ .*within a day/);
});

t.test('a cache that is open is shown as in use, and not cleared', async t => {
  const directory = fastDirectory(t);
  const settings = { directory, absoluteBytes: 2 ** 22, isRootDiskAllowed: true };
  const cache = await Cache.open(settings, { isWatching: false });
  const words = ['--cache-dir', directory, '--cache-limit', '4MiB'];
  t.match(await run('info', ...words), {
    status: 0,
    stdout: /in use +by a process that runs now\n.* limit +4 MiB \(absolute\)/s,
  });
  const refused = await run('clear', ...words);
  t.match(refused, { status: 1, stderr: /CACHE_IN_USE/ });
  await cache.close();
  t.match(await run('clear', ...words), { status: 0, stdout: 'Removed 0 entries, 0 B\n' });
  const shown = await run('info', ...words, '-o', 'json');
  t.match(JSON.parse(shown.stdout), { isHeld: false, total: { entries: 0, bytes: 0 } });
});
