// The mounts that this process sees, from the text of /proc/self/mountinfo (proc_pid_mountinfo(5)).
// It tells a volume from the empty directory that it is to be mounted on, and asks no file system,
// of which one may hang.

export interface Mount {
  readonly path: string;
  /** The directory of the file system that is mounted there; `/` for the whole of it. */
  readonly root: string;
  /** `ext4`, `nfs4`, `fuse.s3fs`, … */
  readonly fileSystem: string;
  /** A device, `server:/share`, or whatever the file system calls it. */
  readonly source: string;
}

/** By mount point; what is mounted over another mount hides it and comes later. */
export type MountTable = ReadonlyMap<string, Mount>;

/** Lines that do not have the fields are left out: a kernel may add some, but moves none. */
export function parseMountTable(text: string): MountTable {
  const table = new Map<string, Mount>();
  for (const line of text.split('\n')) {
    const [own, foreign] = line.split(' - ', 2);
    if (foreign === undefined) continue;
    const [, , , root = '', path = ''] = own.split(' ');
    const [fileSystem = '', source = ''] = foreign.split(' ');
    if (!path.startsWith('/') || fileSystem === '') continue;
    const mount = { path: unescaped(path), root: unescaped(root), fileSystem };
    table.set(mount.path, { ...mount, source: unescaped(source) });
  }
  return table;
}

/** The kernel writes blank, tab, newline and backslash as three octal digits. */
function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_match, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** File systems of which inode numbers may differ from mount to mount. */
export function hasPassingInodes({ fileSystem }: Mount): boolean {
  return /^(fuse|cifs$|smb3$|9p$|virtiofs$|vboxsf$)/.test(fileSystem);
}
