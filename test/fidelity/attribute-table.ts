// What a file system can hold, a row each: a script that makes it in an empty directory, and one
// that prints what is there, the same text for the same thing. Both run in `sh -eu` with the
// directory as working directory; a script that makes something fails where the file system cannot
// hold it.

export interface Attribute {
  /** Directory in which it is made; '.' is the root of the tree itself. */
  readonly id: string;
  readonly title: string;
  readonly make: string;
  readonly read: string;
}

export interface Group {
  readonly title: string;
  readonly attributes: readonly Attribute[];
}

/** What no restore brings back, and what is said about it. */
export interface Unstored extends Attribute {
  readonly statement: string;
}

type Line = readonly [id: string, title: string, make: string, read: string];

function group(title: string, lines: readonly Line[]): Group {
  const attributes = lines.map(([id, name, make, read]) => ({ id, title: name, make, read }));
  return { title, attributes };
}

const MODE = 'stat -c %a';
const OWNER = 'stat -c %u:%g';
const TIME = 'stat -c %.9Y';
const XATTRS = 'getfattr -h -d -m - -e hex';
const FLAGS = 'lsattr -d';
const ACL = 'getfacl -n -c';
/** All names beneath, however deep, and their types. */
const NAMES = String.raw`LC_ALL=C find . -printf '%y %P\0' | LC_ALL=C sort -z | base64 -w 0`;
/** Where data and holes are, once the file system has decided. */
const MAP = 'sync -f f; stat -c "%s bytes" f; xfs_io -r -c "seek -a -r 0" f';
const HAS_MAPS = 'xfs_io -V >/dev/null';

/** Fails where the file system keeps another time than it is told. */
const time = (text: string): string => `: >f; touch -d '${text}' f
  [ "$(date -u -r f '+%F %T.%NZ')" = '${text}' ]`;
/** Fails where the flag is not to be had. */
const flag = (letter: string, before = 'echo text >f', after = ''): string => `${before}
  chattr +${letter} f; lsattr -d f | cut -d' ' -f1 | grep -q ${letter}; ${after}`;

const CONTENT = group('Content', [
  [
    'bytes',
    'bytes',
    'head -c 3000001 /dev/urandom >f; : >empty; mkdir d',
    `sha256sum f empty; stat -c %s f empty; ${NAMES}`,
  ],
  ['hole-middle', 'hole between data', sparse('at=0 at=5000000'), MAP],
  ['hole-front', 'hole at the beginning', sparse('at=5000000'), MAP],
  ['hole-end', 'hole at the end', sparse('at=0', 'truncate -s 6M f'), MAP],
  ['hole-all', 'a file that is one hole', `${HAS_MAPS}; truncate -s 5M f`, MAP],
  [
    'zeros',
    'zeros that are stored are no hole',
    `${HAS_MAPS}; head -c 1M /dev/zero >f; head -c 1M /dev/urandom >>f`,
    MAP,
  ],
]);

/** Writes 4 KiB at each place that is named. */
function sparse(places: string, after = ''): string {
  const offsets = [...places.matchAll(/at=(\d+)/g)].map(([, offset = '0']) => Number(offset));
  const writes = offsets.map(
    offset =>
      `head -c 4096 /dev/urandom | dd of=f bs=4096 seek=${Math.floor(offset / 4096)} ` +
      'conv=notrunc status=none',
  );
  return [HAS_MAPS, ...writes, after].filter(Boolean).join('; ');
}

const TIMES = group('Time of modification', [
  ['time', 'nanoseconds', time('2020-02-03 04:05:06.123456789Z'), `${TIME} f`],
  ['time-before', 'before 1970', time('1912-06-23 00:00:00.750000001Z'), `${TIME} f`],
  ['time-1800', 'before 1901', time('1800-01-01 00:00:00.000000000Z'), `${TIME} f`],
  ['time-2038', 'after 2038', time('2100-01-01 00:00:00.500000000Z'), `${TIME} f`],
  [
    'time-2262',
    'after 2262, where kopia ends',
    time('2300-01-01 00:00:00.500000000Z'),
    `${TIME} f`,
  ],
  ['time-2446', 'the last of ext4', time('2446-05-10 22:38:55.000000000Z'), `${TIME} f`],
  ['time-2500', 'after 2486, the last of xfs', time('2500-01-01 00:00:00.000000000Z'), `${TIME} f`],
]);

