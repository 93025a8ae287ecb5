// The mounts that this process sees, by where they are. They tell a volume from the empty directory
// that it is to be mounted on.

import { type Mount, parseMountInfo } from '#engine/base/mount-info.ts';

/** By mount point; what is mounted over another mount hides it. */
export type MountTable = ReadonlyMap<string, Mount>;

export function parseMountTable(text: string): MountTable {
  return new Map(parseMountInfo(text).map(mount => [mount.path, mount]));
}

/** File systems of which inode numbers may differ from mount to mount. */
export function hasPassingInodes({ fileSystem }: Mount): boolean {
  return /^(fuse|cifs$|smb3$|9p$|virtiofs$|vboxsf$)/.test(fileSystem);
}
