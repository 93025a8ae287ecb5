// Packs that a worker thread cannot write, and tickets that it does not use.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { createCipher } from '#engine/cipher/ciphers.ts';
import { PackDesk } from '#engine/content/pack-desk.ts';
import { SessionMarkers } from '#engine/content/session-markers.ts';
import { Tidying } from '#engine/content/tidying.ts';
import { systemClock } from '#engine/base/clock.ts';
import { createHash } from '#engine/hash/hashes.ts';
import { openFilesystem } from '#engine/storage/filesystem.ts';
import { wrap } from '#engine/storage/wrap.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { codeOf, endOf, temporaryFilesIn } from './failing-backups.ts';
import {
  backupTree,
  copyOf,
  faultsOf,
  makeSmallRepository,
  openSmall,
  OWNER,
  snapshotIds,
} from './small-repository.ts';

const small = await makeSmallRepository(t.testdir());

for (const { path, code } of [
  { path: '/dev/full', code: 'STORAGE_FULL' },
  { path: '/nowhere/pack', code: 'STORAGE_FAILED' },
]) {
  t.test(`a pack that cannot be written to ${path} ends all writing with ${code}`, async t => {
    const storage = await copyOf(small.storage);
    const staging = wrap(storage, {
      stage: async () => ({ path, commit: async () => {}, discard: async () => {} }),
    });
    {
      await using repository = await openSmall(staging, small.format);
      const ended = await endOf(backupTree(repository, small.changed));
      t.equal(codeOf(ended), code);
      const again = await endOf(backupTree(repository, small.changed));
      t.equal(codeOf(again), code, 'what was claimed is not taken for stored');
      t.match(again, { message: /an earlier write failed.*open the repository again/ });
      t.equal(codeOf(await endOf(repository.flush())), code, 'a flush does not wait for ever');
      t.strictSame(await snapshotIds(repository), [small.snapshotId]);
    }
    await using repository = await openSmall(storage, small.format);
    t.strictSame(await snapshotIds(repository), [small.snapshotId]);
    await backupTree(repository, small.changed);
    t.strictSame(await faultsOf(repository), []);
  });
}

t.test('a ticket that was not used is not waited for', async t => {
  const directory = fastDirectory(t);
  const files = await openFilesystem(directory, { create: true });
  const hash = createHash('BLAKE2B-256-128', new Uint8Array(32));
  const cipher = createCipher('AES256-GCM-HMAC-SHA256', new Uint8Array(32));
  for (const storage of [files, await copyOf(small.storage)]) {
    const tidying = new Tidying(storage, error => t.fail(String(error)));
    const writer = { owner: OWNER, tidying };
    const markers = new SessionMarkers(storage, { hash, cipher }, systemClock, writer);
    const desk = new PackDesk(storage, markers, {
      packCountMax: 1,
      packBufferBytes: 1000,
      nowMs: () => 0,
      onFailure: error => t.fail(String(error)),
    });
    for (let round = 0; round < 3; round++) {
      const { packId, kind, buffer } = await desk.grant('p');
      desk.accept({ packId, kind, bytes: 0, rows: undefined, buffer });
    }
    const session = await desk.closeSession(async () => {});
    t.match(session, { rows: [] });
  }
  t.strictSame(temporaryFilesIn(directory), []);
});

t.test('backups of the same repository at the same time are all whole', async t => {
  const storage = await copyOf(small.storage);
  await using repository = await openSmall(storage, small.format, { threads: 2 });
  const sources = [small.changed, small.source, small.changed];
  const outcomes = await Promise.all(sources.map(path => backupTree(repository, path)));
  t.equal(outcomes[0]?.rootObjectId, outcomes[2]?.rootObjectId);
  await using after = await openSmall(storage, small.format);
  t.equal((await snapshotIds(after)).length, 4);
  t.strictSame(await faultsOf(after), []);
});

const PROGRAM = fileURLToPath(new URL('backup-on-mount.ts', import.meta.url));

for (const [kind, code] of [
  ['full', 'STORAGE_FULL'],
  ['readonly', 'STORAGE_READ_ONLY'],
] as const) {
  const skip = namespaceReason();
  t.test(`a ${kind} file system fails a backup with ${code}`, { skip }, async t => {
    const root = t.testdir();
    const script = 'mount -t tmpfs -o size=6m none "$1" && shift && exec "$@"';
    const words = ['-m', 'sh', '-c', script, 'sh', root, process.execPath, PROGRAM, root, kind];
    const output = execFileSync('unshare', words, { encoding: 'utf8' });
    t.strictSame(JSON.parse(output), {
      code,
      temporaryFiles: 0,
      snapshots: 1,
      faults: [],
      nextCode: 'none',
      snapshotsAfter: 2,
    });
  });
}

function namespaceReason(): string | undefined {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' });
    return undefined;
  } catch {
    const reason = 'no mount namespace: needs root and unshare';
    t.comment(`skipped: ${reason}`);
    return reason;
  }
}
