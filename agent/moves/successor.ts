// Whether another agent of ours comes after this one: then what is InProgress is left to it, which
// goes on from the last checkpoint. A stock agent would cancel it, and its server would hang.

import { isEngineError } from '#engine/base/errors.ts';
import type { CallOptions, KubeClient } from '#kube/kube-client.ts';
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

/** False too when that cannot be found out: a move that Failed needlessly is tried again. */
export async function hasSuccessor(
  client: KubeClient,
  name: ObjectName,
  mark: PodMark,
  options: CallOptions = {},
): Promise<boolean> {
  try {
    const { metadata, spec } = await client.get<DaemonSet>(DAEMON_SETS, name, options);
    const isStaying = metadata.deletionTimestamp === undefined;
    return isStaying && spec?.template?.metadata?.labels?.[mark.label] === mark.value;
  } catch (error) {
    if (isEngineError(error)) return false;
    throw error;
  }
}
