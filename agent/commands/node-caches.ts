// How near the caches of nodes are to their limits: as the controller knows it, or else as each
// agent says of itself.

import type { ClusterOverview } from '#proto/overview-messages.ts';
import type { Cluster } from './cluster-verb.ts';
import { type AgentPod, askPod, isOurs, isReady, samplesOf } from './installed-agents.ts';

export interface NodeCache {
  readonly node: string;
  readonly usedBytes: number;
  readonly limitBytes: number;
  readonly diskFreeBytes: number | undefined;
}

/** Each is asked by the API server's proxy. */
const AGENTS_ASKED_MAX = 20;

export function cachesOfNodes({ nodes }: ClusterOverview): readonly NodeCache[] {
  return nodes
    .flatMap(({ name, heartbeat }) => {
      const { cache, diskFreeBytes } = heartbeat ?? {};
      if (cache === undefined) return [];
      const { usedBytes, limitBytes } = cache;
      return [{ node: name, usedBytes, limitBytes, diskFreeBytes }];
    })
    .toSorted(nearestFirst);
}

interface AskedParts extends Pick<Cluster, 'connection'> {
  readonly signal: AbortSignal;
}

type Look<Seen> = (node: string, look: () => Promise<Seen>) => Promise<Seen | undefined>;

/** @param saw tells of an agent that cannot be asked; undefined for that one then */
export async function cachesOfAgents(
  { connection, signal }: AskedParts,
  pods: readonly AgentPod[],
  saw: Look<NodeCache | null>,
): Promise<readonly NodeCache[]> {
  const asked = pods.filter(pod => isOurs(pod.spec) && isReady(pod)).slice(0, AGENTS_ASKED_MAX);
  const found: NodeCache[] = [];
  for (const pod of asked) {
    const node = pod.spec?.nodeName ?? '';
    const cache = await saw(node, async () => {
      return cacheIn(node, await askPod(connection, pod, '/metrics', signal));
    });
    // Where one may not be asked, nor may the others.
    if (cache === undefined) break;
    if (cache !== null) found.push(cache);
  }
  return found.toSorted(nearestFirst);
}

/** Null where it has none. */
function cacheIn(node: string, metrics: string): NodeCache | null {
  const [limit] = samplesOf(metrics, 'stevedore_cache_limit_bytes');
  if (limit === undefined) return null;
  const used = samplesOf(metrics, 'stevedore_cache_used_bytes');
  const [free] = samplesOf(metrics, 'stevedore_cache_disk_free_bytes');
  const usedBytes = used.reduce((sum, { value }) => sum + value, 0);
  return { node, usedBytes, limitBytes: limit.value, diskFreeBytes: free?.value };
}

function nearestFirst(one: NodeCache, other: NodeCache): number {
  return shareOf(other) - shareOf(one) || (one.node < other.node ? -1 : 1);
}

export function shareOf({ usedBytes, limitBytes }: NodeCache): number {
  return limitBytes <= 0 ? Infinity : usedBytes / limitBytes;
}
