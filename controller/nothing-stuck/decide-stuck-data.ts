// Whether the move of a snapshot is stuck. Nothing is touched where an agent runs: that one has
// time limits of its own. Until it is prepared it is anybody's: any agent may accept it, and any
// agent ends one that was accepted and is not prepared within half an hour (Velero
// pkg/controller/data_upload_controller.go).

import { formatDuration } from '#engine/cli/quantity.ts';
import { isTerminal, type Phase, phaseOf } from '#agent/moves/phases.ts';
import {
  type AgentState,
  NODE_GONE_MS,
  type StuckAction,
  type StuckLimits,
} from './decide-stuck.ts';

export interface DataMoveView {
  readonly phase: string | undefined;
  /** Since it was asked for. */
  readonly ageMs: number;
  /** Where it is made, or was accepted. */
  readonly node: string | undefined;
  /** On `node`; before it is prepared, any in the cluster. */
  readonly agent: AgentState;
  /** A mover pod of Velero's runs, which works alone. */
  readonly hasMoverPod: boolean;
}

const LEAVE: StuckAction = Object.freeze({ type: 'leave' });

/** Before that whoever runs may have it. */
export function isAnybodys(phase: string | undefined): boolean {
  const known = phaseOf(phase);
  return known === 'New' || known === 'Accepted';
}

export function decideStuckData(view: DataMoveView, limits: StuckLimits): StuckAction {
  const phase = phaseOf(view.phase);
  // A phase of a later Velero is nothing that we know how to end.
  if (phase === undefined || isTerminal(phase) || view.agent.kind === 'there') return LEAVE;
  // The pod of one that is prepared waits for its agent; one that has begun goes on by itself.
  if (view.hasMoverPod && isBegun(phase) && view.agent.kind !== 'node-gone') return LEAVE;
  const message = whyStuck(phase, view, limits);
  return message === undefined ? LEAVE : { type: 'fail', message };
}

function whyStuck(
  phase: Phase,
  { node, agent, ageMs }: DataMoveView,
  { agentAbsenceMs, startDeadlineMs }: StuckLimits,
): string | undefined {
  if (agent.kind === 'there') return undefined;
  if (agent.kind === 'node-gone' && agent.forMs >= NODE_GONE_MS) {
    return `node ${node ?? ''} is gone, and its agent with it`;
  }
  if (agent.forMs < agentAbsenceMs) return undefined;
  const since = formatDuration(agent.forMs);
  if (phase === 'Accepted') return `no node agent has run for ${since}`;
  if (phase !== 'New') return `node ${node ?? ''} has had no running node agent for ${since}`;
  if (ageMs < startDeadlineMs) return undefined;
  return `it could not begin within ${formatDuration(startDeadlineMs)}: no node agent runs`;
}

function isBegun(phase: Phase): boolean {
  return phase === 'InProgress' || phase === 'Canceling';
}
