// Files that a size rule leaves out need not be readable.

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';
import type { UnprivilegedCase } from '#test/faults/unprivileged-backup.ts';

const PROGRAM = fileURLToPath(import.meta.resolve('#test/faults/unprivileged-backup.ts'));
/** More than a directory may have that is not stored in pages. */
const PAGED_FILES = 4_200;

function runCases(path: string, cases: readonly UnprivilegedCase[]): object[] {
  const words = [PROGRAM, path, JSON.stringify(cases)];
  const child = spawnSync(process.execPath, words, { encoding: 'utf8' });
  t.equal(child.stderr, '');
  return JSON.parse(child.stdout) as object[];
}

t.test('a file that is too large and may not be read is left out and no failure', async t => {
  const place = fastDirectory(t);
  const path = `${place}/source`;
  mkdirSync(`${path}/pages`, { recursive: true });
  for (let index = 0; index < PAGED_FILES; index++) writeFileSync(`${path}/pages/f${index}`, '');
  for (const name of ['big', 'pages/big', 'pages/f7']) {
    writeFileSync(`${path}/${name}`, 'x'.repeat(5000));
    chmodSync(`${path}/${name}`, 0);
  }
  chmodSync(place, 0o755);
  const limited = { fileBytesMax: 1000 };
  const [without, warn, fail] = runCases(path, [
    {},
    { request: limited },
    { request: { ...limited, onError: 'fail' } },
  ]);
  t.match(without, { failedCount: 3, files: PAGED_FILES - 1 }, 'nobody reads them, indeed');
  const expected = { failedCount: 0, skipped: [], files: PAGED_FILES - 1 };
  t.match(warn, expected);
  t.match(fail, expected);
});
