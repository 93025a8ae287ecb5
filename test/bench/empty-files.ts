// Very many empty files: what a walk keeps in memory for each entry cannot hide behind data. They
// need inodes by the million, and in memory about a kilobyte each, so both are counted first.

import { closeSync, mkdirSync, openSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { TMPFS } from '#engine/base/file-system-types.ts';
import { availableMemory, MEMORY_DIRECTORY } from './work-place.ts';

const FILES_A_DIRECTORY = 10_000;
/** A tmpfs inode and its name, with the slack of their slabs. */
const TMPFS_BYTES_A_FILE = 1300;
/** A name in a directory and its share of an inode table. */
const DISK_BYTES_A_FILE = 300;
/** What has to remain for the program that is measured and its repository. */
const SPARE_BYTES = 2 * 2 ** 30;

type Place =
  | { readonly directory: string; readonly reason?: undefined }
  | { readonly directory?: undefined; readonly reason: string };

/** Where `count` files can be made: in `directory`, else in memory, else nowhere. */
export function emptyFilesPlace(directory: string, count: number): Place {
  const reasons: string[] = [];
  for (const each of [directory, MEMORY_DIRECTORY]) {
    const lack = lackOf(each, count);
    if (lack === undefined) return { directory: each };
    reasons.push(`${each} ${lack}`);
  }
  return { reason: reasons.join('; ') };
}

function lackOf(directory: string, count: number): string | undefined {
  try {
    const { type, ffree, bavail, bsize } = statfsSync(directory);
    const directories = Math.ceil(count / FILES_A_DIRECTORY) + 1;
    // File systems without a table of inodes, such as btrfs, say that they have none.
    const isCounted = ffree > 0;
    if (isCounted && ffree < count + directories) return `has ${ffree} free inodes`;
    const isInMemory = type === TMPFS;
    const free = isInMemory ? availableMemory() : bavail * bsize;
    const wanted = count * (isInMemory ? TMPFS_BYTES_A_FILE : DISK_BYTES_A_FILE) + SPARE_BYTES;
    if (free < wanted) return `has ${Math.floor(free / 2 ** 20)} MiB, ${wanted} bytes are wanted`;
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export function makeEmptyFiles(directory: string, count: number): void {
  for (let made = 0; made < count;) {
    const place = join(directory, `part-${made / FILES_A_DIRECTORY}`);
    mkdirSync(place);
    const end = Math.min(made + FILES_A_DIRECTORY, count);
    for (; made < end; made++) closeSync(openSync(`${place}/file-${made}`, 'wx'));
  }
}
