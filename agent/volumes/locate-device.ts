// Where the device of a volume in block mode is on this node: `<pods>/<uid>/volumeDevices/<plugin>/
// <name>` is a link of the kubelet to the file that the driver has published beneath its plugins
// directory (kubernetes pkg/volume/csi/csi_block.go, pkg/volume/util/volumepathhandler).

import { readlink } from 'node:fs/promises';
import { EngineError, systemCodeOf } from '#engine/base/errors.ts';

export interface DeviceSettings {
  /** The kubelet's `pods` directory as this process sees it, without links. */
  readonly pods: string;
  /** Its `plugins` directory as this process sees it; where it is on the host, by default. */
  readonly hostPlugins?: string;
}

export interface WantedDevice {
  /** Name of the directory of the pod. */
  readonly podDirectory: string;
  /** Of the persistent volume. */
  readonly name: string;
  /** For messages. */
  readonly what: string;
}

/** Volumes of other plugins are no snapshots of CSI. */
const PLUGIN = 'kubernetes.io~csi';
/** What the kubelet calls what is beneath its plugins directory. */
const PUBLISHED = /\/plugins\/(kubernetes\.io\/csi\/.+)$/;

/** @throws VOLUME_NOT_FOUND */
export async function devicePath(
  { pods, hostPlugins }: DeviceSettings,
  { podDirectory, name, what }: WantedDevice,
): Promise<string> {
  const link = `${pods}/${podDirectory}/volumeDevices/${PLUGIN}/${name}`;
  const target = await readlink(link).catch((error: unknown) => {
    const why = systemCodeOf(error) ?? String(error);
    const text = `cannot find the device of ${what}: no link at ${link} (${why})`;
    throw new EngineError('VOLUME_NOT_FOUND', text, { cause: error });
  });
  const [, published] = PUBLISHED.exec(target) ?? [];
  // Nothing but the kubelet writes there; whatever else does shall not lead us elsewhere.
  if (published === undefined || target.split('/').includes('..')) {
    const text = `cannot find the device of ${what}: ${link} leads to ${target}`;
    throw new EngineError('VOLUME_NOT_FOUND', `${text}, which is no device of a driver`);
  }
  return hostPlugins === undefined ? target : `${hostPlugins}/${published}`;
}
