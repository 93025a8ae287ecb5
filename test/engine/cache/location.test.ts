import t from 'tap';
import { locationOf } from '#engine/cache/location.ts';

const EMPTY_DIR = '/var/lib/kubelet/pods/1-2/volumes/kubernetes.io~empty-dir';
const MOUNTS = `\
22 1 8:1 / / rw,relatime - overlay overlay rw,lowerdir=/a
30 22 8:16 / /cache rw,relatime - ext4 /dev/sdb rw
31 22 8:1 ${EMPTY_DIR}/cache /scratch rw - xfs /dev/sda1 rw
32 22 8:1 /srv/cache /host-cache rw,relatime - xfs /dev/sda1 rw
33 22 0:40 / /memory rw - tmpfs tmpfs rw,size=65536k
34 22 8:32 / /frozen ro,relatime - ext4 /dev/sdc rw
35 22 8:48 / /with\\040space rw - ext4 /dev/sdd rw
36 30 8:64 / /cache/inner rw - xfs /dev/sde rw
37 22 8:80 / /broken rw - ext4 /dev/sdf ro,errors=remount-ro
38 22 0:41 ${EMPTY_DIR}/m /empty-memory rw - tmpfs tmpfs rw
`;

const ROWS: readonly [string, string, string][] = [
  ['/cache', 'volume', 'ext4'],
  ['/cache/deeper', 'volume', 'ext4'],
  ['/cache/inner/x', 'volume', 'xfs'],
  ['/cached', 'root disk', 'overlay'],
  ['/scratch', 'emptyDir', 'xfs'],
  ['/host-cache/x', 'node disk', 'xfs'],
  ['/memory', 'tmpfs', 'tmpfs'],
  ['/empty-memory', 'tmpfs', 'tmpfs'],
  ['/var/lib/cache', 'root disk', 'overlay'],
  ['/with space/x', 'volume', 'ext4'],
  ['/var/lib/kubelet/pods/9/volumes/kubernetes.io~empty-dir/c', 'emptyDir', 'overlay'],
];

for (const [directory, kind, fileSystem] of ROWS) {
  t.test(`${directory} is on a location of the kind "${kind}"`, async t => {
    t.match(locationOf(MOUNTS, directory), { kind, fileSystem });
  });
}

t.test('a mount or a file system that is read-only is known as such', async t => {
  t.equal(locationOf(MOUNTS, '/frozen')?.isReadOnly, true);
  t.equal(locationOf(MOUNTS, '/broken')?.isReadOnly, true);
  t.equal(locationOf(MOUNTS, '/cache')?.isReadOnly, false);
});

t.test('where the table of mounts says nothing, nothing is known', async t => {
  t.equal(locationOf('', '/cache'), undefined);
});
