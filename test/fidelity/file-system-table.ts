// The file systems of the matrix, each fresh in a file behind a loop device. To be used in a mount
// namespace of one's own (`unshare --mount`): it ends with the process, and with it every mount,
// and with the mounts the loop devices, whatever happens to the process.

import { spawnSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';

export interface FileSystem {
  readonly name: string;
  /** Words for each way to make it, the best first; empty where nothing is to be made. */
  readonly make: readonly (readonly string[])[];
  readonly mount: readonly string[];
}

const LOOP = ['-o', 'loop'];

export const FILE_SYSTEMS: readonly FileSystem[] = Object.freeze([
  { name: 'tmpfs', make: [[]], mount: ['-t', 'tmpfs', '-o', 'size=512m', 'tmpfs'] },
  {
    name: 'ext4',
    // Project ids need a kernel that has quotas; without one such a file system is not mounted.
    make: [
      ['mkfs.ext4', '-q', '-O', 'project', '-I', '256'],
      ['mkfs.ext4', '-q'],
    ],
    mount: LOOP,
  },
  { name: 'xfs', make: [['mkfs.xfs', '-q']], mount: LOOP },
  { name: 'btrfs', make: [['mkfs.btrfs', '-q']], mount: LOOP },
]);

const IMAGE_BYTES = 512 * 2 ** 20;

/** Where it is mounted, or why it is not. */
export function mountFileSystem(
  { name, make, mount }: FileSystem,
  directory: string,
): { readonly path: string } | { readonly reason: string } {
  const path = `${directory}/${name}`;
  const image = `${path}.image`;
  mkdirSync(path);
  let reason = '';
  for (const words of make) {
    if (words.length > 0) {
      writeFileSync(image, '');
      truncateSync(image, 0);
      truncateSync(image, IMAGE_BYTES);
    }
    const what = words.length > 0 ? [...mount, image, path] : [...mount, path];
    reason = problemOf(words.length > 0 ? [...words, image] : ['true']) ?? '';
    if (reason === '') reason = problemOf(['mount', ...what]) ?? '';
    if (reason === '') return { path };
  }
  return { reason };
}

function problemOf(words: readonly string[]): string | undefined {
  const [program = '', ...rest] = words;
  const { status, stderr, error } = spawnSync(program, rest, { encoding: 'utf8' });
  if (status === 0) return undefined;
  return `${program}: ${(error?.message ?? stderr).trim().split('\n')[0] ?? ''}`;
}
