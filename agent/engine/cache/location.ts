// What kind of place a directory is, read from the table of mounts (proc_pid_mountinfo(5)): a
// volume of its own, a part of the node's disk, memory. Decides which limits apply and whether a
// cache may be there without being asked for twice.

import { readFileSync } from 'node:fs';
import { holdingMount, type Mount, parseMountInfo } from '#engine/base/mount-info.ts';

export type LocationKind = 'volume' | 'emptyDir' | 'node disk' | 'root disk' | 'tmpfs';

export interface CacheLocation {
  readonly kind: LocationKind;
  /** `ext4`, `xfs`, `tmpfs`, … */
  readonly fileSystem: string;
  /** Where it is mounted, as this process sees it. */
  readonly mountPoint: string;
  readonly isReadOnly: boolean;
}

/** The kubelet's directory for emptyDir volumes, as it stands in the table of mounts. */
const EMPTY_DIR = /\/volumes\/kubernetes\.io~empty-dir\//;
const MEMORY_FILE_SYSTEMS: ReadonlySet<string> = new Set(['tmpfs', 'ramfs', 'devtmpfs']);

/** The location of an absolute `directory`; undefined where the table does not tell. */
export function locationOf(mountInfo: string, directory: string): CacheLocation | undefined {
  const mount = holdingMount(parseMountInfo(mountInfo), directory);
  if (mount === undefined) return undefined;
  const { path: mountPoint, fileSystem, options } = mount;
  const isReadOnly = options.includes('ro');
  return { kind: kindOf(mount, directory), fileSystem, mountPoint, isReadOnly };
}

function kindOf({ root, path: point, fileSystem }: Mount, directory: string): LocationKind {
  const isEmptyDir = EMPTY_DIR.test(`${root}/`) || EMPTY_DIR.test(directory);
  if (MEMORY_FILE_SYSTEMS.has(fileSystem)) return 'tmpfs';
  if (isEmptyDir) return 'emptyDir';
  if (point === '/') return 'root disk';
  // All of a file system, on a place of its own: a volume. A part of one: somebody else's disk.
  return root === '/' ? 'volume' : 'node disk';
}

/** The table of mounts of this process; '' where there is none. */
export function readMounts(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}
