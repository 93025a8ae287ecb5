// Whether another agent of ours comes after this one: then what is InProgress is left to it, which
// goes on from the last checkpoint. A stock agent would cancel it, and its server would hang.

import type { Clock } from '#engine/base/clock.ts';
import { deadline } from '#engine/base/deadline.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { backOffMs, type BackOffPolicy } from '#engine/base/back-off.ts';
import { DAEMON_SETS, NODES } from '#kube/core-resources.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import { type KubeObject, keyOf, type ObjectName } from '#kube/kube-object.ts';
import type { Pod } from './objects/pod.ts';
import { type NodePlacement, type PlacedNode, wantsNode } from './wanted-node.ts';

interface PodTemplate {
  readonly metadata?: Partial<KubeObject['metadata']>;
  readonly spec?: Pick<NonNullable<Pod['spec']>, 'containers'> & NodePlacement;
}

interface DaemonSet extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly generation?: number };
  readonly spec?: { readonly template?: PodTemplate };
  readonly status?: {
    readonly desiredNumberScheduled?: number;
    readonly observedGeneration?: number;
  };
}

/** What the pods of our DaemonSet have and those of a stock one have not. Any of it is enough. */
export interface PodMarks {
  readonly label: string;
  readonly value: string;
  /** Of the container that this process runs in: the same image is the same program. */
  readonly container: string;
  readonly image: string | undefined;
}

const SUCCESSOR_BACK_OFF: BackOffPolicy = Object.freeze({ firstDelayMs: 100, delayMsMax: 1000 });

export interface SuccessorSearch {
  readonly clock: Clock;
  /** Where this agent is. */
  readonly nodeName: string;
  /** How long a server that does not answer is asked: it may be restarted as we are. */
  readonly withinMs: number;
}

/** False too when that cannot be found out: a move that Failed needlessly is tried again. */
export async function hasSuccessor(
  client: Pick<KubeClient, 'get'>,
  name: ObjectName,
  marks: PodMarks,
  { clock, nodeName, withinMs }: SuccessorSearch,
): Promise<boolean> {
  using end = deadline(clock, withinMs);
  const { signal } = end;
  for (let failures = 1; ; failures++) {
    const answer = await ask(client, name, marks, { nodeName, signal });
    if (answer !== undefined) return answer;
    const delayMs = backOffMs(SUCCESSOR_BACK_OFF, failures, Math.random());
    await clock.sleep(delayMs, signal).catch(() => undefined);
  }
}

/** Undefined where it is worth asking again. */
async function ask(
  client: Pick<KubeClient, 'get'>,
  name: ObjectName,
  marks: PodMarks,
  { nodeName, signal }: { readonly nodeName: string; readonly signal: AbortSignal },
): Promise<boolean | undefined> {
  try {
    const daemonSet = await client.get<DaemonSet>(DAEMON_SETS, name, { signal });
    const { template } = daemonSet.spec ?? {};
    const isStaying = daemonSet.metadata.deletionTimestamp === undefined && !isNowhere(daemonSet);
    if (!isStaying || template === undefined || !isOurs(template, marks)) return false;
    return await isWanted(client, template, { nodeName, signal });
  } catch (error) {
    if (!isEngineError(error)) throw error;
    return error.retryable && !signal.aborted ? undefined : false;
  }
}

/** Wanted on no node, by what its controller has made of the template as it is now. */
function isNowhere({ metadata, status }: DaemonSet): boolean {
  const isCurrent = status?.observedGeneration === metadata.generation;
  return isCurrent && status?.desiredNumberScheduled === 0;
}

/** Also where that cannot be found out: mostly nothing has changed, and the next one comes. */
async function isWanted(
  client: Pick<KubeClient, 'get'>,
  { spec }: PodTemplate,
  { nodeName: name, signal }: { readonly nodeName: string; readonly signal: AbortSignal },
): Promise<boolean> {
  try {
    return wantsNode(spec ?? {}, await client.get<PlacedNode>(NODES, { name }, { signal }));
  } catch (error) {
    if (!isEngineError(error)) throw error;
    return true;
  }
}

/**
 * Another tag of the same image proves nothing: one repository of a registry may hold our images
 * and those of Velero.
 */
function isOurs({ metadata, spec }: PodTemplate, marks: PodMarks): boolean {
  if (metadata?.labels?.[marks.label] === marks.value) return true;
  const image = imageOf(spec, marks.container);
  return image !== undefined && image === marks.image;
}

/**
 * The image of the pod that this process runs in, which is called like its host name; undefined
 * where no pod of that DaemonSet is: outside of a cluster, or in the network of the host.
 */
export function ownImage(
  pods: { get(key: string): Pod | undefined },
  { namespace, name: daemonSet }: ObjectName,
  { hostName, container }: { readonly hostName: string; readonly container: string },
): string | undefined {
  const pod = pods.get(keyOf({ metadata: { namespace, name: hostName } }));
  const isOfDaemonSet = pod?.metadata.ownerReferences?.some(
    ({ kind, name, controller }) => kind === 'DaemonSet' && name === daemonSet && controller,
  );
  return isOfDaemonSet ? imageOf(pod?.spec, container) : undefined;
}

function imageOf(spec: PodTemplate['spec'], container: string): string | undefined {
  return spec?.containers?.find(({ name }) => name === container)?.image;
}