const RIGHTS = group('Mode and owner', [
  [
    'mode',
    'permissions',
    'for m in 644 000 777 401; do : >$m; chmod $m $m; done',
    `${MODE} 644 000 777 401`,
  ],
  ['setuid', 'setuid', 'echo text >f; chmod 4755 f', `${MODE} f`],
  ['setgid', 'setgid', 'echo text >f; chmod 2755 f', `${MODE} f`],
  ['sticky', 'sticky', 'echo text >f; chmod 1644 f', `${MODE} f`],
  ['mode-directory', 'setgid and sticky of a directory', 'mkdir d; chmod 3770 d', `${MODE} d`],
  [
    'mode-closed',
    'a directory that nobody may write to',
    'mkdir d; echo text >d/f; chmod 555 d',
    `${MODE} d; cat d/f`,
  ],
  ['owner', 'owner and group', 'echo text >f; chown 1234:5678 f', `${OWNER} f`],
  ['owner-large', 'ids above 2^31', 'echo text >f; chown 4294967294:3000000000 f', `${OWNER} f`],
  [
    'owner-setuid',
    'setuid of somebody else',
    'echo text >f; chown 1234:5678 f; chmod 6755 f',
    `${MODE} f; ${OWNER} f`,
  ],
]);

const LINK = 'readlink l | base64 -w 0';
const LINKS = group('Links', [
  ['link', 'symlink', 'echo text >f; ln -s f l', `${LINK}; cat l`],
  ['link-dangling', 'symlink to nowhere', 'ln -s ../no/where l', LINK],
  ['link-absolute', 'absolute symlink', 'ln -s /no/where l', LINK],
  ['link-long', 'target of 4095 bytes', 'ln -s "$(printf %04095d 0)" l', LINK],
  ['link-1000', 'target of 1000 bytes', 'ln -s "$(printf %01000d 0)" l', LINK],
  ['link-bytes', 'target that is not UTF-8', String.raw`ln -s "$(printf 'a\377\376')" l`, LINK],
  [
    'link-time',
    'time of a symlink',
    "ln -s f l; touch -h -d '2001-02-03 04:05:06.7Z' l",
    `${TIME} l`,
  ],
  ['link-owner', 'owner of a symlink', 'ln -s f l; chown -h 1234:5678 l', `${OWNER} l`],
  [
    'link-xattr',
    'attribute of a symlink (trusted)',
    'ln -s f l; setfattr -h -n trusted.a -v value l',
    `${XATTRS} l`,
  ],
  ['hard', 'hard link in a directory', 'echo text >a; ln a b', same('a', 'b')],
  [
    'hard-across',
    'hard link across directories',
    'mkdir -p c/d; echo text >a; ln a c/d/b; ln a c/e',
    `${same('a', 'c/d/b')}; ${same('a', 'c/e')}`,
  ],
  ['hard-link', 'two names of a symlink', 'ln -s f a; ln -P a b', same('a', 'b')],
  ['hard-pipe', 'two names of a named pipe', 'mkfifo a; ln a b', same('a', 'b')],
]);

function same(left: string, right: string): string {
  return `stat -c '%F %h names' ${left} ${right}
    [ "$(stat -c %i ${left})" = "$(stat -c %i ${right})" ] && echo same`;
}

const NODE = 'stat -c "%F %t:%T %a %u:%g %.9Y"';
const dressed = (name: string): string =>
  `chown 1234:5678 ${name}; chmod 640 ${name}; touch -h -d '2001-02-03 04:05:06.7Z' ${name}`;
const SPECIAL = group('Special files', [
  ['pipe', 'named pipe', `mkfifo p; ${dressed('p')}`, `${NODE} p`],
  // SOCKET_SCRIPT is put there by measure-tree.ts: sh makes no sockets.
  ['socket', 'socket', `"$NODE" -e "$SOCKET_SCRIPT" s; ${dressed('s')}`, `${NODE} s`],
  ['character', 'character device', `mknod c c 1 3; ${dressed('c')}`, `${NODE} c`],
  ['block', 'block device', `mknod b b 4095 1048575; ${dressed('b')}`, `${NODE} b`],
]);

