// Checks about nodes: the kubelet's directories and the disk of the cache. On a node, or in a pod
// of an agent, they are looked at; from elsewhere agents of ours are asked, and what nobody can
// tell is said to be unseen.

import { readdir, stat } from 'node:fs/promises';
import { isEngineError, messageOf, systemCodeOf } from '#engine/base/errors.ts';
import { formatBytes } from '#engine/cli/quantity.ts';
import { readDisk } from '#engine/cache/disk-space.ts';
import { readKubeletLines } from '#engine/cache/kubelet-configuration.ts';
import { cacheLimit, type LimitReason, marginBytes } from '#engine/cache/limit.ts';
import { locationOf, readMounts } from '#engine/cache/location.ts';
import { isReady } from '#kube/ready-condition.ts';
import type { Cluster } from './cluster-verb.ts';
import { failure, fine, type Finding, warning } from './finding.ts';
import { type AgentPod, askPod, isOurs, samplesOf } from './installed-agents.ts';

/** Stock mounts it there, and so does our chart. */
const HOST_PODS = '/host_pods';
const KUBELET_PODS = '/var/lib/kubelet/pods';
const NODES_SHOWN_MAX = 20;

/** The disk of `directory` as a cache there would see it, and the limit that it would get. */
export async function checkLocalDisk(directory: string): Promise<readonly Finding[]> {
  const check = `disk of ${directory}`;
  const location = locationOf(readMounts(), directory);
  const [disk, kubelet] = await Promise.all([
    // Of a directory that is not there the system's tools would tell about the one above.
    stat(directory)
      .then(() => readDisk(directory, location?.fileSystem))
      .catch(systemCodeOf),
    readKubeletLines({}),
  ]);
  if (disk === undefined || typeof disk === 'string') {
    const text = `cannot be looked at (${disk ?? 'no reason'})`;
    return [failure(check, text, 'give another directory by --cache-dir')];
  }
  const isVolume = location?.kind === 'volume' || location?.kind === 'tmpfs';
  const settings = { evictionLines: isVolume ? [] : kubelet.lines };
  const state = { ...disk, ownBytes: 0, ownInodes: 0, fallBytesPerSecond: 0 };
  const { amount, reason } = cacheLimit(settings, state).bytes;
  const free = `${formatBytes(disk.freeBytes)} of ${formatBytes(disk.totalBytes)} free`;
  const margin = formatBytes(marginBytes(settings, state));
  const why = `${reasonText(reason)}, less a margin of ${margin}`;
  const where = `${location?.kind ?? 'unknown place'}, lines from ${kubelet.origin}`;
  const text = `${free}; a cache would get at most ${formatBytes(amount)}: ${why} (${where})`;
  if (amount > 0) return [fine(check, text)];
  return [warning(check, text, 'make room, or give the cache a volume of its own (docs/cache.md)')];
}

function reasonText(reason: LimitReason): string {
  if (reason === 'file system') return 'what is free';
  return `what is free above the kubelet's line ${reason}`;
}

/** The kubelet's directory of pods, where this runs beside it. */
export async function checkHostPods(): Promise<readonly Finding[] | undefined> {
  for (const directory of [HOST_PODS, KUBELET_PODS]) {
    try {
      const { length } = await readdir(directory);
      return [fine('kubelet directory', `${directory} can be read, ${length} pods`)];
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT') continue;
      const text = `${directory} cannot be read: ${messageOf(error)}`;
      return [failure('kubelet directory', text, 'run it as root, or in a pod of an agent')];
    }
  }
  return undefined;
}

export interface AgentNodesParts {
  readonly connection: Cluster['connection'];
  readonly pods: readonly AgentPod[];
  readonly namespace: string;
  /** One alone. */
  readonly node: string | undefined;
  /** Where their DaemonSet says that the kubelet has the volumes of pods. */
  readonly podVolumePath: string | undefined;
  readonly signal: AbortSignal;
}

export async function checkAgentNodes(parts: AgentNodesParts): Promise<readonly Finding[]> {
  const { pods, node, podVolumePath, namespace } = parts;
  const asked = pods.filter(({ spec }) => node === undefined || spec?.nodeName === node);
  const exec = `on the node: stevedore preflight --cache-dir DIR (or kubectl debug node/NAME)`;
  if (asked.length === 0) {
    const where = node === undefined ? 'no node has an agent' : `node ${node} has no agent`;
    const text = `${where} to ask: paths and disks are not seen from here`;
    return [warning('nodes', text, exec)];
  }
  const ours = asked.filter(({ spec }) => isOurs(spec));
  if (ours.length === 0) {
    const path = podVolumePath ?? 'a path that is not told';
    const text = `agents are Velero's own; they mount ${path} as the kubelet's directory`;
    return [warning('nodes', `${text}, and disks are not seen from here`, exec)];
  }
  const findings: Finding[] = [];
  for (const pod of ours.slice(0, NODES_SHOWN_MAX))
    findings.push(...(await checkAgent(parts, pod)));
  const more = ours.length - NODES_SHOWN_MAX;
  if (more > 0) {
    const advice = 'ask for one by --node NAME';
    findings.push(warning('nodes', `${more} more nodes were not asked in ${namespace}`, advice));
  }
  return findings;
}

async function checkAgent(
  { connection, signal, namespace }: AgentNodesParts,
  pod: AgentPod,
): Promise<readonly Finding[]> {
  const check = `node ${pod.spec?.nodeName ?? '?'}`;
  const { name } = pod.metadata;
  if (!isReady(pod)) {
    // Its reasons are in the body of a 503, which the API server's proxy hands on as an error.
    const advice = `kubectl -n ${namespace} describe pod ${name}, and its log`;
    return [failure(check, `the agent ${name} is not ready`, advice)];
  }
  let metrics: string;
  try {
    metrics = await askPod(connection, pod, '/metrics', signal);
  } catch (error) {
    // One that cannot be asked, because of a right or a network policy, hides no other.
    if (!isEngineError(error) || error.code === 'ABORTED') throw error;
    const text = `the agent ${name} is ready; its cache is not seen: ${messageOf(error)}`;
    const advice = `kubectl -n ${namespace} exec ${name} -- stevedore preflight --cache-dir /cache`;
    return [warning(check, text, advice)];
  }
  const [limit] = samplesOf(metrics, 'stevedore_cache_limit_bytes');
  const [free] = samplesOf(metrics, 'stevedore_cache_disk_free_bytes');
  const ready = 'the agent is ready: host paths, rights and resources are there';
  if (limit === undefined) return [fine(check, `${ready}; it has no cache`)];
  const why = /reason="([^"]*)"/.exec(limit.labels)?.[1] ?? 'not told';
  const disk = free === undefined ? '' : `, ${formatBytes(free.value)} of its disk are free`;
  return [fine(check, `${ready}; cache limit ${formatBytes(limit.value)} by ${why}${disk}`)];
}
