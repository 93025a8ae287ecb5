// `stevedore diagnose`: what is in the bundle, and above all what is not.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Redaction } from '#agent/commands/redact.ts';
import { STORAGE_LOCATIONS } from '#agent/repositories/repository-objects.ts';
import { backedUpCluster, PASSWORD } from './backed-up-cluster.ts';
import { runCluster } from './run-cluster.ts';

const SECRETS = [
  PASSWORD,
  'AKIAIOSFODNN7EXAMPLE',
  'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  'plain-env-hunter2',
  'flag-value-hunter3',
  'in-a-message-hunter4',
  'url-user-hunter5',
  'annotation-hunter6',
  'configmap-hunter7',
  'word-behind-a-flag-hunter8',
  'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl',
] as const;

function textsIn(directory: string): { name: string; text: string }[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter(name => statSync(join(directory, name)).isFile())
    .map(name => ({ name, text: readFileSync(join(directory, name), 'utf8') }));
}

/** Wherever the API lets a user write one. */
async function clusterWithSecrets(t: Parameters<typeof backedUpCluster>[0]) {
  const scene = await backedUpCluster(t);
  const { api } = scene;
  const [, id, key, env, flag, message, user, annotation, config, word, token] = SECRETS;
  const metadata = (name: string) => ({ name, namespace: 'velero' });
  const cloud = `[default]\naws_access_key_id=${id}\naws_secret_access_key = ${key}\n`;
  api.add({ kind: 'Secret', metadata: metadata('cloud'), data: { cloud: btoa(cloud) } });
  const hunted = { data: btoa(message), other: btoa(config) };
  api.add({ kind: 'Secret', metadata: metadata('other'), data: hunted });
  const container = {
    ...{ name: 'node-agent', image: 'i', args: [`--api-token=${flag}`, '--password', word] },
    env: [{ name: 'DB_PASSWORD', value: env }],
  };
  const applied = { 'kubectl.kubernetes.io/last-applied-configuration': annotation };
  api.add({
    ...{ kind: 'Deployment', metadata: { ...metadata('x'), annotations: applied } },
    spec: { template: { spec: { containers: [container] } } },
  });
  api.add({
    ...{ kind: 'ConfigMap', metadata: metadata('c') },
    data: { 'a.yaml': `x: ${config}\npassword: ${config}\nAuthorization: Bearer ${token}` },
  });
  api.change(STORAGE_LOCATIONS, { namespace: 'velero', name: 'default' }, location => {
    location.status = { phase: 'Unavailable', message: `${key}: https://me:${user}@host/` };
  });
  api.add({
    ...{ kind: 'Event', metadata: metadata('e'), message: `cannot use ${id} and ${message}` },
    involvedObject: { kind: 'Pod', name: 'p', namespace: 'velero' },
  });
  return scene;
}

t.test('no secret is in any file, and what is needed is', async t => {
  const { api, kubeconfig } = await clusterWithSecrets(t);
  const bundle = join(t.testdirName, 'bundle');
  const ran = await runCluster(['diagnose', '--to', bundle], { kubeconfig });
  t.equal(ran.status, 0, ran.stderr);
  const files = textsIn(bundle);
  for (const secret of SECRETS) {
    const found = files.filter(({ text }) => text.includes(secret) || text.includes(btoa(secret)));
    t.strictSame(
      found.map(({ name }) => name),
      [],
      secret,
    );
    t.notMatch(ran.stdout, secret);
  }
  const read = (name: string) => files.find(each => each.name === name)?.text ?? '';
  t.match(read('moves/podvolumebackups.json'), 'the disk is gone');
  t.match(read('velero/backupstoragelocations.json'), 'Unavailable');
  t.match(read('config/daemonsets.json'), 'velero/velero:v1.18.1');
  t.match(read('README.md'), 'There is no Secret in it');
  t.ok(files.every(({ name }) => name === 'README.md' || read('README.md').includes(name)));
  t.match(ran.stdout, 'moves/podvolumebackups.json');
  t.equal(statSync(bundle).mode & 0o077, 0, 'nobody else may read it');
  t.ok(api.requests.every(({ method }) => method === 'GET'));
});

t.test('as an archive, and never over what is there', async t => {
  const { kubeconfig } = await backedUpCluster(t);
  const archive = join(t.testdirName, 'fault.tar.gz');
  const ran = await runCluster(['diagnose', '--to', archive], { kubeconfig });
  t.equal(ran.status, 0, ran.stderr);
  t.match(execFileSync('tar', ['-tzf', archive], { encoding: 'utf8' }), 'fault/README.md');
  t.equal(statSync(archive).mode & 0o777, 0o600, 'nobody else may read it');
  const beside = readdirSync(t.testdirName).filter(name => !/^(kopia|source)$/.test(name));
  t.strictSame(beside, ['fault.tar.gz'], 'nothing is left beside it');
  const written = readFileSync(archive);
  const over = await runCluster(['diagnose', '--to', archive], { kubeconfig });
  t.equal(over.status, 2);
  t.match(over.stderr, /fault\.tar\.gz: it is there already; give another name by --to/);
  t.ok(readFileSync(archive).equals(written), 'what was there is as it was');
  const again = await runCluster(['diagnose', '--to', t.testdirName], { kubeconfig });
  t.equal(again.status, 2);
  t.match(again.stderr, /it is there already; give another name by --to/);
});

t.test('of a bundle that cannot be completed nothing is left', async t => {
  const { api, kubeconfig } = await backedUpCluster(t);
  await api.stop();
  const to = (name: string) => ['diagnose', '--to', join(t.testdir({}), name)];
  for (const name of ['fault.tar.gz', 'fault']) {
    t.match((await runCluster(to(name), { kubeconfig })).stderr, 'KUBE_UNAVAILABLE');
    t.strictSame(readdirSync(t.testdirName), []);
  }
});

t.test('what may not be read is said, in the bundle and about Secrets', async t => {
  const { api, kubeconfig } = await backedUpCluster(t);
  for (const plural of ['secrets', 'datauploads']) api.access.deny({ plural });
  const bundle = join(t.testdirName, 'bundle');
  t.equal((await runCluster(['diagnose', '--to', bundle], { kubeconfig })).status, 0);
  const missing = readFileSync(join(bundle, 'moves/datauploads.json.missing'), 'utf8');
  t.match(missing, 'KUBE_FORBIDDEN');
  t.match(readFileSync(join(bundle, 'README.md'), 'utf8'), 'Not all Secrets');
});

t.test('names of Secrets and their keys stay', async t => {
  const redaction = new Redaction();
  const spec = { credential: { name: 'cloud', key: 'k' }, secretName: 'x', token: 'hunted-down' };
  t.strictSame(redaction.value({ spec, managedFields: [] }), {
    spec: { credential: { name: 'cloud', key: 'k' }, secretName: 'x', token: '[hidden]' },
  });
});
