// Volumes that we store for Velero, in the hands of the kopia that Velero has in it
// (KOPIA_VELERO_BIN; where it is not given any kopia), and what it stores in ours.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import t, { type Test } from 'tap';
import { createRepository, openStorageAt } from '#engine/index.ts';
import { findServer, startServer } from '#test/servers/start.ts';
import { findKopia, Kopia } from '#test/support/kopia.ts';
import { moverFor, NodeScene } from '#test/support/node-scene.ts';
import { SeededRandom } from '#test/support/random.ts';
import { NAME, PASSWORD, VeleroScene } from '#test/support/velero-scene.ts';

const found = findKopia();
const program = process.env.KOPIA_VELERO_BIN ?? found.program;
const skip = program === undefined ? found.reason : undefined;
if (skip) t.comment(`skipped: ${skip}`);

const { signal } = new AbortController();
const SOURCE = 'default@default:snapshot-pod-volume/kopia/shop/web/web-data';

interface Listed {
  readonly id: string;
  readonly source: { readonly host: string; readonly userName: string; readonly path: string };
  readonly description: string;
  readonly pins?: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly stats: { readonly cachedFiles: number; readonly nonCachedFiles: number };
  readonly rootEntry: { readonly name: string; readonly obj: string };
}

async function sceneFor(t: Test) {
  const root = t.testdir({ bucket: {} });
  const velero = await VeleroScene.make(`${root}/bucket`);
  t.teardown(() => velero[Symbol.asyncDispose]());
  const node = new NodeScene(root, velero.kube);
  const mover = moverFor(velero, node);
  const kopia = new Kopia({ directory: `${root}/kopia`, password: PASSWORD, program });
  const place = ['filesystem', '--path', velero.directory];
  const client = ['--override-username=default', '--override-hostname=default'];
  await kopia.run('repository', 'connect', ...place, ...client, '--no-check-for-updates');
  const listed = async (): Promise<Listed[]> => {
    const words = ['--all', '--show-identical', '--incomplete', '--json'];
    return JSON.parse(await kopia.run('snapshot', 'list', ...words)) as Listed[];
  };
  return { root, velero, node, mover, kopia, listed };
}

function fill(path: string): void {
  const random = new SeededRandom(11);
  fs.mkdirSync(`${path}/sub/deep`, { recursive: true });
  for (const name of ['a', 'sub/b', 'sub/deep/c']) {
    fs.writeFileSync(`${path}/${name}`, random.bytes(700_000));
  }
  fs.writeFileSync(`${path}/text`, 'the same line\n'.repeat(20_000));
  fs.writeFileSync(`${path}/.kopiaignore`, 'sub\n');
  fs.symlinkSync('text', `${path}/link`);
}

t.test('kopia of Velero lists, verifies and restores what we have stored', { skip }, async t => {
  const { root, node, mover, kopia, listed } = await sceneFor(t);
  const pod = node.runPod('web');
  fill(pod.path);
  const order = { repository: NAME, volume: pod.volume, moveUid: 'uid-of-the-move' };
  const { snapshotId, skipped } = await mover.backup(order, { signal });
  t.strictSame(skipped, []);
  const [snapshot, ...others] = await listed();
  t.strictSame(others, []);
  const tags = { 'snapshot-requester': 'snapshot-pod-volume', 'snapshot-uploader': 'kopia' };
  t.match(snapshot, {
    id: snapshotId,
    source: { host: 'default', userName: 'default', path: SOURCE.split(':')[1] },
    description: 'Kopia Uploader',
    pins: ['velero-pin'],
    tags,
    rootEntry: { name: 'uid-of-the-move' },
  });
  const manifests = JSON.parse(await kopia.run('manifest', 'list', '--json')) as {
    readonly id: string;
    readonly labels: Readonly<Record<string, string>>;
  }[];
  const labels = { ...tags, type: 'snapshot', 'pvc-uid': pod.claim.uid };
  t.match(manifests.find(({ id }) => id === snapshotId)?.labels, labels, 'labels without tag:');
  await kopia.verify([snapshotId]);
  await kopia.run('snapshot', 'restore', snapshotId, `${root}/restored`);
  execFileSync('diff', ['-r', '--no-dereference', pod.path, `${root}/restored`]);
  // Nothing of it is left for its retention to take.
  await kopia.run('snapshot', 'expire', '--all', '--delete');
  await kopia.maintain();
  t.equal((await listed()).length, 1);
  await kopia.verify([snapshotId]);
});

