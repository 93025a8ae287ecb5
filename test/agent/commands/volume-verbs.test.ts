// `kubectl stevedore ls`, `cat` and `restore` of a backup in a cluster that is emulated.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseVolumePath } from '#agent/commands/snapshot-of-backup.ts';
import { backedUpCluster } from './backed-up-cluster.ts';
import { runCluster } from './run-cluster.ts';

t.test('cat takes a file, by the words of the user', async t => {
  const { kubeconfig } = await backedUpCluster(t);
  const words = ['cat', 'daily', 'shop/db-0/data'];
  const { status, stderr } = await runCluster(words, { kubeconfig, isPlugin: true });
  t.equal(status, 2);
  t.match(stderr, "'shop/db-0/data' names no file; give VOLUME:/PATH");
});

t.test('a volume of a backup is listed, read and restored, and the cluster only read', async t => {
  const { api, kubeconfig } = await backedUpCluster(t);
  const run = (...words: string[]) => runCluster(words, { kubeconfig, isPlugin: true });
  const top = await run('ls', 'daily', 'shop/db-0/data');
  t.equal(top.status, 0, top.stderr);
  t.match(top.stdout, /conf/);
  t.notMatch(top.stdout, '\u001b');
  const below = await run('ls', 'daily', 'shop/db-0/data:/conf', '-o', 'json');
  t.match(JSON.parse(below.stdout), { entries: [{ path: 'my.cnf' }] });
  const file = await run('cat', 'daily', 'shop/db-0/data:/conf/my.cnf');
  t.equal(file.stdout, 'port = 1\n');
  const target = t.testdirName;
  const words = ['restore', 'daily', 'shop/db-0/data:/conf', join(target, 'back')];
  const restored = await run(...words, '--no-owners');
  t.equal(restored.status, 0, restored.stderr);
  t.equal(readFileSync(join(target, 'back', 'my.cnf'), 'utf8'), 'port = 1\n');
  t.ok(api.requests.every(({ method }) => method === 'GET'));
});

t.test('what is not there is said with what is', async t => {
  const { api, kubeconfig } = await backedUpCluster(t);
  const said = async (...words: string[]) => {
    const { status, stderr } = await runCluster(words, { kubeconfig, isPlugin: true });
    return `${status} ${stderr}`;
  };
  t.match(
    await said('ls', 'weekly', 'shop/db-0/data'),
    /^1 .*cannot find volumes of backup weekly/,
  );
  t.match(
    await said('ls', 'daily', 'shop/db-0/tmp'),
    /backup daily has no volume shop\/db-0\/tmp; it has shop\/db-0\/data, shop\/db-0\/logs/,
  );
  t.match(await said('ls', 'daily', 'shop/db-0/logs'), /is Failed; see .* why pvb\/daily-2/);
  t.match(await said('cat', 'daily', 'shop/db-0/data:/none'), /^1 .*none/);
  t.match(await said('ls', 'daily', 'data'), /^2 .*'data' names no volume; give NAMESPACE/);
  t.match(await said('ls', 'daily', 'shop/db-0/data:/../x'), /^2 .*leaves the volume/);
  api.access.deny({ plural: 'secrets' });
  const denied = await said('ls', 'daily', 'shop/db-0/data');
  t.match(denied, /^1 .*cannot get secrets velero\/velero-repo-credentials/);
});

t.test('names of volumes are taken apart at the first colon', async t => {
  t.strictSame(parseVolumePath('shop/db-0/data:/a:b'), {
    ...{ namespace: 'shop', volume: 'db-0/data', path: '/a:b' },
  });
  t.strictSame(parseVolumePath('shop/claim'), { namespace: 'shop', volume: 'claim', path: '' });
});
