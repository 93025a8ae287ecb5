// Places that refuse: sources that cannot be read, targets and repositories that are full, over
// quota, read-only, broken or of a file system that lacks what is to be kept. As users run it, by
// the command; each ends in a short time, and what was refused is named. Every scene has mounts of
// its own in a namespace that ends with it.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const PROGRAM = fileURLToPath(new URL('../../agent/stevedore.js', import.meta.url));
const SCENE_MS_MAX = 120_000;
const NAMESPACE = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child'];

t.setTimeout(20 * SCENE_MS_MAX);

interface Scene {
  readonly title: string;
  /** A program that not every machine has. */
  readonly needs?: string;
  /** Before the backup that is restored from. */
  readonly before?: string;
  /** Its last command is the one that is looked at. */
  readonly script: string;
  readonly status: number;
  /** What its document has to say. */
  readonly says: RegExp;
}

/** A source with a bit of everything, and a backup of it; `$s` is the command. */
const PREPARE = `
  s="$NODE $PROGRAM"
  mkdir source target small
  head -c 3000000 /dev/urandom >source/large
  echo text >source/plain
  mkfifo source/pipe
  chown 1234:5678 source/plain
  chmod 755 .
`;
const BACKUP = '$s repo create -o json >/dev/null; $s backup source -o json >/dev/null';
const SMALL_TMPFS = 'mount -t tmpfs -o size=1m none small';
/** A file system on a device that breaks as soon as it is written to in earnest. */
const BROKEN = `
  mkdir backing; mount -t tmpfs -o size=6m none backing
  truncate -s 64M backing/image
  mkfs.ext4 -q -E lazy_itable_init=1,lazy_journal_init=1 -O ^has_journal backing/image
  mount -o loop,errors=continue backing/image small
  head -c 4500000 /dev/zero >backing/filler 2>/dev/null || true
`;

const SCENES: readonly Scene[] = [
  {
    title: 'a source file whose reading fails (EIO)',
    script: `touch source/broken; mount --bind /proc/self/mem source/broken
      $s backup source -o json`,
    status: 3,
    says: /source\/broken.*SOURCE_/s,
  },
  {
    title: 'a source of which somebody else may read nothing (EACCES)',
    script: `chmod 0 source/large; mkdir source/closed; chmod 0 source/closed
      chown -R 65534:65534 repository
      setpriv --reuid 65534 --regid 65534 --clear-groups $s backup source -o json`,
    status: 3,
    says: /source\/(closed|large).*SOURCE_UNREADABLE.*source\/(closed|large)/s,
  },
  {
    title: 'a target that is too small (ENOSPC)',
    script: `${SMALL_TMPFS}; $s restore latest small/back -o json`,
    status: 1,
    says: /TARGET_FULL/,
  },
  {
    title: 'a target that is over its quota (EDQUOT)',
    needs: 'mkfs.btrfs',
    script: `truncate -s 256M image; mkfs.btrfs -q image; mount -o loop image small
      btrfs quota enable small; btrfs qgroup limit 1M small
      $s restore latest small/back -o json`,
    status: 1,
    says: /TARGET_FULL/,
  },
  {
    title: 'a target that is read-only (EROFS)',
    script: `mount --bind target small; mount -o remount,bind,ro small
      $s restore latest small/back -o json`,
    status: 1,
    says: /TARGET_NOT_WRITABLE/,
  },
  {
    title: 'a target on a device that loses what is written (EIO)',
    script: `${BROKEN} $s restore latest small/back -o json`,
    status: 1,
    says: /TARGET_(FULL|NOT_WRITABLE|FAILED)/,
  },
  {
    title: 'a target without extended attributes',
    needs: 'setfattr',
    before: 'setfattr -n user.a -v value source/plain',
    script: `mount -t ramfs none small; $s restore latest small/back -o json`,
    status: 3,
    says: /"path": ?"plain",\s*"attribute": ?"xattr:user.a"/,
  },
  {
    title: 'a target where nobody is root, as with root squash',
    script: `chown 65534:65534 target; chmod -R a+rX repository
      setpriv --reuid 65534 --regid 65534 --clear-groups $s restore latest target/back -o json`,
    status: 3,
    says: /"path": ?"plain",\s*"attribute": ?"(uid|owner)"/,
  },
  {
    title: 'a repository on a file system that is full (ENOSPC)',
    script: `${SMALL_TMPFS}; mkdir small/full; $s repo create --repo file://$PWD/small/full -o json
      $s backup source --repo file://$PWD/small/full -o json`,
    status: 1,
    says: /STORAGE_/,
  },
  {
    title: 'a repository on a device that loses what is written (EIO)',
    script: `${BROKEN} mkdir small/lost
      $s repo create --repo file://$PWD/small/lost -o json || true
      $s backup source --repo file://$PWD/small/lost -o json`,
    status: 1,
    says: /STORAGE_/,
  },
];

function lackOf(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can mount file systems';
  const { status, stderr, error } = spawnSync('unshare', [...NAMESPACE, 'true'], {
    encoding: 'utf8',
  });
  return status === 0 ? undefined : `unshare: ${error?.message ?? stderr}`;
}

const lack = lackOf();

function isMissing(program: string): boolean {
  return spawnSync(program, ['--version']).error !== undefined;
}

for (const { title, needs, before = '', script, status, says } of SCENES) {
  const lacks = needs !== undefined && isMissing(needs) ? `there is no ${needs} here` : false;
  t.test(`is named and ends: ${title}`, { skip: lack ?? lacks }, async t => {
    const directory = mkdtempSync(join(tmpdir(), 'stevedore-refusing-'));
    t.teardown(() => rmSync(directory, { recursive: true, force: true }));
    const whole = `set -e\n${PREPARE}\n${before}\n${BACKUP}\necho ---\n${script}`;
    const run = spawnSync('unshare', [...NAMESPACE, 'sh', '-c', whole], {
      cwd: directory,
      encoding: 'utf8',
      timeout: SCENE_MS_MAX,
      killSignal: 'SIGKILL',
      env: {
        ...process.env,
        NODE: process.execPath,
        PROGRAM,
        STEVEDORE_REPO: `file://${directory}/repository`,
        STEVEDORE_PASSWORD: 'only for the test',
      },
    });
    t.equal(run.error, undefined, 'it ended by itself');
    const document = run.stdout.split('---\n').at(-1) ?? '';
    t.equal(run.status, status, `${document}\n${run.stderr}`.slice(-1500));
    t.match(document, says);
  });
}
