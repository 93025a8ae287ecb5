// The node service of the Container Storage Interface: a volume appears where the kubelet wants to
// have it, a tree as a bind mount of its directory, a device as one of its device file. Nothing has
// to be staged.

import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { NODE_NAME } from '#test/cluster/node-settings.ts';
import type { LoopDevices } from './loop-devices.ts';
import type { Service } from './rpc-server.ts';
import type { VolumeStore } from './volume-store.ts';

const run = promisify(execFile);
const LIMIT = Object.freeze({ timeout: 30_000 });

/** Volumes can be had on the node that they are on. */
export const TOPOLOGY = Object.freeze({ segments: { 'topology.csi.test.local/node': NODE_NAME } });

interface PublishRequest {
  readonly volumeId: string;
  readonly targetPath: string;
  readonly readonly: boolean;
}

export function nodeService(store: VolumeStore, devices: LoopDevices): Service {
  return {
    file: 'csi.proto',
    name: 'csi.v1.Node',
    methods: {
      nodeGetInfo: () => ({ nodeId: NODE_NAME, accessibleTopology: TOPOLOGY }),
      nodeGetCapabilities: () => ({ capabilities: [] }),
      nodePublishVolume: async (request: PublishRequest) => {
        if (!(await isMounted(request.targetPath))) await publish(store, devices, request);
        return {};
      },
      nodeUnpublishVolume: async ({ targetPath }: { readonly targetPath: string }) => {
        if (await isMounted(targetPath)) await run('umount', [targetPath], LIMIT);
        await rm(targetPath, { recursive: true, force: true });
        devices.release(targetPath);
        return {};
      },
    },
  };
}

async function publish(
  store: VolumeStore,
  devices: LoopDevices,
  { volumeId, targetPath, readonly }: PublishRequest,
): Promise<void> {
  const { mode, path } = store.volume(volumeId);
  await mkdir(dirname(targetPath), { recursive: true });
  if (mode === 'Block') await writeFile(targetPath, '');
  else await mkdir(targetPath, { recursive: true });
  const source = mode === 'Block' ? await devices.hold(path, targetPath) : path;
  const options = readonly ? 'bind,ro' : 'bind';
  await run('mount', ['-o', options, source, targetPath], LIMIT);
}

function isMounted(path: string): Promise<boolean> {
  return run('mountpoint', ['--quiet', path], LIMIT).then(
    () => true,
    () => false,
  );
}
