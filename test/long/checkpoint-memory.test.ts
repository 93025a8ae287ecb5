// Checkpoints in the middle of a directory of a million entries take no memory that the backup
// would not need anyway, when it writes the directory itself.

import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';

const ENTRIES = 1_000_000;
const PROGRAM = fileURLToPath(new URL('checkpoint-memory.ts', import.meta.url));
/** Of two runs without checkpoints one needs up to a tenth more; a copy would be a third. */
const MORE_MAX = 1.2;
/** Were none of them to take any time. */
const CHECKPOINTS = 8;

interface Measured {
  readonly files: number;
  readonly checkpoints: number;
  readonly elapsedMs: number;
  readonly residentKiB: number;
}

t.test(`checkpoints of a directory of ${ENTRIES} entries need no more memory`, async t => {
  const place = fastDirectory(t);
  mkdirSync(`${place}/source`);
  for (let index = 0; index < ENTRIES; index++) {
    const file = openSync(`${place}/source/file-${index}`, 'w');
    // Something has to be read, or there is nothing to save; a page for each would be 4 GB.
    if (index % 50 === 0) writeSync(file, String(index));
    closeSync(file);
  }
  const run = (everyMs: number): Measured => {
    const repository = `${place}/repository`;
    const words = [PROGRAM, repository, `${place}/source`, String(everyMs)];
    const child = spawnSync(process.execPath, words, { encoding: 'utf8' });
    t.equal(child.stderr, '', 'nothing is said of anything');
    rmSync(repository, { recursive: true });
    return JSON.parse(child.stdout) as Measured;
  };
  const without = run(0);
  const withThem = run(Math.round(without.elapsedMs / CHECKPOINTS));
  t.comment(JSON.stringify({ without, with: withThem }));
  t.equal(withThem.files, ENTRIES, 'all files are in it');
  t.ok(withThem.checkpoints > 3, 'checkpoints were made');
  const ratio = withThem.residentKiB / without.residentKiB;
  t.ok(ratio < MORE_MAX, `${ratio.toFixed(2)} times the memory`);
});
