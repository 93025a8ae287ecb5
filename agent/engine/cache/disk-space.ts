// How full a disk is. The only file that imports check-disk-space, which asks the system's own
// tools where statfs is not to be had, and is asked once at the start beside it: the smaller answer
// counts.

import { statfsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';

export interface DiskSpace {
  readonly totalBytes: number;
  /** What an ordinary user could still write. */
  readonly freeBytes: number;
  /** 0 where the file system has no fixed number of them. */
  readonly totalInodes: number;
  readonly freeInodes: number;
}

export type ReadDisk = (directory: string) => Promise<DiskSpace>;

/** Of these nobody else has to answer, who might not. */
const LOCAL = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'f2fs', 'tmpfs', 'overlay']);

/**
 * What statfs(2) says; the system's tools where that fails. Of a local file system on this thread:
 * those of libuv may all be held up by the disk that somebody is filling, and then the answer came
 * 145 ms too late.
 * @param fileSystem its type; one that is not known may hang and is asked elsewhere
 */
export async function readDisk(directory: string, fileSystem = ''): Promise<DiskSpace> {
  try {
    const isLocal = LOCAL.has(fileSystem);
    const found = isLocal ? statfsSync(directory) : await statfs(directory);
    const { blocks, bavail, bsize, files, ffree } = found;
    return {
      totalBytes: blocks * bsize,
      freeBytes: bavail * bsize,
      totalInodes: files,
      freeInodes: ffree,
    };
  } catch (error) {
    const asked = await askTools(directory);
    if (asked === undefined) throw error;
    return asked;
  }
}

/** At the start: both answers, of which the smaller counts. */
export async function readDiskCarefully(directory: string): Promise<DiskSpace> {
  const [space, asked] = await Promise.all([readDisk(directory), askTools(directory)]);
  return asked === undefined
    ? space
    : { ...space, freeBytes: Math.min(space.freeBytes, asked.freeBytes) };
}

async function askTools(directory: string): Promise<DiskSpace | undefined> {
  try {
    const asked = await import('check-disk-space');
    // What is there is a module; its types say that it is CommonJS, in which the default is a part.
    const checkDiskSpace = asked.default as unknown as typeof asked.default.default;
    const { free, size } = await checkDiskSpace(directory);
    return { totalBytes: size, freeBytes: free, totalInodes: 0, freeInodes: 0 };
  } catch {
    return undefined;
  }
}
