import { rmSync } from 'node:fs';
import t, { type Test } from 'tap';
import { EngineError } from '#engine/base/errors.ts';
import { systemClock } from '#engine/base/clock.ts';
import { waitUntilReady } from '#agent/repositories/ready-repository.ts';
import { SECRETS } from '#kube/core-resources.ts';
import { REPOSITORIES, STORAGE_LOCATIONS } from '#agent/repositories/repository-objects.ts';
import { repositoryShares, threadsOfEach } from '#agent/repositories/repository-shares.ts';
import { KubeObjects } from '#test/support/kube-objects.ts';
import { NAME, PASSWORD, VELERO, VeleroScene } from '#test/support/velero-scene.ts';
import { openStorageAt } from '#engine/index.ts';
import { TestClock } from '#test/engine/content/content-scene.ts';
import { putChanged, upgradeLock } from '#test/support/changed-format.ts';
import { scratchCache } from '#test/engine/cache/scratch-cache.ts';
import { openFake, startFakeS3 } from '#test/engine/storage/fake-s3.ts';
import { MemoryS3 } from '#test/faults/memory-s3.ts';

const MIB = 2 ** 20;
const CLOUD_KEYS = '[default]\naws_access_key_id = id\naws_secret_access_key = secret\n';

async function sceneFor(t: Test, clock?: TestClock): Promise<VeleroScene> {
  const scene = await VeleroScene.make(t.testdir({}), { readyTimeoutMs: 0, clock });
  t.teardown(() => scene[Symbol.asyncDispose]());
  return scene;
}

t.test('moves of one repository share it, and see what others have written', async t => {
  const scene = await sceneFor(t);
  await using first = await scene.repositories.acquire(NAME, 'write');
  await using second = await scene.repositories.acquire(NAME, 'read');
  t.equal(first.thing, second.thing);
  t.equal(scene.repositories.count, 1);
  const other = await VeleroScene.make(`${scene.root}/other`);
  t.teardown(() => other[Symbol.asyncDispose]());
  other.putLocation({ config: { fspath: scene.root } });
  const writer = await other.repositories.acquire(NAME, 'write');
  t.not(writer.thing, first.thing);
  const id = writer.thing.manifests.put({ type: 'test' }, '{}');
  await writer.thing.flush();
  t.equal(await first.thing.manifests.get(id), undefined);
  await using third = await scene.repositories.acquire(NAME, 'read');
  t.ok(await third.thing.manifests.get(id));
  await writer[Symbol.asyncDispose]();
});

t.test(
  'a location that has changed is opened anew, and the old one lives on in its use',
  async t => {
    const scene = await sceneFor(t);
    await using before = await scene.repositories.acquire(NAME, 'read');
    scene.putLocation({ config: { fspath: scene.root }, accessMode: 'ReadOnly' });
    await using after = await scene.repositories.acquire(NAME, 'read');
    t.not(after.thing, before.thing);
    await t.rejects(after.thing.flush(), { code: 'REPOSITORY_WRITE_UNSUPPORTED' });
    await before.thing.flush();
  },
);

t.test('what was made again under its name is opened anew', async t => {
  const scene = await sceneFor(t);
  const config = { fspath: scene.root };
  await using first = await scene.repositories.acquire(NAME, 'read');
  scene.putRepository('shop', { phase: 'Ready' }, { uid: 'made-again' });
  await using second = await scene.repositories.acquire(NAME, 'read');
  t.not(second.thing, first.thing, 'a BackupRepository');
  scene.putLocation({ config }, undefined, 'made-again');
  await second[Symbol.asyncDispose]();
  await using third = await scene.repositories.acquire(NAME, 'read');
  t.not(third.thing, second.thing, 'a BackupStorageLocation');
  await third[Symbol.asyncDispose]();
  await using fourth = await scene.repositories.acquire(NAME, 'read');
  t.equal(fourth.thing, third.thing, 'and what is the same is not');
});