const EXTENDED = group('Extended attributes', [
  ['user', 'user', 'echo text >f; setfattr -n user.a -v value f', `${XATTRS} f`],
  ['trusted', 'trusted', 'echo text >f; setfattr -n trusted.a -v value f', `${XATTRS} f`],
  ['security', 'security', 'echo text >f; setfattr -n security.a -v value f', `${XATTRS} f`],
  [
    'selinux',
    'security.selinux',
    'echo text >f; setfattr -n security.selinux -v system_u:object_r:tmp_t:s0 f',
    `${XATTRS} f`,
  ],
  ['xattr-empty', 'empty value', "echo text >f; setfattr -n user.a -v '' f", `${XATTRS} f`],
  [
    'xattr-binary',
    'binary value',
    'echo text >f; setfattr -n user.a -v 0x00ff0a00 f',
    `${XATTRS} f`,
  ],
  [
    'xattr-large',
    'as large as may be',
    `echo text >f
    for n in 65535 16000 8000 4000 3500 3000; do
      setfattr -n user.a -v "$(printf %0\${n}d 0)" f 2>/dev/null && break
    done
    getfattr -n user.a f >/dev/null 2>&1`,
    `${XATTRS} f | cksum`,
  ],
  [
    'xattr-many',
    '40 of them',
    'echo text >f; for n in $(seq 40); do setfattr -n user.$n -v $n f; done',
    `${XATTRS} f`,
  ],
  [
    'xattr-name',
    'name that is not UTF-8',
    String.raw`echo text >f; setfattr -n "user.$(printf 'a\377')" -v value f`,
    `${XATTRS} f | base64 -w 0`,
  ],
  [
    'xattr-long-name',
    'name of 255 bytes',
    'echo text >f; setfattr -n "user.$(printf %0250d 0)" -v value f',
    `${XATTRS} f`,
  ],
  [
    'xattr-closed',
    'of a file with mode 0',
    'echo text >f; setfattr -n user.a -v b f; chmod 0 f',
    `${XATTRS} f`,
  ],
  ['xattr-directory', 'of a directory', 'mkdir d; setfattr -n user.a -v value d', `${XATTRS} d`],
  [
    'xattr-pipe',
    'of a named pipe (trusted)',
    'mkfifo p; setfattr -n trusted.a -v value p',
    `${XATTRS} p`,
  ],
  ['acl', 'POSIX ACL', 'echo text >f; setfacl -m u:1234:rw,g:77:r,m::rw f', `${ACL} f`],
  [
    'acl-default',
    'default ACL of a directory',
    'mkdir d; echo text >d/f; setfacl -m u:1234:rwx d; setfacl -d -m u:1234:rwx,g:77:r d',
    `${ACL} d; ${ACL} d/f`,
  ],
  [
    'acl-inherited',
    'no ACL below a default ACL',
    'mkdir d; mkdir d/e; echo text >d/e/f; setfacl -d -m u:1234:rwx d',
    `${ACL} d; ${ACL} d/e; ${ACL} d/e/f`,
  ],
  ['capability', 'file capability', 'echo text >f; setcap cap_net_raw+ep f', 'getcap f'],
  [
    'capability-owner',
    'capability of a file of somebody else',
    'echo text >f; chown 1234:5678 f; chmod 755 f; setcap cap_net_raw+ep f',
    `getcap f; ${MODE} f; ${OWNER} f`,
  ],
]);

const FLAG_NAMES: readonly (readonly [letter: string, title: string])[] = [
  ['a', 'append only'],
  ['i', 'immutable'],
  ['d', 'no dump'],
  ['A', 'no access times'],
  ['S', 'synchronous'],
  ['s', 'secure deletion'],
  ['u', 'undeletable'],
  ['t', 'no tail merging'],
  ['x', 'direct access'],
];

const INODE = group('Inode flags (chattr) and project', [
  ...FLAG_NAMES.map(([letter, title]): Line => [
    // File systems that fold case are rare, but ids are read by people.
    `flag-${letter === letter.toLowerCase() ? letter : `capital-${letter.toLowerCase()}`}`,
    `${letter}, ${title}`,
    flag(letter),
    `${FLAGS} f; cat f`,
  ]),
  ['flag-c', 'c, compressed', flag('c', ': >f', 'echo text >f'), `${FLAGS} f; cat f`],
  ['flag-m', 'm, not compressed', flag('m', ': >f', 'echo text >f'), `${FLAGS} f; cat f`],
  ['flag-capital-c', 'C, no copy on write', flag('C', ': >f', 'echo text >f'), `${FLAGS} f; cat f`],
  ['flag-capital-d', 'D, synchronous directory', flag('D', 'mkdir f'), `${FLAGS} f`],
  ['flag-capital-t', 'T, top of a hierarchy', flag('T', 'mkdir f'), `${FLAGS} f`],
  ['flag-capital-p', 'P, children have its project', flag('P', 'mkdir f'), `${FLAGS} f`],
  [
    'flag-directory',
    'immutable directory with files',
    flag('i', 'mkdir f; echo text >f/g'),
    `${FLAGS} f; cat f/g`,
  ],
  [
    'project',
    'project id',
    'echo text >f; chattr -p 4242 f; lsattr -pd f | grep -q 4242',
    'lsattr -pd f',
  ],
]);

