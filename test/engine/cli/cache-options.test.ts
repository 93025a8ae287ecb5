import t from 'tap';
import { EngineError } from '#engine/base/errors.ts';
import { cacheChoice, parseCacheLimit } from '#engine/cli/cache-options.ts';
import type { CacheEvent, CacheSettings } from '#engine/cache/cache-settings.ts';
import type { Engine } from '#engine/cli/verb.ts';
import { runWords } from './surface.ts';

t.test('without a directory there is no cache', async t => {
  t.equal(cacheChoice({}, {}), undefined);
  t.equal(cacheChoice({}, { STEVEDORE_CACHE_DIR: '', STEVEDORE_CACHE_LIMIT: '1G' }), undefined);
  t.throws(() => cacheChoice({ cacheLimit: '1G' }, {}), { code: 'USAGE', message: /--cache-dir/ });
});

t.test('options win over the environment', async t => {
  const environment = { STEVEDORE_CACHE_DIR: '/e', STEVEDORE_CACHE_LIMIT: '10%' };
  t.strictSame(cacheChoice({}, environment), {
    directory: '/e',
    share: 0.1,
    node: undefined,
    isRootDiskAllowed: false,
    kubeletConfiguration: undefined,
  });
  t.strictSame(cacheChoice({ cacheDir: '/o', cacheLimit: '2GiB' }, environment), {
    directory: '/o',
    absoluteBytes: 2 ** 31,
    node: undefined,
    isRootDiskAllowed: false,
    kubeletConfiguration: undefined,
  });
});

t.test('a node is named by an option, or as it is within a pod of its agent', async t => {
  const nodeOf = (nodeName: string | undefined, NODE_NAME: string) =>
    cacheChoice({ cacheDir: '/c', nodeName }, { NODE_NAME })?.node;
  t.equal(nodeOf(undefined, 'worker-1'), 'worker-1');
  t.equal(nodeOf('worker-2', 'worker-1'), 'worker-2');
  t.equal(nodeOf(undefined, ''), undefined);
});

t.test('the root disk is allowed by an option or by a variable that is 1', async t => {
  const isAllowed = (option: boolean, variable: string) =>
    cacheChoice(
      { cacheDir: '/c', cacheAllowRootDisk: option },
      { STEVEDORE_CACHE_ALLOW_ROOT_DISK: variable },
    )?.isRootDiskAllowed;
  t.equal(isAllowed(true, ''), true);
  t.equal(isAllowed(false, '1'), true);
  t.equal(isAllowed(false, 'no'), false);
});

t.test('a limit is a size or a percentage, and never nothing', async t => {
  t.strictSame(parseCacheLimit('12.5%', '--cache-limit'), { share: 0.125 });
  t.strictSame(parseCacheLimit('64MiB', '--cache-limit'), { absoluteBytes: 2 ** 26 });
  for (const text of ['0%', '101%', '-1', 'much', '0', '%']) {
    t.throws(() => parseCacheLimit(text, '--cache-limit'), { code: 'USAGE' }, text);
  }
});

interface Stub {
  readonly repo?: string;
  readonly open: (
    settings: CacheSettings,
    options: { onEvent: (event: CacheEvent) => void },
  ) => Promise<unknown>;
}

const listing = (stub: Stub) =>
  running({ ...stub, words: ['snapshots'], engine: { listSnapshots: async () => [] } });

interface Run extends Stub {
  readonly words: readonly string[];
  /** What the verb calls. */
  readonly engine: Record<string, () => Promise<unknown>>;
}

async function running({ repo = 's3://bucket/p', open, words, ...stub }: Run) {
  const requests: { cache?: unknown }[] = [];
  const engine = {
    Cache: { open },
    openRepository: async (request: { cache?: unknown }) => {
      requests.push(request);
      return { [Symbol.asyncDispose]: async () => {} };
    },
    ...stub.engine,
  };
  const ran = await runWords([...words, '-o', 'json', '--cache-dir', '/c'], {
    environment: { STEVEDORE_REPO: repo, STEVEDORE_PASSWORD: 'p' },
    // A stub has only the functions that the verb under test calls.
    loadEngine: async () => engine as unknown as Engine,
  });
  return { ...ran, requests };
}

function stubCache(onClose = () => {}) {
  return { recovered: async () => {}, [Symbol.asyncDispose]: async () => onClose() };
}

t.test('a verb reads through the cache and closes it', async t => {
  let closed = 0;
  const cache = stubCache(() => closed++);
  const { status, stderr, requests } = await listing({ open: async () => cache });
  t.match({ status, stderr }, { status: 0, stderr: '' });
  t.equal(requests[0]?.cache, cache);
  t.equal(closed, 1);
});

t.test('a cache that is refused is a notice, and the verb does its work', async t => {
  const refused = new EngineError('CACHE_LOCATION_REFUSED', 'cache directory /c is on the root');
  const open = async () => {
    throw refused;
  };
  const { status, stdout, stderr, requests } = await listing({ open });
  t.match({ status, stdout }, { status: 0, stdout: '[]\n' });
  t.equal(stderr, 'stevedore: going on without a cache: cache directory /c is on the root\n');
  t.equal(requests[0]?.cache, undefined);
});

t.test('each reason why there is no cache is said once', async t => {
  const { status, stderr } = await listing({
    open: async (_, { onEvent }) => {
      for (const reason of ['locked', 'locked', 'full']) onEvent({ kind: 'unavailable', reason });
      return stubCache();
    },
  });
  t.equal(status, 0);
  t.equal(stderr.split('\n').length, 3);
});

t.test('for a repository in a directory no cache is opened', async t => {
  const open = async () => {
    throw new Error('was opened');
  };
  t.equal((await listing({ repo: 'file:///r', open })).status, 0);
});

t.test('verbs that say whether the storage is sound open no cache', async t => {
  const sound = { problems: [], problemCount: 0 };
  for (const words of [['verify'], ['repo', 'check'], ['repo', 'check', '--read-data']]) {
    const { status, requests } = await running({
      words,
      open: async () => {
        throw new Error('was opened');
      },
      engine: { verify: async () => sound, checkRepository: async () => sound },
    });
    t.equal(status, 0, words.join(' '));
    t.equal(requests.length, 1);
    t.equal(requests[0]?.cache, undefined);
  }
});
