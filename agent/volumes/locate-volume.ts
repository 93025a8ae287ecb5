// Where the volume of a pod is on this node: asks the API for pod, claim and persistent volume,
// reads the names of the kubelet's directories and the mount table, and lets the pure part decide.

import { readdir, readFile, realpath } from 'node:fs/promises';
import { EngineError, isEngineError, systemCodeOf } from '#engine/base/errors.ts';
import { claimNameOf } from '#kube/claim-name.ts';
import { CLAIMS, PERSISTENT_VOLUMES, PODS } from '#kube/core-resources.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { KubeObject, ObjectName, Resource } from '#kube/kube-object.ts';
import { chooseDirectory, type NodeDirectories } from './choose-directory.ts';
import { hasPassingInodes, parseMountTable } from './mount-table.ts';
import type { PathStats } from './stat-in-thread.ts';
import type { TimedStat } from './timed-stat.ts';
import type { Claim, PersistentVolume, Pod } from './volume-objects.ts';
import { devicePath } from './locate-device.ts';
import {
  claimDirectory,
  claimedDevice,
  describePod,
  inlineDirectory,
  requireFileSystem,
  volumeOfPod,
  type WantedDirectory,
} from './wanted-directory.ts';

export interface VolumeQuery {
  readonly podUid: string;
  readonly podNamespace: string;
  readonly podName: string;
  /** Name in `pod.spec.volumes[]`. */
  readonly volume: string;
  /** `Filesystem` if absent. */
  readonly volumeMode?: 'Filesystem' | 'Block';
}

export interface VolumePlace {
  /**
   * A directory, where no link is on the way from the host's pods directory; or a device.
   */
  readonly path: string;
  readonly claim: { readonly name: string; readonly uid: string } | undefined;
  /** Of the directory or device itself, and so of what is mounted there. */
  readonly identity: string;
  /** Where it is not, the kubelet empties the directory bit by bit when the pod has ended. */
  readonly isMounted: boolean;
  /** Inode numbers say nothing about whether a file is the same as before. */
  readonly hasPassingInodes: boolean;
}

export interface LocateParts {
  readonly kube: Pick<KubeClient, 'get'>;
  readonly stat: TimedStat;
}

export interface LocateSettings {
  /** The kubelet's `pods` directory as this process sees it. */
  readonly hostPods: string;
  /** Its `plugins` directory, for devices; where it is on the host, by default. */
  readonly hostPlugins?: string;
  /** The node that this process runs on. */
  readonly nodeName: string;
  /** Where the kernel shows the mounts; another file in labs that have none. */
  readonly mountTable?: string;
}

const MOUNT_TABLE = '/proc/self/mountinfo';

/**
 * @throws POD_NOT_FOUND, VOLUME_NOT_FOUND, VOLUME_NOT_MOUNTED, VOLUME_IS_BLOCK,
 *   VOLUME_TYPE_UNSUPPORTED, VOLUME_UNRESPONSIVE, KUBE_FORBIDDEN, …
 */
export async function locateVolume(
  parts: LocateParts,
  settings: LocateSettings,
  query: VolumeQuery,
  signal?: AbortSignal,
): Promise<VolumePlace> {
  const pod = await findPod(parts, query, signal);
  requireNode(pod, settings.nodeName);
  const volume = volumeOfPod(pod, query.volume);
  const what = `volume ${volume.name} of ${describePod(pod)}`;
  const claimName = claimNameOf(pod.metadata.name, volume);
  const claim =
    claimName === undefined ? undefined : await findClaim(parts, pod, claimName, signal);
  if (query.volumeMode === 'Block' && claim) {
    return await locateDevice(parts, settings, { pod, claim, what }, signal);
  }
  if (claim) requireFileSystem(claim.spec?.volumeMode, claimText(claim));
  const wanted = claim
    ? claimDirectory(pod, claim, await findPersistentVolume(parts, claim, signal))
    : inlineDirectory(pod, volume);
  const { path, mount } = chooseDirectory(wanted, await lookAround(settings, wanted), what);
  const found = await parts.stat.look(path, signal);
  if (!found?.isDirectory) {
    throw new EngineError('VOLUME_NOT_FOUND', `cannot find ${what}: ${path} is no directory`);
  }
  return {
    path,
    identity: identityOf(found),
    isMounted: mount !== undefined,
    claim: claim && { name: claim.metadata.name, uid: claim.metadata.uid ?? '' },
    hasPassingInodes: mount !== undefined && hasPassingInodes(mount),
  };
}

