// A program for lost-packs.test.ts: backs up to a file system that becomes full or read-only, then
// to the same one when it has recovered, and prints how that went.

import { execFileSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { openFilesystem } from '#engine/storage/filesystem.ts';
import { codeOf, endOf, temporaryFilesIn } from './failing-backups.ts';
import {
  backupTree,
  faultsOf,
  makeSmallRepository,
  openSmall,
  snapshotIds,
} from './small-repository.ts';

const [root = '', kind = ''] = process.argv.slice(2);
const directory = `${root}/repository`;
const scratch = mkdtempSync(`${tmpdir()}/backup-on-mount-`);
const storage = await openFilesystem(directory, { create: true });
const small = await makeSmallRepository(scratch, storage);
writeFileSync(`${small.changed}/large`, randomFillSync(new Uint8Array(9_000_000)));

let code: string;
{
  await using repository = await openSmall(storage, small.format);
  if (kind === 'readonly') execFileSync('mount', ['-o', 'remount,ro', root]);
  code = codeOf(await endOf(backupTree(repository, small.changed)));
}
const temporaryFiles = temporaryFilesIn(directory).length;
await using repository = await openSmall(storage, small.format);
const snapshots = (await snapshotIds(repository)).length;
const faults = await faultsOf(repository);
execFileSync('mount', ['-o', 'remount,rw,size=60m', root]);
const nextCode = codeOf(await endOf(backupTree(repository, small.changed)));
faults.push(...(await faultsOf(repository)));
const snapshotsAfter = (await snapshotIds(repository)).length;
rmSync(scratch, { recursive: true });
console.log(JSON.stringify({ code, temporaryFiles, snapshots, faults, nextCode, snapshotsAfter }));
