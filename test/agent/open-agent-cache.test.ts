// The cache of the agent: opened as its configuration says, found by the command, and what is told
// about it.

import { mkdtempSync, rmSync } from 'node:fs';
import t, { type Test } from 'tap';
import { readConfig } from '#agent/config.ts';
import type { AgentConfig } from '#agent/config-table.ts';
import { createLog, type Log } from '#agent/log.ts';
import { SecretTexts } from '#agent/log-secrets.ts';
import { cacheTeller, openAgentCache } from '#agent/open-agent-cache.ts';
import { isWatched } from '#engine/cache/cache-settings.ts';
import { DEFAULT_EVICTION_LINES } from '#engine/cache/eviction-lines.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { runWords } from '#test/engine/cli/surface.ts';

const ENVIRONMENT = { NODE_NAME: 'worker-1' };
const memoryBytes = 2 ** 22;

interface Line {
  readonly level: string;
  readonly message: string;
  readonly origin?: string;
}

function collectingLog(lines: Line[]): Log {
  const write = (line: string) => lines.push(JSON.parse(line) as Line);
  return createLog({ level: 'debug', format: 'json', write, secrets: new SecretTexts() });
}

function configOf(...words: string[]): AgentConfig {
  const readText = () => '';
  const outcome = readConfig({ words, environment: ENVIRONMENT, readText, columns: 100 });
  if (outcome.kind !== 'config') throw new Error('that is a text');
  return outcome.config;
}

async function opened(t: Test, ...words: string[]) {
  const directory = fastDirectory(t);
  const lines: Line[] = [];
  const config = configOf(`--cache-dir=${directory}`, '--cache-allow-root-disk', ...words);
  const cache = await openAgentCache(config, { log: collectingLog(lines), memoryBytes });
  if (cache === undefined) throw new Error('there is no cache');
  t.teardown(() => cache.close());
  return { cache, directory, lines };
}

t.test('the command finds the cache of the agent within its pod', async t => {
  const { cache, directory } = await opened(t, '--cache-limit=4MiB');
  const loadEngine = () => import('#engine/index.ts');
  const run = (verb: string, environment: Readonly<Record<string, string>> = ENVIRONMENT) =>
    runWords(['cache', verb, '--cache-dir', directory], { environment, loadEngine });
  t.match(await run('info'), {
    status: 0,
    stdout: /stevedore-cache-worker-1\n.*in use +by a process that runs now/s,
  });
  t.match((await run('info', {})).stdout, /for --node-name: worker-1$/m, 'and outside by its name');
  t.match(await run('clear'), { status: 1, stderr: /CACHE_IN_USE/ });
  await cache.close();
  t.match(await run('clear'), { status: 0, stdout: 'Removed 0 entries, 0 B\n' });
});

/** Where the kubelet watches the disk; undefined where /tmp is a volume of its own. */
async function openedOnDisk(t: Test, ...words: string[]) {
  const directory = mkdtempSync('/tmp/agent-cache-');
  t.teardown(() => rmSync(directory, { recursive: true }));
  const lines: Line[] = [];
  const flags = [`--cache-dir=${directory}`, '--cache-allow-root-disk', ...words];
  const cache = await openAgentCache(configOf(...flags), {
    log: collectingLog(lines),
    memoryBytes,
  });
  t.teardown(() => cache?.close());
  if (!isWatched(cache?.location)) return undefined;
  const told = lines.find(({ message }) => message === 'cache keeps clear of eviction lines');
  return { lines: cache?.evictionLines?.lines, origin: told?.origin };
}

t.test("the cache of the agent keeps clear of the kubelet's lines", async t => {
  const files = t.testdir({
    'config.yaml': 'evictionHard: {nodefs.available: 8%, imagefs.available: 20%}\n',
    'conf.d': { '10.conf': 'evictionHard: {imagefs.available: 21%}\n' },
  });
  const words = [`--kubelet-config=${files}/config.yaml`, `--kubelet-config-dir=${files}/conf.d`];
  const found = await openedOnDisk(t, ...words);
  if (found === undefined) return t.comment('/tmp is a volume of its own here');
  t.match(found.lines, [{ threshold: { share: 0.08 } }, { threshold: { share: 0.21 } }]);
  t.equal(found.origin, `${files}/config.yaml, ${files}/conf.d/10.conf`);
});

t.test("a configuration that is absent leaves the kubelet's defaults, and is told", async t => {
  const files = t.testdir({ 'conf.d': {} });
  const words = [`--kubelet-config=${files}/config.yaml`, `--kubelet-config-dir=${files}/conf.d`];
  const found = await openedOnDisk(t, ...words);
  if (found === undefined) return t.comment('/tmp is a volume of its own here');
  t.strictSame(found.lines, DEFAULT_EVICTION_LINES);
  t.match(found.origin, /^defaults of the kubelet, .*config\.yaml cannot be read: ENOENT/);
});

t.test('a repository goes from the cache after as many days as the agent was told', async t => {
  const { cache, lines } = await opened(t, '--cache-limit=4MiB', '--cache-unvisited-days=3');
  const noteOf = (name: string, days: number) => {
    const key = { a: name.length, b: 0 };
    return { key, name, unvisitedMs: days * 24 * 3_600_000, isDeleted: false };
  };
  cache.volume?.accounts.recall([noteOf('s3://b/old/', 3.1), noteOf('s3://b/young/', 2.9)], 0);
  await cache.look();
  const gone = lines.filter(({ message }) => message === 'cache lets go of a repository');
  t.equal(gone.length, 1);
  t.strictSame(
    cache.volume?.accounts.all().map(({ name, isOrphan }) => [name, isOrphan]),
    [
      ['s3://b/old/', true],
      ['s3://b/young/', false],
    ],
  );
});

t.test('the size of an emptyDir and memory are bounds of the cache', async t => {
  const { cache } = await opened(t, '--cache-empty-dir-size=2MiB');
  t.match(cache.limit?.bytes, { amount: 2 ** 21, reason: 'emptyDir size' });
  const { cache: other } = await opened(t, '--cache-empty-dir-size=2GiB');
  if (other.location?.kind !== 'tmpfs') return t.comment('no directory in memory here');
  t.match(other.limit?.bytes, { amount: memoryBytes, reason: 'memory' });
});

t.test('small steps of the limit are for the level debug', async t => {
  const lines: Line[] = [];
  const tell = cacheTeller(collectingLog(lines));
  for (const bytes of [1000, 950, 910, 899, 950, 0, 0, 50]) {
    tell({ kind: 'limit', bytes, reason: 'nodefs.available' });
  }
  tell({ kind: 'limit', bytes: 50, reason: 'absolute' });
  const news = lines.map(({ level }) => (level === 'info' ? '!' : '.')).join('');
  t.equal(news, '!..!.!.!!');
});
