// Signals to the real command in the middle of a large backup: it stops soon, says so, leaves no
// file behind, and the same command works afterwards.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomFillSync } from 'node:crypto';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { openFilesystem } from '#engine/storage/filesystem.ts';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import { temporaryFilesIn } from './failing-backups.ts';
import {
  faultsOf,
  makeSmallRepository,
  openSmall,
  PASSWORD,
  snapshotIds,
} from './small-repository.ts';

const COMMAND = fileURLToPath(new URL('../../agent/stevedore.js', import.meta.url));
/** Takes half a minute to read, unless it is stopped; has no blocks. */
const LARGE_BYTES = 64 * 2 ** 30;

for (const { signal, isFile } of [
  { signal: 'SIGINT', isFile: false },
  { signal: 'SIGTERM', isFile: true },
] as const) {
  t.test(`${signal} in a backup of a large ${isFile ? 'file' : 'tree'} stops it`, async t => {
    const place = fastDirectory(t);
    const directory = `${place}/repository`;
    const storage = await openFilesystem(directory, { create: true });
    const small = await makeSmallRepository(t.testdir(), storage);
    const source = `${place}/source`;
    mkdirSync(source);
    // Something that is written to a pack, before a lot that is not new.
    writeFileSync(`${source}/large`, randomFillSync(new Uint8Array(9_000_000)));
    truncateSync(`${source}/large`, LARGE_BYTES);
    const path = isFile ? `${source}/large` : source;
    const child = spawn(process.execPath, [COMMAND, 'backup', path, '--threads', '2'], {
      env: { ...process.env, STEVEDORE_REPO: directory, STEVEDORE_PASSWORD: PASSWORD },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    while (temporaryFilesIn(directory).length === 0 && child.exitCode === null) await nextTurn();
    const startMs = performance.now();
    child.kill(signal);
    const [status] = (await once(child, 'close')) as [number];
    t.equal(status, 1);
    t.match(said, `stopped by ${signal}; run the same command to go on`);
    t.match(said, 'ABORTED');
    t.ok(performance.now() - startMs < 10_000, 'soon');
    t.strictSame(temporaryFilesIn(directory), [], 'no file is left');
    await using repository = await openSmall(await openFilesystem(directory), small.format);
    t.strictSame(await snapshotIds(repository), [small.snapshotId], 'nothing was published');
    t.strictSame(await faultsOf(repository), []);
  });
}
