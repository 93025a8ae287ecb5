// The text of /proc/self/mountinfo (proc_pid_mountinfo(5)) as values: the mounts that this process
// sees. It tells much of a file system without asking it, and one of them may hang.

export interface Mount {
  /** Where it is mounted, as this process sees it. */
  readonly path: string;
  /** Directory within the file system that is mounted there; `/` for all of it. */
  readonly root: string;
  /** `ext4`, `nfs4`, `fuse.s3fs`, … */
  readonly fileSystem: string;
  /** A device, `server:/share`, or whatever the file system calls it. */
  readonly source: string;
  /** Of the mount, then of the file system. */
  readonly options: readonly string[];
}

/**
 * In the order of the table: what is mounted over another mount comes later. Lines that do not have
 * the fields are left out: a kernel may add some, but moves none.
 */
export function parseMountInfo(text: string): Mount[] {
  return text.split('\n').flatMap(line => {
    const [own, foreign] = line.split(' - ', 2);
    if (foreign === undefined) return [];
    const [, , , root = '', path = '', options = ''] = own.split(' ');
    const [fileSystem = '', source = '', superOptions = ''] = foreign.split(' ');
    if (!path.startsWith('/') || fileSystem === '') return [];
    return [
      {
        path: unescaped(path),
        root: unescaped(root),
        fileSystem,
        source: unescaped(source),
        options: [...options.split(','), ...superOptions.split(',')],
      },
    ];
  });
}

/** The mount that a path is on, as far as the table tells; undefined where it has none. */
export function holdingMount(mounts: readonly Mount[], path: string): Mount | undefined {
  return (
    mounts
      .filter(mount => isWithin(path, mount.path))
      // A later mount of the same point lies over an earlier one.
      .reduce<Mount | undefined>(
        (best, each) => (best === undefined || each.path.length >= best.path.length ? each : best),
        undefined,
      )
  );
}

/** Whether `path` is `point` or beneath it. */
export function isWithin(path: string, point: string): boolean {
  return point === '/' || path === point || path.startsWith(`${point}/`);
}

/** The kernel writes blank, tab, newline and backslash as three octal digits. */
function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_match, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
