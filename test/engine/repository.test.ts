import { readdirSync } from 'node:fs';
import t from 'tap';
import { toHex } from '#engine/base/bytes.ts';
import { systemClock } from '#engine/base/clock.ts';
import { VELERO_MARKER_BLOB_ID } from '#engine/format/velero-marker.ts';
import {
  backup,
  checkRepository,
  forgetSnapshots,
  listSnapshots,
  resolveSnapshot,
} from '#engine/operations.ts';
import { createRepository, openRepository } from '#engine/repository.ts';
import { MemoryStorage } from '#engine/storage/memory.ts';

const owner = { user: 'user', host: 'host' };
const source = { user: 'user', host: 'host', path: '/data' };
const password = 'secret';

/** Deriving a key takes a while, so one repository is made and copied. */
const created = (async () => {
  const storage = new MemoryStorage();
  await createRepository({ storage, password, owner, forVelero: true });
  return storage;
})();

async function newRepository(): Promise<MemoryStorage> {
  const original = await created;
  const storage = new MemoryStorage();
  for await (const { id } of original.list('')) await storage.put(id, [await original.get(id)]);
  return storage;
}

t.test('a repository that was made can be opened, and tells about itself without keys', async t => {
  const storage = await newRepository();
  await using repository = await openRepository({ storage, password, threads: 1 });
  const info = await repository.info();
  t.match(info, {
    location: 'memory',
    hash: 'BLAKE2B-256-128',
    encryption: 'AES256-GCM-HMAC-SHA256',
    errorCorrection: 'none',
    hasEpochs: true,
    maintenanceOwner: 'user@host',
    readOnlyReason: '',
  });
  const printed = JSON.stringify(info);
  const { masterKey, secret } = repository.config;
  for (const key of [masterKey, secret]) t.notOk(printed.includes(toHex(key)));
  t.equal((await storage.head(VELERO_MARKER_BLOB_ID)).id, VELERO_MARKER_BLOB_ID);
});

t.test('a place that has a repository keeps it', async t => {
  const storage = await newRepository();
  const again = createRepository({ storage, password: 'other', owner });
  await t.rejects(again, { code: 'REPOSITORY_EXISTS' });
  await t.rejects(createRepository({ storage: new MemoryStorage(), password: '', owner }), {
    code: 'USAGE',
  });
  const request = { storage: new MemoryStorage(), password, owner };
  await t.rejects(createRepository({ ...request, hash: 'CRC' }), { code: 'ALGORITHM_UNKNOWN' });
  await using repository = await openRepository({ storage, password, threads: 1 });
  t.ok(repository.config);
});

t.test('a clock that is off leaves nothing of a repository that was to be made', async t => {
  const storage = new MemoryStorage();
  const clock = { ...systemClock, now: () => Date.now() + 6 * 60_000 };
  const request = { storage, password, owner };
  await t.rejects(createRepository({ ...request, clock }), { code: 'CLOCK_SKEW' });
  t.same(await Array.fromAsync(storage.list('')), []);
  await createRepository(request);
  await using repository = await openRepository({ storage, password, threads: 1 });
  t.match(await repository.info(), { maintenanceOwner: 'user@host' });
  t.same(await Array.fromAsync(storage.list('_')), []);
});

t.test('what cannot be opened is named', async t => {
  const storage = await newRepository();
  const nothing = openRepository({ storage: new MemoryStorage(), password });
  await t.rejects(nothing, { code: 'REPOSITORY_NOT_FOUND' });
  const wrong = openRepository({ storage, password: 'guess' });
  await t.rejects(wrong, { code: 'REPOSITORY_PASSWORD_WRONG' });
});

t.test('what is opened for reading cannot be written to', async t => {
  const storage = await newRepository();
  await using repository = await openRepository({ storage, password, isReadOnly: true });
  const refused = { code: 'REPOSITORY_WRITE_UNSUPPORTED' };
  await t.rejects(repository.flush(), refused);
  await t.rejects(backup(repository, { path: t.testdir({}), source }), refused);
  await t.rejects(forgetSnapshots(repository, []), refused);
  t.match(await checkRepository(repository, { readData: true }), { problems: [] });
});

t.test('close gives back threads, files and the storage that a URL opened', async t => {
  const directory = t.testdir({ source: { file: 'text' } });
  const url = `file://${directory}/repository`;
  await createRepository({ url, password, owner });
  const before = readdirSync('/proc/self/fd').length;
  const repository = await openRepository({ url, password, threads: 2 });
  await backup(repository, { path: `${directory}/source`, source });
  await repository.manifests.find({ type: 'snapshot' });
  await repository.close();
  await repository.close();
  t.equal(readdirSync('/proc/self/fd').length, before);
});

t.test('snapshots are listed, named, forgotten and checked', async t => {
  const storage = await newRepository();
  await using repository = await openRepository({ storage, password, threads: 1 });
  const path = t.testdir({ a: 'one', b: { c: 'two' } });
  const first = await backup(repository, { path, source, tags: { kind: 'first' } });
  const second = await backup(repository, { path, source });
  t.match(await listSnapshots(repository), [
    { id: first.snapshotId, files: 2, tags: { kind: 'first' } },
    { id: second.snapshotId },
  ]);
  t.match(await resolveSnapshot(repository, 'latest'), { id: second.snapshotId });
  t.match(await resolveSnapshot(repository, first.snapshotId.slice(0, 12)), {
    id: first.snapshotId,
  });
  t.strictSame(await forgetSnapshots(repository, [first.snapshotId]), [first.snapshotId]);
  await using other = await openRepository({ storage, password, threads: 1 });
  t.match(await listSnapshots(other), [{ id: second.snapshotId }]);
  const outcome = await checkRepository(other, { readData: true });
  t.match(outcome, { problems: [], problemCount: 0, contentsRead: outcome.contents });
  await using reader = await openRepository({ storage, password, isReadOnly: true });
  await backup(repository, { path, source });
  t.equal((await listSnapshots(reader)).length, 1);
  await reader.refresh();
  t.equal((await listSnapshots(reader)).length, 2);
});
