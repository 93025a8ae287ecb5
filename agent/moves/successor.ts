// Whether another agent of ours comes after this one: then what is InProgress is left to it, which
// goes on from the last checkpoint. A stock agent would cancel it, and its server would hang.

import type { Clock } from '#engine/base/clock.ts';
import { deadline } from '#engine/base/deadline.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { backOffMs, type BackOffPolicy } from '#kube/back-off.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { KubeObject, ObjectName, Resource } from '#kube/kube-object.ts';

const DAEMON_SETS: Resource = Object.freeze({
  group: 'apps',
  version: 'v1',
  plural: 'daemonsets',
  kind: 'DaemonSet',
  isNamespaced: true,
});

interface DaemonSet extends KubeObject {
  readonly spec?: { readonly template?: { readonly metadata?: Partial<KubeObject['metadata']> } };
}

/** What the pods of our DaemonSet have and those of a stock one have not. */
export interface PodMark {
  readonly label: string;
  readonly value: string;
}

const SUCCESSOR_BACK_OFF: BackOffPolicy = Object.freeze({ firstDelayMs: 100, delayMsMax: 1000 });

export interface SuccessorSearch {
  readonly clock: Clock;
  /** How long a server that does not answer is asked: it may be restarted as we are. */
  readonly withinMs: number;
}

/** False too when that cannot be found out: a move that Failed needlessly is tried again. */
export async function hasSuccessor(
  client: Pick<KubeClient, 'get'>,
  name: ObjectName,
  mark: PodMark,
  { clock, withinMs }: SuccessorSearch,
): Promise<boolean> {
  using end = deadline(clock, withinMs);
  for (let failures = 1; ; failures++) {
    const answer = await ask(client, name, mark, end.signal);
    if (answer !== undefined) return answer;
    const delayMs = backOffMs(SUCCESSOR_BACK_OFF, failures, Math.random());
    await clock.sleep(delayMs, end.signal).catch(() => undefined);
  }
}

/** Undefined where it is worth asking again. */
async function ask(
  client: Pick<KubeClient, 'get'>,
  name: ObjectName,
  mark: PodMark,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  try {
    const { metadata, spec } = await client.get<DaemonSet>(DAEMON_SETS, name, { signal });
    const isStaying = metadata.deletionTimestamp === undefined;
    return isStaying && spec?.template?.metadata?.labels?.[mark.label] === mark.value;
  } catch (error) {
    if (!isEngineError(error)) throw error;
    return error.retryable && !signal.aborted ? undefined : false;
  }
}
