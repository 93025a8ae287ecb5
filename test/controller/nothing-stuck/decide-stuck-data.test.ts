// Which moves of snapshots are stuck, as a table.

import t from 'tap';
import { type DataMoveView, decideStuckData } from '#controller/nothing-stuck/decide-stuck-data.ts';

const MINUTE = 60_000;
const LIMITS = { agentAbsenceMs: 10 * MINUTE, startDeadlineMs: 240 * MINUTE };
const absent = (minutes: number) => ({ kind: 'absent', forMs: minutes * MINUTE }) as const;
const gone = (minutes: number) => ({ kind: 'node-gone', forMs: minutes * MINUTE }) as const;
const MOVE: DataMoveView = {
  ...{ phase: 'InProgress', ageMs: 600 * MINUTE, node: 'n1', agent: absent(600) },
  hasMoverPod: false,
};
const THERE = { kind: 'there' } as const;

const LEFT: readonly (readonly [string, DataMoveView])[] = [
  ['a phase of a later Velero', { ...MOVE, phase: 'Paused' }],
  ...['Completed', 'Failed', 'Canceled'].map(phase => [phase, { ...MOVE, phase }] as const),
  ...['New', 'Accepted', 'Prepared', 'InProgress', 'Canceling'].map(
    phase => [`${phase}, and an agent is there`, { ...MOVE, phase, agent: THERE }] as const,
  ),
  ['an agent is away for a short time', { ...MOVE, agent: absent(9) }],
  ['a Node that may come back', { ...MOVE, agent: gone(0.4) }],
  ['its pod goes on by itself', { ...MOVE, hasMoverPod: true }],
  ['new, and no agent yet', { ...MOVE, phase: 'New', node: undefined, ageMs: 239 * MINUTE }],
  ['new, agents away for a short time', { ...MOVE, phase: 'New', agent: absent(1) }],
  ['accepted, agents away for a short time', { ...MOVE, phase: 'Accepted', agent: absent(1) }],
];

for (const [what, view] of LEFT) {
  t.test(`left alone: ${what}`, async t => {
    t.strictSame(decideStuckData(view, LIMITS), { type: 'leave' });
  });
}

const NONE = 'node n1 has had no running node agent for 10 h';
const FAILED: readonly (readonly [DataMoveView, string])[] = [
  [MOVE, NONE],
  [{ ...MOVE, phase: 'Canceling' }, NONE],
  [{ ...MOVE, phase: 'Prepared', hasMoverPod: true }, NONE],
  [{ ...MOVE, agent: gone(1) }, 'node n1 is gone, and its agent with it'],
  [{ ...MOVE, agent: gone(1), hasMoverPod: true }, 'node n1 is gone, and its agent with it'],
  [{ ...MOVE, phase: 'Accepted' }, 'no node agent has run for 10 h'],
  [{ ...MOVE, phase: '', node: undefined }, 'it could not begin within 4 h: no node agent runs'],
];

for (const [view, message] of FAILED) {
  t.test(`failed: ${message} (${view.phase === '' ? 'no phase' : view.phase})`, async t => {
    t.strictSame(decideStuckData(view, LIMITS), { type: 'fail', message });
  });
}
