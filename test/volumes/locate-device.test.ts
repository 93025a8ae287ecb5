// Where the device of a claim in block mode is: what the kubelet's link leads to, seen from here.

import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { devicePath } from '#agent/volumes/locate-device.ts';

const PUBLISHED = 'kubernetes.io/csi/volumeDevices/publish/pvc-1/pod-1';
const WANTED = { podDirectory: 'pod-1', name: 'pvc-1', what: 'volume data of pod shop/db' };

async function podsWith(t: Test, target: string): Promise<string> {
  const pods = t.testdir();
  const links = join(pods, 'pod-1/volumeDevices/kubernetes.io~csi');
  await mkdir(links, { recursive: true });
  await symlink(target, join(links, 'pvc-1'));
  return pods;
}

t.test('it is where the driver has published it, wherever that is mounted here', async t => {
  const target = `/var/lib/kubelet/plugins/${PUBLISHED}`;
  const pods = await podsWith(t, target);
  t.equal(await devicePath({ pods }, WANTED), target);
  const hostPlugins = '/host_plugins';
  t.equal(await devicePath({ pods, hostPlugins }, WANTED), `${hostPlugins}/${PUBLISHED}`);
});

t.test('a kubelet may have another root', async t => {
  const pods = await podsWith(t, `/data/plugins/kubelet/plugins/${PUBLISHED}`);
  const hostPlugins = '/host_plugins';
  t.equal(await devicePath({ pods, hostPlugins }, WANTED), `${hostPlugins}/${PUBLISHED}`);
});

t.test('a link that leads elsewhere is not followed', async t => {
  for (const target of [
    '/dev/sda',
    '/etc/shadow',
    '/var/lib/kubelet/plugins/kubernetes.io/csi/../../../../../dev/sda',
  ]) {
    const pods = await podsWith(t, target);
    await t.rejects(devicePath({ pods }, WANTED), {
      code: 'VOLUME_NOT_FOUND',
      message: /which is no device of a driver/,
    });
  }
});

t.test('without a link it is said where it should be', async t => {
  const message = /volume data of pod shop\/db: no link at .*kubernetes.io~csi\/pvc-1 \(ENOENT\)/;
  await t.rejects(devicePath({ pods: t.testdir() }, WANTED), { code: 'VOLUME_NOT_FOUND', message });
});