interface ClaimedDevice {
  readonly pod: Pod;
  readonly claim: Claim;
  readonly what: string;
}

async function locateDevice(
  parts: LocateParts,
  { hostPods, hostPlugins }: LocateSettings,
  { pod, claim, what }: ClaimedDevice,
  signal?: AbortSignal,
): Promise<VolumePlace> {
  const volume = await findPersistentVolume(parts, claim, signal);
  const wanted = { ...claimedDevice(pod, volume), what };
  const path = await devicePath({ pods: await realHostPods(hostPods), hostPlugins }, wanted);
  const found = await parts.stat.look(path, signal);
  if (found === undefined) {
    const text = `cannot find the device of ${what}: nothing is at ${path}`;
    const advice = "mount the kubelet's plugins directory of the host (--host-plugins)";
    throw new EngineError('VOLUME_NOT_FOUND', `${text}; ${advice}`);
  }
  return {
    path,
    identity: identityOf(found),
    isMounted: true,
    claim: { name: claim.metadata.name, uid: claim.metadata.uid ?? '' },
    hasPassingInodes: false,
  };
}

/**
 * Whether the volume is still there. When a pod ends, its volume is unmounted even while it is
 * read, and an empty directory is in its place.
 * @throws VOLUME_NOT_MOUNTED, VOLUME_UNRESPONSIVE
 */
export async function requireSameVolume(
  stat: TimedStat,
  { path, identity }: VolumePlace,
  signal?: AbortSignal,
): Promise<void> {
  const found = await stat.look(path, signal);
  if (found && identityOf(found) === identity) return;
  const text = `the volume at ${path} was unmounted while it was in use`;
  const why = 'as happens when its pod ends';
  throw new EngineError('VOLUME_NOT_MOUNTED', `${text}, ${why}; nothing of this move counts`);
}

/**
 * Whether the pod has not ended: of a directory that is no mount, files may be going already.
 * @throws POD_NOT_FOUND, VOLUME_NOT_MOUNTED, KUBE_UNAVAILABLE, …
 */
export async function requireLivingPod(
  parts: Pick<LocateParts, 'kube'>,
  query: VolumeQuery,
  signal?: AbortSignal,
): Promise<void> {
  const pod = await findPod(parts, query, signal);
  const isEnding = pod.metadata.deletionTimestamp !== undefined;
  if (!isEnding && !/^(Succeeded|Failed)$/.test(pod.status?.phase ?? '')) return;
  const text = `${describePod(pod)} has ended while its volume ${query.volume} was read`;
  const why = 'and the kubelet removes such a volume bit by bit';
  throw new EngineError('VOLUME_NOT_MOUNTED', `${text}, ${why}; nothing of this move counts`);
}

function identityOf({ dev, ino }: PathStats): string {
  return `${dev}:${ino}`;
}

async function findPod(
  { kube }: Pick<LocateParts, 'kube'>,
  { podNamespace: namespace, podName: name, podUid }: VolumeQuery,
  signal: AbortSignal | undefined,
): Promise<Pod> {
  const pod = await find<Pod>(kube, PODS, { namespace, name }, signal);
  if (pod?.metadata.uid === podUid) return pod;
  const state = pod ? 'was replaced by another one of that name' : 'is not there any more';
  const text = `cannot move a volume of pod ${namespace}/${name}: it ${state}`;
  throw new EngineError('POD_NOT_FOUND', `${text}; the next backup takes the pod that there is`);
}