t.test('each goes on from what the other has stored, and stores it once', { skip }, async t => {
  const { node, mover, kopia, listed } = await sceneFor(t);
  const pod = node.runPod('web');
  fill(pod.path);
  fs.rmSync(`${pod.path}/.kopiaignore`);
  const create = ['snapshot', 'create', pod.path, `--override-source=${SOURCE}`];
  await kopia.run(...create);
  const before = await listed();
  const order = { repository: NAME, volume: pod.volume, moveUid: 'ours' };
  const ours = await mover.backup(order, { signal });
  t.match(ours, { incrementalBytes: 0 });
  t.equal(ours.totalBytes, 3 * 700_000 + 280_000);
  fs.writeFileSync(`${pod.path}/new`, 'new');
  await kopia.run(...create);
  const after = await listed();
  t.equal(after.length, 3);
  const [first, second, third] = after;
  t.equal(first?.rootEntry.obj, before[0]?.rootEntry.obj);
  t.equal(second?.id, ours.snapshotId);
  t.match(third?.stats, { nonCachedFiles: 1 }, 'only the new one is read');
});

t.test('what kopia of Velero has stored comes back through us', { skip }, async t => {
  const { node, mover, kopia, listed } = await sceneFor(t);
  const pod = node.runPod('web');
  fill(pod.path);
  fs.rmSync(`${pod.path}/.kopiaignore`);
  fs.mkdirSync(`${pod.path}/.velero`);
  fs.writeFileSync(`${pod.path}/.velero/old`, '');
  await kopia.run('snapshot', 'create', pod.path, `--override-source=${SOURCE}`);
  const [{ id: snapshotId }] = await listed();
  const target = node.runPod('restored', { claim: 'other' });
  const order = {
    repository: NAME,
    volume: target.volume,
    moveUid: 'r',
    doneFile: 'd',
    snapshotId,
  };
  const result = await mover.restore(order, { signal });
  t.match(result, { differenceCount: 0, totalBytes: 3 * 700_000 + 280_000 });
  t.strictSame(fs.readdirSync(`${target.path}/.velero`), ['d']);
  await mover.tidy({ volume: target.volume, doneFile: 'd' }, signal);
  fs.rmSync(`${pod.path}/.velero`, { recursive: true });
  execFileSync('diff', ['-r', '--no-dereference', pod.path, target.path]);
});

const noServer = findServer('versitygw');
const skipS3 = skip ?? (noServer.program === undefined ? noServer.reason : undefined);
if (skipS3) t.comment(`skipped: ${skipS3}`);

t.test('a volume goes into a bucket as Velero names it, and back', { skip: skipS3 }, async t => {
  const { root, velero, node, mover } = await sceneFor(t);
  const server = await startServer('versitygw', { buckets: ['backups'] });
  t.teardown(() => server.stop());
  const { credentials, url: endpoint } = server;
  const s3 = { bucket: 'backups', prefix: 'cluster-a/kopia/shop/', endpoint, credentials };
  const storage = await openStorageAt({ scheme: 's3', s3 });
  const owner = { user: 'default', host: 'default' };
  await createRepository({ storage, password: PASSWORD, owner, forVelero: true });
  await storage.close();
  const credential = { name: 'cloud-credentials', key: 'cloud' };
  const keys = (secretAccessKey: string) => ({
    cloud:
      `[default]\naws_access_key_id = ${credentials.accessKeyId}\n` +
      `aws_secret_access_key = ${secretAccessKey}\n`,
  });
  velero.putLocation({
    provider: 'aws',
    config: { region: 'us-east-1', s3ForcePathStyle: 'true', s3Url: endpoint },
    objectStorage: { bucket: 'backups', prefix: 'cluster-a' },
    credential,
  });
  const pod = node.runPod('web');
  fill(pod.path);
  const order = { repository: NAME, volume: pod.volume, moveUid: 'm' };
  velero.putSecret(credential.name, keys('wrong'));
  await t.rejects(mover.backup(order, { signal }), { code: 'STORAGE_ACCESS_DENIED' });
  velero.putSecret(credential.name, keys(credentials.secretAccessKey));
  const { snapshotId } = await mover.backup(order, { signal });
  const target = node.runPod('restored', { claim: 'other' });
  const back = { ...order, volume: target.volume, doneFile: 'd', snapshotId };
  t.match(await mover.restore(back, { signal }), { differenceCount: 0 });
  await mover.tidy(back, signal);
  execFileSync('diff', ['-r', '--no-dereference', pod.path, target.path]);
  const kopia = new Kopia({ directory: `${root}/kopia-s3`, password: PASSWORD, program });
  const place = ['--bucket=backups', '--prefix=cluster-a/kopia/shop/', '--disable-tls'];
  const host = `--endpoint=${new URL(endpoint).host}`;
  const access = [
    `--access-key=${credentials.accessKeyId}`,
    `--secret-access-key=${credentials.secretAccessKey}`,
  ];
  const client = ['--override-username=default', '--override-hostname=default'];
  await kopia.run('repository', 'connect', 's3', ...place, host, ...access, ...client);
  await kopia.verify([snapshotId]);
});
