// The S3 storage on two real servers. Each that is not on this machine is skipped with the reason.
import t from 'tap';
import { retrying } from '#engine/storage/retrying.ts';
import { openS3 } from '#engine/storage/s3.ts';
import { S3_CHECKSUMS } from '#engine/storage/s3-checksum.ts';
import { findServer, startServer, type ServerKind } from '#test/servers/start.ts';
import { storageCompliance } from '#test/engine/storage/compliance.ts';
import { bytes, ids, read } from '#test/engine/storage/storage-asserts.ts';

const kinds: ServerKind[] = ['versitygw', 'rclone'];
const BROKEN_BY_RCLONE = Object.freeze({
  'readers beside a writer see one version or another, never a mixture':
    'rclone serve s3 1.75 now and then gave the length of one version with bytes of another',
});

for (const kind of kinds) {
  const { program, reason } = findServer(kind);
  if (program === undefined) {
    t.comment(`skipped: ${reason}`);
    t.test(`S3 on ${kind}`, { skip: reason }, () => undefined);
    continue;
  }
  t.test(`S3 on ${kind}`, async t => {
    const server = await startServer(kind);
    t.teardown(() => server.stop());
    let opened = 0;
    const common = {
      bucket: 'bucket',
      endpoint: server.url,
      credentials: server.credentials,
      pageKeys: 100,
    };
    const open = async () => {
      // versitygw decides conditional puts itself; for rclone, which ignores them, we look first.
      const conditionalPut = kind === 'rclone' ? 'auto' : 'always';
      const storage = await openS3({ ...common, prefix: `at/${opened++}/`, conditionalPut });
      // rclone hangs up on who reads an object while it is replaced.
      return kind === 'rclone' ? retrying(storage) : storage;
    };
    storageCompliance(t, kind, open, kind === 'rclone' ? BROKEN_BY_RCLONE : {});

    t.test('blobs below the prefix and other keys stay apart', async t => {
      const outer = await openS3({ ...common, prefix: '' });
      const inner = await openS3({ ...common, prefix: 'inner/' });
      await inner.put('blob', [bytes('inner')]);
      await outer.put('blob', [bytes('outer')]);
      t.same(await ids(inner, ''), ['blob']);
      t.notOk((await ids(outer, '')).some(id => id.includes('/')));
      t.equal(await read(inner, 'blob'), 'inner');
      t.equal(await read(outer, 'blob'), 'outer');
      await inner.close();
      await outer.close();
    });

    t.test('a conditional put looks first where the server is not known', async t => {
      const storage = await openS3({ ...common, prefix: 'look/' });
      t.notOk(storage.canPutIfAbsent);
      await storage.put('lock', [bytes('mine')], { ifAbsent: true });
      const again = storage.put('lock', [bytes('yours')], { ifAbsent: true });
      await t.rejects(again, { code: 'STORAGE_BLOB_EXISTS' });
      t.equal(await read(storage, 'lock'), 'mine');
      await storage.close();
    });

    t.test('.storageconfig is read and never listed', async t => {
      const prefix = 'classes/';
      const before = await openS3({ ...common, prefix });
      const rules = { blobOptions: [{ prefix: 'p', storageClass: 'STANDARD' }] };
      await before.put('.storageconfig', [bytes(JSON.stringify(rules))]);
      await before.close();
      const after = await openS3({ ...common, prefix });
      await after.put('pack', [bytes('x')]);
      t.same(await ids(after, ''), ['pack']);
      await after.close();
    });

    t.test('every checksum works, where it is confirmed and where it is not', async t => {
      for (const checksum of S3_CHECKSUMS) {
        const storage = await openS3({ ...common, prefix: `sums/${checksum}/`, checksum });
        await storage.put('first', [bytes('one'), bytes('two')]);
        await storage.put('second', [bytes('three')]);
        t.equal(await read(storage, 'first'), 'onetwo', checksum);
        t.equal(await read(storage, 'second'), 'three', checksum);
        await storage.close();
      }
    });

    t.test('a bucket that is not there is no empty storage', async t => {
      const absent = { ...common, bucket: 'absent', prefix: '' };
      await t.rejects(openS3(absent), { code: 'STORAGE_NOT_FOUND' });
    });

    t.test('a wrong key is refused', async t => {
      const credentials = { ...server.credentials, secretAccessKey: 'another' };
      const denied = openS3({ ...common, prefix: '', credentials });
      await t.rejects(denied, { code: 'STORAGE_ACCESS_DENIED' });
    });
  });
}
