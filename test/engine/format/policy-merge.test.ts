import t from 'tap';
import {
  DEFAULT_POLICY,
  pathsUpward,
  policyLevels,
  resolvePolicy,
  type PolicyManifest,
} from '#engine/format/policy-merge.ts';
import { policyLabels, type Policy } from '#engine/format/policy.ts';

const SOURCE = { host: 'h', userName: 'u', path: '/a/b/c' };
let count = 0;

function manifestOf(path: string | undefined, policy: Policy, at: Partial<typeof SOURCE> = {}) {
  const source = { ...SOURCE, path: path ?? '', ...at };
  const id = String(count++).padStart(4, '0');
  return { id, labels: policyLabels(source), modifiedNs: BigInt(count), policy };
}

const user = (policy: Policy) => manifestOf(undefined, policy);
const host = (policy: Policy) => manifestOf(undefined, policy, { userName: '' });
const global = (policy: Policy) => manifestOf(undefined, policy, { userName: '', host: '' });
const resolve = (...manifests: PolicyManifest[]) => resolvePolicy(SOURCE, manifests);

t.test('without policies the defaults hold', async t => {
  const { policy, sources } = resolve();
  t.same(policy, DEFAULT_POLICY);
  t.same(sources, []);
});

t.test('the most specific value counts', async t => {
  const latest = (keepLatest: number): Policy => ({ retention: { keepLatest } });
  const levels = [
    manifestOf('/a/b/c', latest(1)),
    manifestOf('/a/b', latest(2)),
    manifestOf('/a', latest(3)),
    manifestOf('/', latest(4)),
    user(latest(5)),
    host(latest(6)),
    global(latest(7)),
  ];
  for (let first = 0; first < levels.length; first++) {
    const { policy, sources } = resolve(...levels.slice(first).reverse());
    t.equal(policy.retention?.keepLatest, first + 1);
    t.same(sources, levels.slice(first));
  }
});

t.test('policies for others do not count', async t => {
  const policy = { retention: { keepLatest: 1 } };
  const others = [
    manifestOf('/a/b/c/d', policy),
    manifestOf('/a/bc', policy),
    manifestOf('/a/b/c', policy, { userName: 'other' }),
    manifestOf('/a/b/c', policy, { host: 'other' }),
    manifestOf(undefined, policy, { userName: 'other' }),
    manifestOf(undefined, policy, { host: 'other' }),
  ];
  t.same(resolve(...others).sources, []);
});

t.test('false and 0 count where they can be told from nothing', async t => {
  const own: Policy = {
    retention: { keepLatest: 0, ignoreIdenticalSnapshots: false },
    errorHandling: { ignoreUnknownTypes: false },
    files: { maxFileSize: 0, ignore: [] },
    compression: { compressorName: '' },
  };
  const parent: Policy = {
    retention: { keepLatest: 5, ignoreIdenticalSnapshots: true },
    errorHandling: { ignoreUnknownTypes: true },
    files: { maxFileSize: 9, ignore: ['x'] },
    compression: { compressorName: 'zstd' },
  };
  const { policy } = resolve(manifestOf('/a/b/c', own), global(parent));
  t.match(policy, {
    retention: { keepLatest: 0, ignoreIdenticalSnapshots: false },
    errorHandling: { ignoreUnknownTypes: false },
    files: { maxFileSize: 9, ignore: ['x'] },
    compression: { compressorName: 'zstd' },
  });
});

t.test('ignore rules replace one another, extensions add up', async t => {
  const own: Policy = { files: { ignore: ['own'] }, compression: { neverCompress: ['.b', '.a'] } };
  const parent: Policy = {
    files: { ignore: ['parent'] },
    compression: { neverCompress: ['.c', '.a'] },
  };
  const { policy } = resolve(manifestOf('/a/b/c', own), manifestOf('/a', parent));
  t.same(policy.files?.ignore, ['own']);
  t.same(policy.files?.ignoreDotFiles, ['.kopiaignore']);
  t.same(policy.compression?.neverCompress, ['.a', '.b', '.c']);
});

t.test('a union ends at the policy that stops it', async t => {
  const stopping: Policy = { compression: { onlyCompress: ['.b'], noParentOnlyCompress: true } };
  const { policy } = resolve(
    manifestOf('/a/b/c', { compression: { onlyCompress: ['.a'] } }),
    manifestOf('/a', stopping),
    global({ compression: { onlyCompress: ['.c'] } }),
  );
  t.same(policy.compression?.onlyCompress, ['.a', '.b']);
  t.equal(policy.compression?.noParentOnlyCompress, true);
});

t.test('times of the day add up in order', async t => {
  const at = (hour: number, min: number) => ({ hour, min });
  const { policy } = resolve(
    manifestOf('/a', { scheduling: { timeOfDay: [at(12, 30), at(2, 0)] } }),
    global({ scheduling: { timeOfDay: [at(2, 0), at(1, 59)], noParentTimeOfDay: true } }),
  );
  t.same(policy.scheduling?.timeOfDay, [at(1, 59), at(2, 0), at(12, 30)]);
});

t.test('a policy without parents has no defaults either', async t => {
  const { policy, sources } = resolve(
    manifestOf('/a/b/c', { retention: { keepLatest: 1 } }),
    manifestOf('/a', { noParent: true, retention: { keepDaily: 2 } }),
    global({ retention: { keepHourly: 3 } }),
  );
  t.same(policy, { retention: { keepLatest: 1, keepDaily: 2 } });
  t.equal(sources.length, 2);
});

t.test('actions of a folder are not inherited, those of a root are', async t => {
  const actions = { beforeFolder: { path: '/x' }, beforeSnapshotRoot: { path: '/y' } };
  t.same(resolve(manifestOf('/a', { actions })).policy.actions, {
    beforeSnapshotRoot: { path: '/y' },
  });
  t.same(resolve(manifestOf('/a/b/c', { actions })).policy.actions, {
    beforeSnapshotRoot: { path: '/y' },
    beforeFolder: { path: '/x' },
  });
});

t.test('of several policies for the same source the oldest counts first', async t => {
  const older = manifestOf('/a/b/c', { retention: { keepLatest: 1 } });
  const newer = manifestOf('/a/b/c', { retention: { keepLatest: 2, keepDaily: 3 } });
  const { policy } = resolve(newer, older);
  t.match(policy.retention, { keepLatest: 1, keepDaily: 3 });
});

t.test('a source without a path has no path policies', async t => {
  const source = { ...SOURCE, path: '' };
  t.equal(policyLevels(source).length, 3);
  t.equal(policyLevels({ host: '', userName: '', path: '' }).length, 1);
  t.equal(policyLevels(SOURCE).length, 7);
});

t.test('paths go up to their root', async t => {
  t.same(pathsUpward('/a/b'), ['/a/b', '/a', '/']);
  t.same(pathsUpward('/'), ['/']);
  t.same(pathsUpward(''), []);
  t.same(pathsUpward('/a/b/'), ['/a/b/', '/a', '/']);
  t.same(pathsUpward('C:\\a\\b'), ['C:\\a\\b', 'C:\\a', 'C:\\']);
  t.same(pathsUpward('snapshot-pod-volume/kopia/ns'), [
    'snapshot-pod-volume/kopia/ns',
    'snapshot-pod-volume/kopia',
    'snapshot-pod-volume',
  ]);
});