t.test('a repository in use is opened anew when its format has changed', async t => {
  const clock = new TestClock();
  const scene = await sceneFor(t, clock);
  await using first = await scene.repositories.acquire(NAME, 'write');
  const { storage, parts } = first.thing;
  await putChanged(storage, parts.format, { maxPackBytes: 40 * MIB });
  await using second = await scene.repositories.acquire(NAME, 'write');
  t.equal(second.thing, first.thing, 'it is not looked at each time');
  clock.advance(15 * 60_000);
  await using third = await scene.repositories.acquire(NAME, 'write');
  t.not(third.thing, first.thing);
  t.equal(third.thing.config.maxPackBytes, 40 * MIB);
  await first.thing.flush();
  await using fourth = await scene.repositories.acquire(NAME, 'write');
  t.equal(fourth.thing, third.thing);
});

t.test('a repository that is locked for an upgrade is refused, open or not', async t => {
  const clock = new TestClock();
  const scene = await sceneFor(t, clock);
  await using first = await scene.repositories.acquire(NAME, 'write');
  const { storage, parts } = first.thing;
  await putChanged(storage, parts.format, { upgradeLock: upgradeLock(clock.nowNanoseconds()) });
  clock.advance(15 * 60_000);
  const refused = { code: 'REPOSITORY_UPGRADE_IN_PROGRESS' };
  await t.rejects(scene.repositories.acquire(NAME, 'write'), refused);
  await t.rejects(scene.repositories.acquire(NAME, 'read'), refused);
  await putChanged(storage, parts.format, {});
  await using again = await scene.repositories.acquire(NAME, 'write');
  t.not(again.thing, first.thing);
});

t.test('a location that names another place is opened there', async t => {
  const scene = await sceneFor(t);
  await using first = await scene.repositories.acquire(NAME, 'read');
  scene.putLocation({ config: { fspath: `${scene.root}/other` } });
  await t.rejects(scene.repositories.acquire(NAME, 'read'), { code: 'STORAGE_NOT_FOUND' });
  t.ok(first.thing);
});

t.test('the cache forgets a repository whose BackupRepository is gone', async t => {
  const forgotten: string[] = [];
  const scene = await VeleroScene.make(t.testdir({}), { readyTimeoutMs: 0, forgotten });
  t.teardown(() => scene[Symbol.asyncDispose]());
  const { repositories } = scene;
  const fake = await startFakeS3(t);
  const bucketed = (uid?: string) => {
    const config = { s3Url: fake.endpoint, region: 'minio' };
    scene.putLocation({ provider: 'aws', config, credential }, undefined, uid);
  };
  const credential = { name: 'cloud', key: 'cloud' };
  scene.putSecret('cloud', { cloud: CLOUD_KEYS });
  bucketed();
  const goneOf = (uid: string, volumeNamespace = 'shop') => ({
    metadata: { name: 'r', namespace: VELERO, uid },
    spec: { volumeNamespace, backupStorageLocation: 'default' },
  });
  // Not there, but asked for.
  await t.rejects(repositories.acquire(NAME, 'read'), { code: 'REPOSITORY_NOT_FOUND' });
  scene.kube.remove(STORAGE_LOCATIONS, { namespace: VELERO, name: 'default' });
  await repositories.forget(goneOf('uid-of-shop-default-kopia'));
  t.strictSame(forgotten.splice(0), ['s3://unused/cluster-a/kopia/shop/'], 'where it was used');
  await repositories.forget(goneOf('never-used'));
  t.strictSame(forgotten, [], 'nobody knows where that was');
  bucketed();
  await repositories.forget(goneOf('never-used', 'bank'));
  t.strictSame(forgotten.splice(0), ['s3://unused/cluster-a/kopia/bank/'], 'by its location');
  await t.rejects(repositories.acquire(NAME, 'read'), { code: 'REPOSITORY_NOT_FOUND' });
  await repositories.forget(goneOf('the-one-before'));
  t.strictSame(forgotten, [], 'another one has its place');
  scene.kube.failure = new EngineError('KUBE_UNAVAILABLE', 'away');
  await repositories.forget(goneOf('never-used', 'bank'));
  t.match(scene.warnings.at(-1), { code: 'KUBE_UNAVAILABLE', message: /gone for a while: away/ });
});

