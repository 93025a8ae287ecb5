// `stevedore annotations` against an API server that is emulated: what people see of rules before
// they count.

import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { showAnnotations } from '#controller/commands/show-annotations.ts';
import { systemClock } from '#engine/base/clock.ts';
import { CollectingSink } from '#test/engine/cli/collecting-sink.ts';
import { type KubeEmulator, startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';

const INCLUDE = 'backup.velero.io/backup-volumes';
const RECORD = 'stevedore.io/annotated-backup-volumes';
const RULES = `[
  {action: ignore, volumeNames: [tmp]},
  {action: exclude, name: caches, volumeNames: [cache]},
  {action: include, volumeTypes: [persistentVolumeClaim]},
]`;

async function startCluster(t: Test): Promise<KubeEmulator> {
  const api = await startKubeEmulator({ velero: '1.18' });
  t.teardown(() => api.stop());
  const inShop = (name: string) => ({ name, namespace: 'shop' });
  const volumeName = 'pv-1';
  api.add({ kind: 'PersistentVolume', metadata: { name: volumeName }, spec: { csi: {} } });
  const claim = { kind: 'PersistentVolumeClaim' };
  api.add({ ...claim, metadata: inShop('files'), spec: { volumeName } });
  api.add({ ...claim, metadata: inShop('disk'), spec: { volumeName, volumeMode: 'Block' } });
  api.add({ ...claim, metadata: inShop('late'), spec: {} });
  const claimed = (name: string) => ({ name, persistentVolumeClaim: { claimName: name } });
  const empty = (name: string) => ({ name, emptyDir: {} });
  const add = (name: string, volumes: readonly object[], annotations = {}) => {
    const mounts = volumes.filter(volume => !('unused' in volume));
    const containers = [{ name: 'app', volumeMounts: mounts }];
    const bare = volumes.map(({ unused: _, ...volume }: { unused?: true }) => volume);
    const metadata = { ...inShop(name), annotations };
    api.add({ kind: 'Pod', metadata, spec: { volumes: bare, containers } });
  };
  const unused = { ...empty('unmounted'), unused: true };
  const token = { name: 'token', projected: {} };
  const host = { name: 'host', hostPath: { path: '/' } };
  const wide = [claimed('files'), claimed('disk'), empty('cache'), empty('tmp'), empty('rest')];
  add('a-web', [...wide, unused, host, token]);
  add('b-late', [claimed('late')]);
  add('c-own', [claimed('files')], { [INCLUDE]: 'mine' });
  add('d-done', [claimed('files')], { [INCLUDE]: 'files', [RECORD]: 'files' });
  add('e-left', [token], { [INCLUDE]: 'gone', [RECORD]: 'gone' });
  add('f-none', [token]);
  return api;
}

async function run(t: Test, api: KubeEmulator, ...more: string[]) {
  const stdout = new CollectingSink();
  let stderr = '';
  const kubeconfig = join(t.testdir({ kubeconfig: api.kubeconfig() }), 'kubeconfig');
  const words = ['annotations', '--kubeconfig', kubeconfig, ...more];
  const status = await showAnnotations({
    ...{ words, stdout, environment: {}, readText: () => '', columns: 100 },
    say: text => void (stderr += text),
    signals: Object.assign(new EventEmitter(), { exit: () => {} }),
    clock: systemClock,
  });
  return { status, stdout: stdout.text, stderr };
}

/** That they stand below each other is the table's own business. */
function cells(text: string): string[] {
  return text.split('\n').map(line => line.trim().replaceAll(/ {2,}/g, ' | '));
}

t.test('each volume of each pod is shown with the reason, and nothing is written', async t => {
  const api = await startCluster(t);
  const { status, stdout } = await run(t, api, '--annotator-rules', RULES);
  t.equal(status, 0);
  const web = 'shop/a-web | would be changed';
  t.strictSame(cells(stdout), [
    '6 pods; 1 is as the rules say; 1 is not concerned; ' +
      "1 has a person's own annotation; 1 waits for a claim; 2 would be changed",
    '',
    'pod | which | volume | is | because of',
    `${web} | files | included | rule 3`,
    `${web} | disk | left out | its claim disk is in block mode`,
    `${web} | cache | excluded | caches`,
    `${web} | tmp | left out | rule 1 ignores it`,
    `${web} | rest | left out | no rule fits it`,
    `${web} | unmounted | left out | no container mounts it as a directory, or it is of a token`,
    `${web} | host | left out | volumes of type hostPath are never annotated`,
    'shop/b-late | waits for a claim | late | left out | its claim late is not bound yet',
    "shop/c-own | has a person's own annotation | files | included | rule 3",
    'shop/d-done | is as the rules say | files | included | rule 3',
    'shop/e-left | would be changed',
    '',
  ]);
  t.ok(api.requests.every(({ method }) => method === 'GET'));
});

t.test('as one document, of one namespace', async t => {
  const api = await startCluster(t);
  const words = ['--annotator-rules', RULES, '-o', 'json'];
  const { stdout } = await run(t, api, ...words, '-n', 'shop');
  const { pods } = JSON.parse(stdout) as { pods: readonly { pod: string; volumes: object[] }[] };
  t.equal(pods.length, 6);
  t.match(pods[0], {
    pod: 'shop/a-web',
    state: 'outdated',
    annotations: { [INCLUDE]: 'files', [`${INCLUDE}-excludes`]: 'cache' },
  });
  t.match(pods[0]?.volumes.at(-1), { name: 'token', type: 'projected', action: 'none' });
  t.match(pods[4], { pod: 'shop/e-left', annotations: { [INCLUDE]: null, [RECORD]: null } });
  const elsewhere = await run(t, api, ...words, '-n', 'other');
  t.strictSame(JSON.parse(elsewhere.stdout), { pods: [] });
});

t.test('wrong rules are said with their places, a missing right with its name', async t => {
  const api = await startCluster(t);
  const wrong = await run(t, api, '--annotator-rules', '[{action: drop}]');
  t.equal(wrong.status, 2);
  t.match(wrong.stderr, /\[0\]\.action of --annotator-rules is 'drop'; give one of include/);
  api.access.deny({ plural: 'persistentvolumes' });
  const denied = await run(t, api);
  t.equal(denied.status, 1);
  t.match(denied.stderr, /cannot list persistentvolumes/);
});