const OLD = "touch -d '2001-02-03 04:05:06.789012345Z'";
const DIRECTORIES = group('Directories', [
  ['directory', 'empty directory', `mkdir d; ${OLD} d`, `${NAMES}; ${TIME} d`],
  ['directory-time', 'time of one with files', `mkdir d; echo text >d/f; ${OLD} d`, `${TIME} d`],
  [
    'directory-hard',
    'time of one with hard links and special files',
    `mkdir d e; echo text >d/f; ln d/f d/g; ln d/f e/h; mkfifo d/p; mknod d/c c 1 3
    ${OLD} d e`,
    `${TIME} d e`,
  ],
  ['directory-owner', 'owner', 'mkdir d; chown 1234:5678 d', `${OWNER} d`],
]);

const NAMES_GROUP = group('Names', [
  [
    'name-bytes',
    'not UTF-8',
    String.raw`n=$(printf 'a\377\376'); echo text >"$n"; mkdir "d$n"`,
    NAMES,
  ],
  ['name-newline', 'newline', 'echo text >"two\nlines"; printf x >"$(printf \'a\\nb\')"', NAMES],
  ['name-255', '255 bytes', 'echo text >"$(printf %0255d 0)"', NAMES],
  [
    'name-forms',
    'two forms of é',
    String.raw`echo a >"$(printf '\303\251')"; echo b >"$(printf 'e\314\201')"`,
    `${NAMES}; cat *`,
  ],
  ['name-case', 'a and A', 'echo small >a; echo capital >A', `${NAMES}; cat a A`],
  [
    'name-odd',
    'spaces, dashes, quotes, controls',
    String.raw`for n in -rf ' ' '"' '\' "$(printf '\001\033[2J')"; do echo text >"./$n"; done`,
    NAMES,
  ],
  [
    'deep',
    'path beyond PATH_MAX',
    'for i in $(seq 25); do d=$(printf %0200d $i); mkdir $d; cd -P ./$d; done; echo text >f',
    NAMES,
  ],
]);

const ROOT = group('The directory itself that is backed up', [
  ['.', 'mode', 'chmod 2751 .', `${MODE} .`],
  ['.', 'owner', 'chown 1234:5678 .', `${OWNER} .`],
  ['.', 'extended attribute', 'setfattr -n user.root -v value .', 'getfattr -n user.root .'],
  ['.', 'default ACL', 'setfacl -d -m u:1234:rwx .', `${ACL} .`],
  ['.', 'inode flag d', 'chattr +d .; lsattr -d . | cut -d" " -f1 | grep -q d', `${FLAGS} .`],
  ['.', 'time', `${OLD} .`, `${TIME} .`],
]);

export const GROUPS: readonly Group[] = Object.freeze([
  CONTENT,
  TIMES,
  RIGHTS,
  LINKS,
  SPECIAL,
  EXTENDED,
  INODE,
  DIRECTORIES,
  NAMES_GROUP,
  ROOT,
]);

export const UNSTORED: readonly Unstored[] = Object.freeze([
  {
    id: 'access-time',
    title: 'time of last access',
    make: `echo text >f; touch -a -d '2001-02-03 04:05:06Z' f`,
    read: 'stat -c %.9X f',
    statement:
      "is not stored, since reading a file changes it, a backup included. It is the restore's.",
  },
  {
    id: 'change-time',
    title: 'time of last change of the inode',
    make: 'echo text >f',
    read: 'stat -c %.9Z f',
    statement: 'cannot be set: Linux has no call for it. It is that of the restore.',
  },
  {
    id: 'birth-time',
    title: 'time of birth',
    make: 'echo text >f',
    read: 'stat -c %.9W f',
    statement: 'cannot be set either. It is that of the restore.',
  },
  {
    id: 'reserved',
    title: 'space that is reserved behind the end of a file',
    make: 'echo text >f; fallocate -n -o 1M -l 1M f; [ $(stat -c %b f) -gt 1000 ]',
    read: 'stat -c %b f',
    statement: 'is not stored; it holds no data. The file has the same bytes and the same length.',
  },
]);
