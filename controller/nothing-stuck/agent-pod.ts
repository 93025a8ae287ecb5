// Which pods in Velero's namespace are agents.

import type { Pod } from '#agent/moves/objects/pod.ts';

export interface AgentPod extends Pod {
  readonly spec?: Pod['spec'] & { readonly serviceAccountName?: string };
}

/** `name` of the pods of both of Velero's DaemonSets, and of ours. */
const AGENT_LABEL = /^node-agent(-windows)?$/;

export function hasAgentLabel({ metadata }: AgentPod): boolean {
  return AGENT_LABEL.test(metadata.labels?.['name'] ?? '');
}

/**
 * Anybody's, and ours by its account as well. One that is being deleted runs on for its grace
 * period, and ends what it has.
 */
export function isRunningAgent(pod: AgentPod, serviceAccount: string): boolean {
  const isOne = hasAgentLabel(pod) || pod.spec?.serviceAccountName === serviceAccount;
  return isOne && pod.status?.phase === 'Running';
}
