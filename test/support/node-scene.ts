// A node as the kubelet leaves it: directories of pods and their volumes, and a mount table that
// says what of it would be mounted.

import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { systemClock } from '#engine/base/clock.ts';
import type { EngineError } from '#engine/base/errors.ts';
import {
  EngineVolumeMover,
  type VolumeMoverParts,
} from '#agent/volume-mover/engine-volume-mover.ts';
import { TimedStat } from '#agent/volumes/timed-stat.ts';
import type { PodVolume } from '#agent/moves/volume-mover.ts';
import { CLAIMS, PERSISTENT_VOLUMES, PODS } from '#kube/core-resources.ts';
import type { LocateSettings } from '#agent/volumes/locate-volume.ts';
import type { KubeObjects } from './kube-objects.ts';
import type { VeleroScene } from './velero-scene.ts';

/** The mover of that node, into the repositories of that server. */
export function moverFor(
  velero: VeleroScene,
  node: NodeScene,
  more: Partial<VolumeMoverParts> = {},
): EngineVolumeMover {
  const { kube, repositories } = velero;
  const clock = systemClock;
  const onWarning = (warning: EngineError) => void velero.warnings.push(warning);
  const stat = new TimedStat({ clock });
  const parts = { kube, repositories, stat, clock, onWarning, ...more };
  return new EngineVolumeMover(parts, node.settings);
}

export class NodeScene {
  readonly settings: LocateSettings & { readonly mountTable: string };
  readonly #kube: KubeObjects;
  readonly #mounts: string[] = [];

  constructor(root: string, kube: KubeObjects, nodeName = 'worker-1') {
    this.#kube = kube;
    mkdirSync(`${root}/pods`, { recursive: true });
    const mountTable = `${root}/mountinfo`;
    this.settings = { hostPods: `${root}/pods`, nodeName, mountTable };
    writeFileSync(mountTable, '');
  }

  /** A running pod with the volume `data` of a claim; where that is, and how it is asked for. */
  runPod(
    podName: string,
    { claim = 'web-data', podNamespace = 'shop' } = {},
  ): { path: string; volume: PodVolume; claim: { name: string; uid: string } } {
    const podUid = `uid-of-${podName}`;
    const volumeName = `pv-of-${podNamespace}-${claim}`;
    const uid = `uid-of-${podNamespace}-${claim}`;
    const podVolumes = `${this.settings.hostPods}/${podUid}/volumes`;
    const path = `${podVolumes}/kubernetes.io~csi/${volumeName}/mount`;
    mkdirSync(path, { recursive: true });
    this.#mounts.push(`1 1 0:1 / ${path} rw - ext4 /dev/sda rw\n`);
    this.#writeMounts();
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: claim } }];
    const pod = {
      metadata: { name: podName, namespace: podNamespace, uid: podUid },
      spec: { nodeName: this.settings.nodeName, volumes },
    };
    this.#kube.put(PODS, pod);
    const metadata = { name: claim, namespace: podNamespace, uid };
    const bound = { metadata, spec: { volumeName } };
    this.#kube.put(CLAIMS, bound);
    const persistentVolume = { metadata: { name: volumeName }, spec: { csi: {} } };
    this.#kube.put(PERSISTENT_VOLUMES, persistentVolume);
    const volume = { podUid, podNamespace, podName, volume: 'data' };
    return { path, volume, claim: { name: claim, uid } };
  }

  /** At once: an agent may be reading it. */
  #writeMounts(): void {
    const { mountTable } = this.settings;
    writeFileSync(`${mountTable}.new`, this.#mounts.join(''));
    renameSync(`${mountTable}.new`, mountTable);
  }
}
