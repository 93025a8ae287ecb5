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