function requireNode(pod: Pod, nodeName: string): void {
  const there = pod.spec?.nodeName;
  if (there === nodeName) return;
  const text = `${describePod(pod)} is on node ${there ?? '(none yet)'}, and this is ${nodeName}`;
  const advice = 'NODE_NAME of the agent has to be the name of its node object';
  throw new EngineError('VOLUME_NOT_FOUND', `cannot find its volumes: ${text}; ${advice}`);
}

async function findClaim(
  { kube }: LocateParts,
  pod: Pod,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Claim> {
  const { namespace } = pod.metadata;
  const claim = await find<Claim>(kube, CLAIMS, { namespace, name }, signal);
  if (claim) return claim;
  const text = `${describePod(pod)} names claim ${name}, which is not there`;
  throw new EngineError('VOLUME_NOT_FOUND', `cannot find a volume: ${text}`);
}

function claimText({ metadata }: Claim): string {
  return `claim ${metadata.namespace ?? ''}/${metadata.name}`;
}

async function findPersistentVolume(
  { kube }: LocateParts,
  claim: Claim,
  signal: AbortSignal | undefined,
): Promise<PersistentVolume> {
  const name = claim.spec?.volumeName ?? '';
  const what = claimText(claim);
  if (name === '') {
    throw new EngineError('VOLUME_NOT_FOUND', `cannot find the volume of ${what}: it is not bound`);
  }
  const found = await find<PersistentVolume>(kube, PERSISTENT_VOLUMES, { name }, signal);
  if (found) return found;
  const text = `cannot find the volume of ${what}: persistent volume ${name} is not there`;
  throw new EngineError('VOLUME_NOT_FOUND', text);
}

/** Undefined when there is none. */
async function find<Item extends KubeObject>(
  kube: Pick<KubeClient, 'get'>,
  resource: Resource,
  name: ObjectName,
  signal: AbortSignal | undefined,
): Promise<Item | undefined> {
  try {
    return await kube.get<Item>(resource, name, { signal });
  } catch (error) {
    if (isEngineError(error, 'KUBE_NOT_FOUND')) return undefined;
    throw error;
  }
}

/** Reads names of the node's own disk; what is mounted somewhere is not touched. */
async function lookAround(
  { hostPods, mountTable = MOUNT_TABLE }: LocateSettings,
  { podDirectory }: WantedDirectory,
): Promise<NodeDirectories> {
  const pods = await realHostPods(hostPods);
  const volumes = await namesByPlugin(`${pods}/${podDirectory}/volumes`);
  const devices = await namesByPlugin(`${pods}/${podDirectory}/volumeDevices`);
  const mounts = parseMountTable(await readFile(mountTable, 'utf8'));
  return { pods, volumes, devices: [...(devices?.values() ?? [])].flat(), mounts };
}

async function realHostPods(hostPods: string): Promise<string> {
  try {
    return await realpath(hostPods);
  } catch (error) {
    const text = `cannot look for volumes: ${hostPods} cannot be used`;
    const advice = "mount the kubelet's pods directory of the host there";
    const message = `${text} (${systemCodeOf(error) ?? String(error)}); ${advice}`;
    throw new EngineError('VOLUME_NOT_FOUND', message, { cause: error });
  }
}

async function namesByPlugin(path: string): Promise<Map<string, string[]> | undefined> {
  const plugins = await namesIn(path);
  if (plugins === undefined) return undefined;
  const names = new Map<string, string[]>();
  for (const plugin of plugins) names.set(plugin, (await namesIn(`${path}/${plugin}`)) ?? []);
  return names;
}

async function namesIn(path: string): Promise<string[] | undefined> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    // Links are nothing that the kubelet makes here, but for devices.
    const isDevices = path.includes('/volumeDevices/');
    return entries.filter(entry => isDevices || entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const text = `cannot look for volumes in ${path} (${code ?? String(error)})`;
    const advice = 'the agent has to run as root, or with CAP_DAC_READ_SEARCH';
    throw new EngineError('VOLUME_NOT_FOUND', `${text}; ${advice}`, { cause: error });
  }
}
