// Which of the directories that there are is the volume. Pure: names of directories and the mount
// table are given, and no path of a volume is touched.

import { EngineError } from '#engine/base/errors.ts';
import type { Mount } from '#engine/base/mount-info.ts';
import type { MountTable } from './mount-table.ts';
import type { WantedDirectory } from './wanted-directory.ts';

export interface NodeDirectories {
  /** Where this process sees the kubelet's `pods` directory, links resolved: `/host_pods`. */
  readonly pods: string;
  /** Names beneath `<pods>/<uid>/volumes`, by plugin; undefined when the pod has no directory. */
  readonly volumes: ReadonlyMap<string, readonly string[]> | undefined;
  /** Names beneath `<pods>/<uid>/volumeDevices`, of all plugins. */
  readonly devices: readonly string[];
  readonly mounts: MountTable;
}

export interface ChosenDirectory {
  readonly path: string;
  /** What is mounted there, if anything. */
  readonly mount: Mount | undefined;
}

const CSI = 'kubernetes.io~csi';

/**
 * @param what of which pod, for messages
 * @throws VOLUME_NOT_FOUND, VOLUME_NOT_MOUNTED, VOLUME_IS_BLOCK
 */
export function chooseDirectory(
  wanted: WantedDirectory,
  node: NodeDirectories,
  what: string,
): ChosenDirectory {
  const { pods, volumes, mounts } = node;
  const podPath = `${pods}/${wanted.podDirectory}`;
  if (volumes === undefined) throw noPod(what, podPath);
  const found = [...volumes]
    .filter(([plugin]) => wanted.plugin === undefined || plugin === wanted.plugin)
    .filter(([, names]) => names.includes(wanted.name))
    .map(([plugin]) => `${podPath}/volumes/${plugin}/${wanted.name}${suffixOf(plugin)}`)
    .map(path => ({ path, mount: mounts.get(path) }));
  // A plugin that a CSI driver has replaced may have left its own directory, empty.
  const mounted = found.filter(({ mount }) => mount !== undefined);
  if (mounted.length === 1) return mounted[0];
  if (mounted.length > 1) throw ambiguous(what, mounted);
  if (found.length === 0) throw notFound(wanted, node, what);
  if (wanted.isMounted) throw notMounted(what, found[0]);
  return found[0];
}

function suffixOf(plugin: string): string {
  return plugin === CSI ? '/mount' : '';
}

function noPod(what: string, podPath: string): EngineError {
  const text = `cannot find ${what}: ${podPath} is not there`;
  const advice =
    "mount the kubelet's pods directory of the host (--root-dir of the kubelet, " +
    'often /var/lib/kubelet/pods) into this container';
  return new EngineError('VOLUME_NOT_FOUND', `${text}; is the pod on this node? else ${advice}`);
}

function notFound(
  wanted: WantedDirectory,
  { pods, volumes, devices }: NodeDirectories,
  what: string,
): EngineError {
  if (devices.includes(wanted.name)) {
    const text = `cannot move the files of ${what}: the volume is in block mode and has none`;
    return new EngineError('VOLUME_IS_BLOCK', `${text}; use volume snapshots for it`);
  }
  const there = [...(volumes ?? [])]
    .flatMap(([plugin, names]) => names.map(name => `${plugin}/${name}`))
    .slice(0, 10)
    .join(', ');
  const place = `${pods}/${wanted.podDirectory}/volumes/${wanted.plugin ?? '*'}/${wanted.name}`;
  const text = `cannot find ${what}: ${place} is not there`;
  const state = there === '' ? 'the pod has no volumes yet' : `there are ${there}`;
  return new EngineError('VOLUME_NOT_FOUND', `${text}, ${state}; is the pod running?`);
}

function notMounted(what: string, { path }: ChosenDirectory): EngineError {
  const text = `cannot use ${what}: nothing is mounted at ${path}, as far as this container sees`;
  const advice =
    'if the pod is running, the volume with the pods directory needs mountPropagation: ' +
    'HostToContainer, and may have to be the same path as on the host';
  return new EngineError('VOLUME_NOT_MOUNTED', `${text}; ${advice}`);
}

function ambiguous(what: string, found: readonly ChosenDirectory[]): EngineError {
  const paths = found.map(({ path }) => path).join(' and ');
  const text = `cannot tell which directory is ${what}: ${paths} are both mounted`;
  return new EngineError('VOLUME_NOT_FOUND', `${text}; delete the pod, so that one of them goes`);
}
