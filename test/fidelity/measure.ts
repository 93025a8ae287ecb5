// A program for fidelity.test.ts, which runs it in a mount namespace of its own: measures all file
// systems and prints the matrix as JSON. Wants an empty directory; names of file systems may
// follow.

import { mkdirSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import type { Matrix, MeasuredFileSystem } from './cell.ts';
import { FILE_SYSTEMS, mountFileSystem, type FileSystem } from './file-system-table.ts';
import { measureTree } from './measure-tree.ts';
import { findPrograms, type Program } from './program-table.ts';

function measure(
  fileSystem: FileSystem,
  directory: string,
  programs: readonly Program[],
): MeasuredFileSystem {
  const { name } = fileSystem;
  const mounted = mountFileSystem(fileSystem, directory);
  if ('reason' in mounted) {
    return { name, reason: mounted.reason, rows: [], unstored: [], skipped: [] };
  }
  const scratch = join(directory, `${name}-scratch`);
  mkdirSync(scratch);
  return { name, ...measureTree({ mounted: mounted.path, scratch, programs }) };
}

const [directory, ...names] = process.argv.slice(2);
if (directory === undefined) throw new Error('measure.ts wants an empty directory');
const programs = findPrograms();
const wanted = FILE_SYSTEMS.filter(({ name }) => names.length === 0 || names.includes(name));
const matrix: Matrix = {
  kernel: release().split('.').slice(0, 2).join('.'),
  programs: programs.map(({ name, version, told }) => ({ name, version, told })),
  fileSystems: wanted.map(fileSystem => measure(fileSystem, directory, programs)),
};
process.stdout.write(JSON.stringify(matrix));
