// Bodies that are changed or torn on their way to a real server: it refuses them, with whatever
// checksum it was sent, also behind a load balancer that ends TLS, where no signature covers them.
import t, { type Test } from 'tap';
import { retrying } from '#engine/storage/retrying.ts';
import { openS3, type S3Storage } from '#engine/storage/s3.ts';
import type { S3Checksum } from '#engine/storage/s3-checksum.ts';
import { type DamagingProxy, startDamagingProxy } from '#test/servers/damaging-proxy.ts';
import { findServer, startServer, type ServerKind } from '#test/servers/start.ts';
import { bytes, read } from '#test/engine/storage/storage-asserts.ts';
import { makeAuthority, makePair } from '#test/support/certificates.ts';

const TEXT = 'the text that is changed on its way ';
const BODY = bytes(TEXT.repeat(20_000));
const TEARS = 10;
const CHECKSUMS: readonly S3Checksum[] = ['crc32', 'crc32c', 'sha256', 'md5'];

for (const kind of ['versitygw', 'rclone'] as const) {
  const { program, reason } = findServer(kind);
  const skip = program === undefined ? reason : undefined;
  if (skip) t.comment(`skipped: ${skip}`);
  for (const scheme of ['http', 'https'] as const) {
    t.test(`what is garbled on its way to ${kind} by ${scheme} is not stored`, { skip }, t =>
      refusesDamage(t, kind, scheme),
    );
  }
}

async function refusesDamage(t: Test, kind: ServerKind, scheme: 'http' | 'https'): Promise<void> {
  const { certificate: cert, key } = makePair(makeAuthority());
  const certificate = scheme === 'https' ? { cert, key } : undefined;
  const server = await startServer(kind);
  t.teardown(() => server.stop());
  const proxy = await startDamagingProxy(server.url, TEXT, certificate);
  t.teardown(() => proxy.stop());
  for (const checksum of CHECKSUMS) {
    for (const isKnown of [false, true]) {
      const storage = await openS3({
        bucket: 'bucket',
        prefix: `${checksum}/${isKnown}/`,
        endpoint: proxy.url,
        credentials: server.credentials,
        insecureSkipTlsVerify: true,
        checksum,
      });
      t.teardown(() => storage.close());
      // From then on it is known whether the server confirms what it compares.
      if (isKnown) await storage.put('first', [bytes('before')]);
      await keepsAway(t, storage, proxy, `${checksum}${isKnown ? ', confirmed or not' : ''}`);
      if (!isKnown) continue;
      const isAlone = kind === 'versitygw' && checksum !== 'md5';
      t.equal(!/content-md5/i.test(proxy.lastPut), isAlone, `${checksum} alone where confirmed`);
      t.equal(/UNSIGNED-PAYLOAD/.test(proxy.lastPut), scheme === 'https');
    }
  }
}

async function keepsAway(t: Test, storage: S3Storage, proxy: DamagingProxy, name: string) {
  proxy.damage('flip', 1);
  const flipped = storage.put('flipped', [BODY]);
  await t.rejects(flipped, { code: 'STORAGE_FAILED', retryable: true }, name);
  // On a kept connection it is sent once more, on a new one.
  proxy.damage('tear', TEARS);
  await t.rejects(storage.put('torn', [BODY]), { code: 'STORAGE_UNAVAILABLE' }, name);
  t.ok(proxy.left < TEARS);
  for (const id of ['flipped', 'torn']) {
    await t.rejects(storage.head(id), { code: 'STORAGE_BLOB_NOT_FOUND' }, `${name}: ${id}`);
  }
  proxy.damage('flip', 2);
  await retrying(storage).put('again', [BODY]);
  t.equal(proxy.left, 0);
  t.equal(await read(storage, 'again'), Buffer.from(BODY).toString(), `${name}: tried again`);
}