t.test('each repository has its share of the cache', async t => {
  const fake = await startFakeS3(t);
  fake.play(new MemoryS3().handle);
  const { cache } = await scratchCache(t);
  const cacheShare = { floorBytes: MIB, ceilingBytes: 3 * MIB, dataBytesMin: 2 * MIB };
  const scene = await VeleroScene.make(t.testdir({}), { readyTimeoutMs: 0, cache, cacheShare });
  t.teardown(() => scene[Symbol.asyncDispose]());
  const config = { s3Url: fake.endpoint, region: 'minio' };
  const credential = { name: 'cloud', key: 'cloud' };
  scene.putSecret('cloud', { cloud: CLOUD_KEYS });
  scene.putLocation({ provider: 'aws', config, credential });
  const prefix = 'cluster-a/kopia/shop/';
  const bucket = await openFake(t, fake, { bucket: 'unused', prefix });
  const made = await openStorageAt({ scheme: 'file', directory: scene.directory });
  for await (const { id } of made.list('')) await bucket.put(id, [await made.get(id)]);
  await made.close();
  await using lease = await scene.repositories.acquire(NAME, 'write');
  lease.thing.manifests.put({ type: 'test' }, '{}');
  await lease.thing.flush();
  await lease.thing.refresh();
  const bounds = cache.volume?.accounts.all().map(account => account.bounds);
  t.strictSame(bounds, [cacheShare]);
});

t.test('in the end a storage that does not answer is cut off', async t => {
  const scene = await sceneFor(t);
  const fake = await startFakeS3(t);
  const asked = Promise.withResolvers<void>();
  fake.play(() => asked.resolve());
  const config = { s3Url: fake.endpoint, region: 'minio' };
  scene.putSecret('cloud', { cloud: CLOUD_KEYS });
  scene.putLocation({ provider: 'aws', config, credential: { name: 'cloud', key: 'cloud' } });
  const acquiring = t.rejects(scene.repositories.acquire(NAME, 'write'), { code: 'ABORTED' });
  await asked.promise;
  t.ok(scene.repositories.unansweredMs > 0);
  const { isClosed, cut } = await scene.repositories.end(20);
  t.ok(isClosed);
  t.match(cut, [{ operation: 'open', storage: 's3://unused/cluster-a/kopia/shop/' }]);
  await acquiring;
  t.equal(scene.repositories.unansweredMs, 0);
});

