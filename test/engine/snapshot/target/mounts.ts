// File systems for a test that runs in a mount namespace of its own: images in memory, mounted by a
// loop device that goes away with the mount.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, truncateSync, writeFileSync } from 'node:fs';

/** Everything lies in here; the namespace ends and takes it along. */
const base = makeBase();

function makeBase(): string {
  mkdirSync('/mnt', { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1g,mode=755', 'none', '/mnt']);
  return '/mnt';
}

interface Image {
  readonly type: string;
  /** Below that mkfs refuses. */
  readonly megabytes: number;
  readonly options: readonly string[];
}

export const IMAGES: Readonly<Record<string, Image>> = {
  ext4: { type: 'ext4', megabytes: 32, options: ['-q'] },
  'ext4 with short inodes': { type: 'ext4', megabytes: 16, options: ['-q', '-I', '128'] },
  xfs: { type: 'xfs', megabytes: 300, options: ['-q'] },
  btrfs: { type: 'btrfs', megabytes: 128, options: ['-q'] },
};

/** A path where it is mounted, or why it cannot be. */
export function mountImage(image: Image): { path: string } | { reason: string } {
  const path = mkdtempSync(`${base}/image-`);
  const file = `${path}.img`;
  writeFileSync(file, '');
  truncateSync(file, image.megabytes * 2 ** 20);
  for (const [command, ...args] of [
    [`mkfs.${image.type}`, ...image.options, file],
    ['mount', '-o', 'loop', '-t', image.type, file, path],
  ]) {
    const { status, error, stderr } = spawnSync(command, args);
    if (status !== 0)
      return { reason: error?.message ?? `${command}: ${stderr.toString().trim()}` };
  }
  return { path };
}

/** A path where a file system without an image is mounted. */
export function mountVirtual(type: string, options = 'defaults'): string {
  const path = mkdtempSync(`${base}/${type}-`);
  execFileSync('mount', ['-t', type, '-o', options, 'none', path]);
  return path;
}

export function makeDirectoryThere(): string {
  return mkdtempSync(`${base}/plain-`);
}

export function bindMount(from: string, to: string, ...options: string[]): void {
  execFileSync('mount', ['--bind', from, to]);
  if (options.length > 0) execFileSync('mount', ['-o', ['remount', 'bind', ...options].join(), to]);
}
