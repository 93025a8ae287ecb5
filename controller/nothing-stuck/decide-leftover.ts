// Whether what a move has left behind goes now. An agent that runs on its node may still be at it,
// deleting it itself, and has a long time for that.

import type { AgentState } from './decide-stuck.ts';
import type { StuckLimits } from './decide-stuck.ts';

export interface LeftoverView {
  /** For how long this controller has seen it there, and its move at an end. */
  readonly forMs: number;
  /** Of its node. */
  readonly agent: AgentState;
}

/** An agent that has not deleted it by then does not do it any more. */
export const LEFT_TO_AGENT_MS = 3_600_000;

export function isToGo({ forMs, agent }: LeftoverView, { agentAbsenceMs }: StuckLimits): boolean {
  if (forMs >= LEFT_TO_AGENT_MS) return true;
  return agent.kind !== 'there' && Math.min(forMs, agent.forMs) >= agentAbsenceMs;
}
