// File systems of their own in a file, for tests of what only some of them know. Needs root, loop
// devices and the programs that make them; `reason` says what is missing.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import type { Test } from 'tap';
import { fastDirectory } from '#test/engine/storage/fast-directory.ts';

export interface LoopOptions {
  /** `mkfs.ext4 -q`, without the name of the image. */
  readonly make: readonly string[];
  readonly mib?: number;
  /** Further options of the mount, such as `usrquota`. */
  readonly mount?: readonly string[];
}

export class LoopFileSystem {
  readonly path: string;
  readonly image: string;
  readonly #options: string;

  constructor(path: string, image: string, options: readonly string[] = []) {
    this.path = path;
    this.image = image;
    this.#options = ['loop', ...options].join(',');
  }

  mount(): string | undefined {
    const { status, stderr } = run(['mount', '-o', this.#options, this.image, this.path]);
    return status === 0 ? undefined : stderr;
  }

  unmount(): void {
    execFileSync('umount', [this.path]);
  }

  /**
   * Makes the image, its device and the file system in it larger while it is mounted.
   * @returns why it cannot be: of ext4 only who has CAP_SYS_RESOURCE may, of xfs also others
   */
  grow(mib: number): string | undefined {
    const found = spawnSync('findmnt', ['-no', 'SOURCE,FSTYPE', this.path], { encoding: 'utf8' });
    const [device = '', type] = found.stdout.trim().split(/\s+/);
    truncateSync(this.image, mib * 1024 * 1024);
    const larger = type === 'xfs' ? ['xfs_growfs', this.path] : ['resize2fs', device];
    for (const words of [['losetup', '--set-capacity', device], larger]) {
      const { status, stderr } = run(words);
      if (status !== 0) return `${words[0]}: ${stderr}`;
    }
    return undefined;
  }

  /** From now on its disk fails (EXT4_IOC_SHUTDOWN), and memory has nothing of it. */
  shutDown(): void {
    const program = [
      'import fcntl,os,sys,struct',
      'fcntl.ioctl(os.open(sys.argv[1],0),0x8004587d,struct.pack("I",2))',
    ].join('\n');
    execFileSync('python3', ['-c', program, this.path]);
    writeFileSync('/proc/sys/vm/drop_caches', '3');
  }
}

/** Mounted until the test ends, or the reason why it cannot be. */
export function loopFileSystem(
  t: Test,
  { make, mib = 32, mount }: LoopOptions,
): { mounted: LoopFileSystem } | { reason: string } {
  if (process.getuid?.() !== 0) return { reason: 'only root can mount' };
  const directory = fastDirectory(t);
  const image = `${directory}/image`;
  writeFileSync(image, '');
  truncateSync(image, mib * 1024 * 1024);
  const made = run([...make, image]);
  if (made.status !== 0) return { reason: `${make[0]}: ${made.stderr}` };
  const mounted = new LoopFileSystem(`${directory}/mount`, image, mount);
  mkdirSync(mounted.path);
  const problem = mounted.mount();
  if (problem !== undefined) return { reason: problem };
  t.teardown(() => spawnSync('umount', [mounted.path]));
  return { mounted };
}

function run([program, ...words]: readonly string[]): { status: number | null; stderr: string } {
  const { status, stderr, error } = spawnSync(program, words, { encoding: 'utf8' });
  return { status, stderr: error ? error.message : stderr };
}