t.test('what keeps a repository from being used has a code and says what to do', async t => {
  const scene = await sceneFor(t);
  const refused = async (code: string, message: RegExp) => {
    await t.rejects(scene.repositories.acquire(NAME, 'write'), { code, message });
    t.equal(scene.repositories.count, 0, 'nothing is left open');
  };
  const fspath = scene.root;
  scene.putLocation({ config: { fspath }, accessMode: 'ReadOnly' });
  await refused('STORAGE_LOCATION_READ_ONLY', /accessMode is ReadOnly/);
  const status = { phase: 'Unavailable', message: 'no such bucket' };
  scene.putLocation({ config: { fspath } }, status);
  await refused('STORAGE_LOCATION_UNAVAILABLE', /no such bucket/);
  const lease = await scene.repositories.acquire(NAME, 'read');
  t.equal(scene.repositories.count, 1, 'reading is tried');
  await lease.thing.close();
  await lease[Symbol.asyncDispose]();
  scene.putLocation({ config: { fspath } });
  const secret = 'velero-repo-credentials';
  scene.putSecret(secret, { 'repository-password': 'guess' });
  await refused('REPOSITORY_PASSWORD_WRONG', /password/);
  scene.putSecret(secret, { password: 'x' });
  await refused('SECRET_KEY_MISSING', /"repository-password" is not there \(keys: password\)/);
  scene.putSecret(secret, { 'repository-password': ' \n' });
  await refused('SECRET_KEY_MISSING', /is empty/);
  scene.kube.remove(SECRETS, { namespace: VELERO, name: secret });
  await refused('SECRET_NOT_FOUND', /velero\/velero-repo-credentials: it is not there/);
  scene.putSecret(secret, { 'repository-password': PASSWORD });
  scene.putRepository('shop', { phase: 'NotReady', message: 'the bucket is gone' });
  await refused('REPOSITORY_NOT_READY', /the server says: the bucket is gone/);
  scene.putRepository('shop', { phase: 'New' });
  await refused('REPOSITORY_NOT_READY', /its phase is New after 0 s/);
  scene.putRepository('shop', {}, { name: 'second' });
  await refused('REPOSITORY_UNKNOWN', /shop-default-kopia and second/);
  for (const name of ['second', 'shop-default-kopia']) {
    scene.kube.remove(REPOSITORIES, { namespace: VELERO, name });
  }
  await refused('REPOSITORY_UNKNOWN', /there is no BackupRepository/);
  scene.putRepository('shop', { phase: 'Ready' });
  rmSync(`${scene.directory}/kopia.repository.f`, { force: true });
  rmSync(`${scene.directory}/kopia.repository`, { force: true });
  await refused('REPOSITORY_NOT_FOUND', /repository/);
  rmSync(scene.directory, { recursive: true });
  await refused('STORAGE_NOT_FOUND', /shop/);
  scene.kube.failure = new EngineError('INTERNAL', 'the API server is away');
  await refused('INTERNAL', /away/);
  scene.kube.failure = undefined;
  scene.kube.remove(STORAGE_LOCATIONS, { namespace: VELERO, name: 'default' });
  await refused('STORAGE_LOCATION_NOT_FOUND', /default in namespace velero/);
});

