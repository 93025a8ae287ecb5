// What an error of the cache's file system means for the cache: system codes, errno(3).

/** The directory is given up at once. */
const FATAL = new Set(['EROFS', 'ENOENT', 'ESTALE', 'ENODEV', 'ENOTDIR', 'EACCES', 'ENXIO']);
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

export function isFatal(code: string | undefined): boolean {
  return code !== undefined && FATAL.has(code);
}

/** Nothing new until the next look at the disk. */
export function isFull(code: string | undefined): boolean {
  return code !== undefined && FULL.has(code);
}
