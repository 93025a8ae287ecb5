// Whether a move is stuck, as one pure function of what is known of it. Velero's server waits for
// each of them until the deadline of the whole backup, and then has none of them; a move whose node
// or agent is gone is ended before that, with the reason, so that the others count.
//
// What an agent that is there has, it cares for itself: nothing of it is ever touched. And the end
// is always Failed, which every CRD has and every server counts; on a Canceled one servers from
// 1.17.0 to 1.18.2 wait for ever (Velero issues 9464, 10117).

import { formatDuration } from '#engine/cli/quantity.ts';
import { isTerminal, phaseOf } from '#agent/moves/phases.ts';

/** Of the node that the move is to run on. */
export type AgentState =
  /** It has a session, or its pod runs. */
  | { readonly kind: 'there' }
  /** Neither, for so long as this controller has seen it. */
  | { readonly kind: 'absent'; readonly forMs: number }
  /** Nor is there the Node. */
  | { readonly kind: 'node-gone'; readonly forMs: number };

/** Of the pod that a restore is to fill. */
export type RestoredPod =
  /** Its helper waits for the volume. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'waiting'; readonly why: string }
  | { readonly kind: 'gone'; readonly forMs: number }
  /** Nobody has looked. */
  | { readonly kind: 'unknown' };

export interface StuckView {
  readonly phase: string | undefined;
  readonly isDeleting: boolean;
  /** Since it was asked for. */
  readonly ageMs: number;
  /** Undefined for a restore whose pod is on none yet. */
  readonly node: string | undefined;
  /** Of that node. */
  readonly agent: AgentState;
  /** A stock agent's mover pod has it, which goes on by itself. */
  readonly hasMoverPod: boolean;
  /** Undefined for a backup. */
  readonly pod: RestoredPod | undefined;
  /** `shop/web-0` */
  readonly podName: string;
}

export interface StuckLimits {
  /** An agent that is away for longer is not waited for. */
  readonly agentAbsenceMs: number;
  /** By when it has to have begun; a little before the server stops to wait. */
  readonly startDeadlineMs: number;
}

export type StuckAction =
  | { readonly type: 'leave' }
  /** To be told once for each cause. */
  | { readonly type: 'explain'; readonly message: string }
  | { readonly type: 'fail'; readonly message: string };

/** A Node may be made again by its kubelet, with the same name. */
export const NODE_GONE_MS = 30_000;
/** What is quicker than that needs no explanation. */
export const EXPLAIN_MS = 60_000;

const LEAVE: StuckAction = Object.freeze({ type: 'leave' });

export function decideStuck(view: StuckView, limits: StuckLimits): StuckAction {
  const phase = phaseOf(view.phase);
  // A phase of a later Velero is nothing that we know how to end.
  if (phase === undefined || isTerminal(phase) || view.isDeleting) return LEAVE;
  const isBegun = phase === 'InProgress' || phase === 'Canceling';
  const isCaredFor = view.node !== undefined && view.agent.kind === 'there';
  if (view.hasMoverPod) return LEAVE;
  if (isCaredFor) return isBegun ? LEAVE : explained(view);
  const gone = whatIsGone(view, limits);
  if (gone !== undefined) return { type: 'fail', message: gone };
  if (isBegun) return LEAVE;
  if (view.ageMs < limits.startDeadlineMs) return explained(view);
  const within = `it could not begin within ${formatDuration(limits.startDeadlineMs)}`;
  return { type: 'fail', message: `${within}: ${whyWaiting(view)}` };
}

function whatIsGone({ node, agent, pod, podName }: StuckView, limits: StuckLimits) {
  if (node === undefined) {
    const isGone = pod?.kind === 'gone' && pod.forMs >= limits.agentAbsenceMs;
    return isGone ? `pod ${podName} is gone, so nothing can be restored into it` : undefined;
  }
  if (agent.kind === 'node-gone' && agent.forMs >= NODE_GONE_MS) {
    return `node ${node} is gone, and its agent with it`;
  }
  if (agent.kind === 'there' || agent.forMs < limits.agentAbsenceMs) return undefined;
  return `node ${node} has had no running agent for ${formatDuration(agent.forMs)}`;
}

function explained(view: StuckView): StuckAction {
  const { pod, ageMs } = view;
  if (pod === undefined || pod.kind === 'ready' || pod.kind === 'unknown') return LEAVE;
  return ageMs < EXPLAIN_MS ? LEAVE : { type: 'explain', message: whyWaiting(view) };
}

function whyWaiting({ node, agent, pod, podName }: StuckView): string {
  if (node !== undefined && agent.kind !== 'there') return `node ${node} has no running agent`;
  if (pod?.kind === 'gone') return `pod ${podName}, which it is to fill, is not there`;
  if (pod?.kind === 'waiting') return `pod ${podName}, which it is to fill, ${pod.why}`;
  return 'nobody has begun it';
}
