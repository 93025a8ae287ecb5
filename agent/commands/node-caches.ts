// How near the caches of nodes are to their limits: as the controller knows it, or else as each
// agent says of itself.

import { EngineError, isEngineError } from '#engine/base/errors.ts';
import { isReady } from '#kube/ready-condition.ts';
import type { ClusterOverview } from '#proto/overview-messages.ts';
import type { Cluster } from './cluster-verb.ts';
import { type AgentPod, askPod, isOurs, samplesOf } from './installed-agents.ts';

export interface NodeCache {
  readonly node: string;
  readonly usedBytes: number;
  readonly limitBytes: number;
  readonly diskFreeBytes: number | undefined;
}

/** Each is asked by the API server's proxy. */
const AGENTS_ASKED_MAX = 20;
/** Of those that are asked: a few nodes may be away, and each takes its time. */
const FAILURES_MAX = 3;
const ANSWER_MS_MAX = 5000;

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

type Look<Seen> = (what: string, look: () => Promise<Seen>) => Promise<Seen | undefined>;

/** @param saw tells of what cannot be asked; undefined for that one then */
export async function cachesOfAgents(
  parts: AskedParts,
  pods: readonly AgentPod[],
  saw: Look<NodeCache | null>,
): Promise<readonly NodeCache[]> {
  const ours = pods.filter(pod => isOurs(pod.spec) && isReady(pod));
  const found: NodeCache[] = [];
  let failureCount = 0;
  for (const pod of ours.slice(0, AGENTS_ASKED_MAX)) {
    const node = pod.spec?.nodeName ?? '';
    let isForbidden = false;
    const cache = await saw(`cache of node ${node}`, async () => {
      try {
        return cacheIn(node, await metricsOf(parts, pod));
      } catch (error) {
        isForbidden = isEngineError(error, 'KUBE_FORBIDDEN');
        throw error;
      }
    });
    if (cache) found.push(cache);
    if (cache === undefined) failureCount += 1;
    // Where one may not be asked, nor may the others.
    if (isForbidden || failureCount >= FAILURES_MAX) return found.toSorted(nearestFirst);
  }
  const restCount = ours.length - AGENTS_ASKED_MAX;
  if (restCount > 0) {
    await saw(`caches of ${restCount} further nodes`, async () => {
      const why = `without a controller ${AGENTS_ASKED_MAX} agents are asked`;
      throw new EngineError('LIMIT_EXCEEDED', why);
    });
  }
  return found.toSorted(nearestFirst);
}

/** One that hangs does not hold up the rest. */
async function metricsOf({ connection, signal }: AskedParts, pod: AgentPod): Promise<string> {
  const time = AbortSignal.timeout(ANSWER_MS_MAX);
  try {
    return await askPod(connection, pod, '/metrics', AbortSignal.any([signal, time]));
  } catch (error) {
    if (signal.aborted || !time.aborted) throw error;
    const text = `pod ${pod.metadata.name} does not answer within ${ANSWER_MS_MAX / 1000} s`;
    throw new EngineError('KUBE_TIMEOUT', text);
  }
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
