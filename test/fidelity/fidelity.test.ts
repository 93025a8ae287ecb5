// `npm run test:fidelity`: what comes back, attribute by attribute and file system by file system,
// beside kopia and restic where they are. Nothing of ours may be lost without a word. Writes
// docs/fidelity.md with `--write`, and else says when that is old.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Matrix, MeasuredFileSystem } from './cell.ts';
import { FILE_SYSTEMS } from './file-system-table.ts';
import { matrixDocument, versionsLine } from './matrix-document.ts';

const MEASURE = fileURLToPath(new URL('./measure.ts', import.meta.url));
const DOCUMENT = fileURLToPath(new URL('../../docs/fidelity.md', import.meta.url));
const OURS = 'stevedore';
const PROGRAM_COUNT = 3;
const MEASURE_MS_MAX = 10 * 60 * 1000;
const MEMORY = '/dev/shm';
/** Four images of 512 MiB, most of which is never written to. */
const MEMORY_BYTES_MIN = 3 * 2 ** 30;
/** Whatever happens to the process in it: its mounts, and all that it started, end with it. */
const NAMESPACE = [
  '--mount',
  '--propagation',
  'private',
  '--pid',
  '--fork',
  '--kill-child',
  '--mount-proc',
];

t.setTimeout(MEASURE_MS_MAX);

/** The matrix, or why there is none. */
function measured(): { matrix: Matrix } | { reason: string } {
  if (process.getuid?.() !== 0) return { reason: 'only root can mount file systems' };
  const probe = spawnSync('unshare', [...NAMESPACE, 'true'], { encoding: 'utf8' });
  if (probe.status !== 0) return { reason: `unshare: ${probe.error?.message ?? probe.stderr}` };
  const directory = mkdtempSync(join(placeForImages(), 'stevedore-fidelity-'));
  try {
    const words = [...NAMESPACE, process.execPath, MEASURE, directory];
    const { status, stdout, stderr } = spawnSync('unshare', words, {
      encoding: 'utf8',
      timeout: MEASURE_MS_MAX,
      maxBuffer: 64 << 20,
    });
    if (status !== 0) throw new Error(`measuring ended with ${status}: ${stderr}`);
    // Printed by measure.ts.
    return { matrix: JSON.parse(stdout) as Matrix };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function placeForImages(): string {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= MEMORY_BYTES_MIN ? MEMORY : tmpdir();
  } catch {
    return tmpdir();
  }
}

/** A line for each cell of ours that has `cell`. */
function oursThatAre(cell: string, rows: MeasuredFileSystem['rows']): string[] {
  return rows
    .filter(row => row.cells[OURS]?.cell === cell)
    .map(({ group, title, cells }) => `${group}: ${title}: ${cells[OURS]?.detail ?? ''}`);
}

function lackOf({ fileSystems, programs }: Matrix): string | undefined {
  const skipped = fileSystems.flatMap(each => each.skipped);
  const missing = fileSystems.filter(({ reason }) => reason !== undefined).map(({ name }) => name);
  if (missing.length > 0) return `there is no ${missing.join(', no ')} here`;
  if (programs.length < PROGRAM_COUNT) return 'kopia and restic are not both here';
  return skipped.length > 0 ? skipped.join('; ') : undefined;
}

const result = measured();
const matrix = 'matrix' in result ? result.matrix : undefined;
const reason = 'reason' in result ? result.reason : undefined;

for (const { name } of FILE_SYSTEMS) {
  const own = matrix?.fileSystems.find(each => each.name === name);
  const skip = reason ?? own?.reason ?? false;
  t.test(`nothing is lost without a word on ${name}`, { skip }, async t => {
    if (own === undefined) throw new Error(`${name} was not measured`);
    for (const line of own.skipped) t.comment(`skipped: ${line}`);
    t.ok(own.rows.length > 80, `${own.rows.length} rows`);
    for (const line of oursThatAre('lost', own.rows)) t.fail(line);
    const kept = oursThatAre('kept', own.rows).length;
    for (const line of oursThatAre('named', own.rows)) t.comment(`named: ${line}`);
    t.ok(kept > own.rows.length / 4, `${kept} kept`);
    t.strictSame(oursThatAre('kept', own.unstored), [], 'what is said not to be stored is not');
  });
}

const lack = matrix === undefined ? reason : lackOf(matrix);

t.test('docs/fidelity.md says what was measured', { skip: lack ?? false }, async t => {
  if (matrix === undefined) throw new Error('nothing was measured');
  const text = matrixDocument(matrix);
  if (process.argv.includes('--write')) writeFileSync(DOCUMENT, text);
  const committed = readFileSync(DOCUMENT, 'utf8');
  // Others may keep other things; then only what is said of ours above counts.
  const versions = versionsLine(matrix);
  if (committed.includes(versions)) {
    t.equal(committed, text, 'run npm run test:fidelity -- --write');
  } else {
    t.pass('it is of this machine', { skip: `it is of others than here: ${versions}` });
  }
});
