// The protocol with a part taken away, as if its author had forgotten it: a simulation that does
// not notice is worth nothing.

import type { SlotAnswer, SlotReport } from '#proto/slot-messages.ts';
import type { SimulatedAgent } from './simulated-agent.ts';

let answerNumber = 1e9;

/** An agent that takes any grant for anything it waits for, however old. */
export function withoutFences(agent: SimulatedAgent, answer: SlotAnswer): SlotAnswer {
  const report = agent.slots?.report(agent.clockMs);
  if (report === undefined) return answer;
  const numberOf = new Map(report.requests.map(({ id, number }) => [id, number]));
  const grants = answer.grants.map(grant => ({
    ...grant,
    number: numberOf.get(grant.id) ?? grant.number,
  }));
  const { session, epoch, sequence, sentAtMs } = report;
  return {
    ...answer,
    session,
    epoch: Math.max(epoch, answer.epoch),
    number: ++answerNumber,
    heard: { sequence, sentAtMs },
    grants,
  };
}

/** Members that nobody knows to be such. */
export function withoutGangs(report: SlotReport): SlotReport {
  return { ...report, requests: report.requests.map(({ gang: _, ...request }) => request) };
}