t.test('a bucket is asked with the keys of the Secret that the location names', async t => {
  const scene = await sceneFor(t);
  const fake = await startFakeS3(t);
  const credential = { name: 'cloud-credentials', key: 'cloud' };
  const config = { s3Url: fake.endpoint, region: 'minio' };
  scene.putLocation({ provider: 'aws', config, credential });
  const acquire = () => scene.repositories.acquire(NAME, 'write');
  await t.rejects(acquire(), { code: 'SECRET_NOT_FOUND' });
  const name = credential.name;
  scene.putSecret(name, { cloud: '[default]\nrole_arn = x\n' });
  await t.rejects(acquire(), { code: 'SECRET_KEY_MISSING', message: /profile \[default\]/ });
  t.equal(fake.seen.length, 0);
  scene.putSecret(name, {
    cloud: '[default]\naws_access_key_id = AKSECRET\naws_secret_access_key = s\n',
  });
  await t.rejects(acquire(), { code: 'REPOSITORY_NOT_FOUND' });
  t.match(fake.seen[0]?.url, /^\/unused\/cluster-a\/kopia\/shop\//);
  t.match(fake.seen[0]?.headers.authorization, /Credential=AKSECRET\/\d+\/minio\//);
  fake.play((_request, response) => {
    const error = '<Error><Code>NoSuchBucket</Code><Message>no</Message></Error>';
    response.writeHead(404, { 'content-type': 'application/xml' }).end(error);
  });
  await t.rejects(acquire(), { code: 'STORAGE_NOT_FOUND', message: /unused/ });
  scene.putLocation({
    provider: 'aws',
    config: { ...config, customerKeyEncryptionFile: '/k' },
    credential,
  });
  await t.rejects(acquire(), { code: 'STORAGE_NOT_FOUND' });
  await t.rejects(acquire(), { code: 'STORAGE_NOT_FOUND' });
  t.match(scene.warnings, [{ message: /customerKeyEncryptionFile is not applied/ }]);
  t.equal(scene.warnings.length, 1, 'once, however often it is opened');
});

t.test('the server may take its time, and a user may not want to wait', async t => {
  const kube = new KubeObjects();
  const labels = {
    'velero.io/volume-namespace': 'shop',
    'velero.io/storage-location': 'default',
    'velero.io/repository-type': 'kopia',
  };
  const phases = [undefined, 'New', '', 'Ready'];
  let nowMs = 0;
  const clock = {
    ...systemClock,
    monotonic: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms;
      const phase = phases.shift();
      const metadata = { name: 'r', namespace: VELERO, labels };
      const object = { metadata, status: { phase } };
      if (phase !== undefined) kube.put(REPOSITORIES, object);
    },
  };
  const parts = { kube, clock, namespace: VELERO, timeoutMs: 600_000 };
  await waitUntilReady(parts, NAME);
  t.strictSame([phases, nowMs], [[], 2000]);
  const nothing = { ...parts, kube: new KubeObjects() };
  await t.rejects(waitUntilReady(nothing, NAME), { code: 'REPOSITORY_UNKNOWN' });
  t.equal(nowMs, 32_000);
  const aborted = waitUntilReady({ ...nothing, clock: systemClock }, NAME, AbortSignal.abort());
  await t.rejects(aborted, { code: 'ABORTED' });
});

t.test('a repository that is used alone has all threads, and several share them', async t => {
  const shares = { repositoriesMax: 3, threads: 4, memoryBytes: 1024 * MIB };
  const scene = await VeleroScene.make(t.testdir({}), { readyTimeoutMs: 0, shares });
  t.teardown(() => scene[Symbol.asyncDispose]());
  const names = ['shop', 'blog', 'mail'];
  for (const name of names.slice(1)) await scene.makeRepository(name);
  const acquire = (volumeNamespace: string) =>
    scene.repositories.acquire({ ...NAME, volumeNamespace }, 'write');
  const shop = await acquire('shop');
  const busyMax = ({ thing }: typeof shop) => thing.parts.pool.busyMax;
  t.equal(busyMax(shop), 4);
  const blog = await acquire('blog');
  t.strictSame([shop, blog].map(busyMax), [2, 2]);
  const mail = await acquire('mail');
  t.strictSame([shop, blog, mail].map(busyMax), [1, 1, 1]);
  await blog[Symbol.asyncDispose]();
  await shop[Symbol.asyncDispose]();
  t.equal(busyMax(mail), 4);
  const again = await acquire('shop');
  t.strictSame([again, mail].map(busyMax), [2, 2]);
});

t.test('a repository has no more threads than its memory suffices for', async t => {
  const shares = { repositoriesMax: 2, threads: 8, memoryBytes: 256 * MIB };
  const scene = await VeleroScene.make(t.testdir({}), { readyTimeoutMs: 0, shares });
  t.teardown(() => scene[Symbol.asyncDispose]());
  await using lease = await scene.repositories.acquire(NAME, 'write');
  const { pool } = lease.thing.parts;
  t.equal(pool.size, 3);
  t.equal(pool.busyMax, 3);
});

t.test('all that are open at once stay within what there is', async t => {
  const process = { memoryBytes: 1024 * MIB, threads: 8 };
  t.strictSame(repositoryShares(1, process), {
    repositoriesMax: 1,
    threads: 8,
    memoryBytes: 1024 * MIB,
  });
  t.strictSame(repositoryShares(4, process), {
    repositoriesMax: 4,
    threads: 8,
    memoryBytes: 328 * MIB,
  });
  const small = { memoryBytes: 300 * MIB, threads: 1 };
  t.strictSame(repositoryShares(10, small), {
    repositoriesMax: 2,
    threads: 1,
    memoryBytes: 198 * MIB,
  });
  t.match(repositoryShares(3, { memoryBytes: 0, threads: 2 }), { repositoriesMax: 1 });
  const eight = repositoryShares(4, process);
  const each = [0, 1, 2, 3, 4, 9].map(inUse => threadsOfEach(eight, inUse));
  t.strictSame(each, [8, 8, 4, 2, 2, 1]);
});
