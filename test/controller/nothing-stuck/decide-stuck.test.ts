// What is stuck and what is not, as a table.

import t from 'tap';
import { decideStuck, type StuckView } from '#controller/nothing-stuck/decide-stuck.ts';

const MINUTE = 60_000;
const LIMITS = { agentAbsenceMs: 10 * MINUTE, startDeadlineMs: 240 * MINUTE };
const THERE = { kind: 'there' } as const;
const GONE = { kind: 'node-gone', forMs: MINUTE } as const;
const absent = (minutes: number) => ({ kind: 'absent', forMs: minutes * MINUTE }) as const;

const BACKUP: StuckView = {
  phase: 'New',
  isDeleting: false,
  ageMs: 5 * MINUTE,
  node: 'n1',
  agent: THERE,
  hasMoverPod: false,
  pod: undefined,
  podName: 'shop/web',
};
const RESTORE: StuckView = { ...BACKUP, node: undefined, pod: { kind: 'ready' } };
const WAITING = { kind: 'waiting', why: 'is on no node yet: no room' } as const;

const LEFT: readonly (readonly [string, StuckView])[] = [
  ['an agent is there, however long it takes', { ...BACKUP, ageMs: 1e9 }],
  ['an agent is there and moves it', { ...BACKUP, phase: 'InProgress', ageMs: 1e9 }],
  ['it is at its end', { ...BACKUP, phase: 'Completed', agent: GONE }],
  ['it was cancelled', { ...BACKUP, phase: 'Canceled', agent: GONE }],
  ['nobody knows its phase', { ...BACKUP, phase: 'Dreaming', agent: GONE }],
  ['it is being deleted', { ...BACKUP, isDeleting: true, agent: GONE }],
  ['a mover pod has it', { ...BACKUP, hasMoverPod: true, agent: absent(60) }],
  ['the agent is away for a moment', { ...BACKUP, agent: absent(9) }],
  ['the node is gone since a moment', { ...BACKUP, agent: { ...GONE, forMs: 29_000 } }],
  [
    'it has begun, and its agent is away for a moment, after the deadline',
    { ...BACKUP, phase: 'InProgress', ageMs: 1e9, agent: absent(9) },
  ],
  ['its pod waits since a moment', { ...RESTORE, pod: WAITING, ageMs: MINUTE / 2 }],
  ['its pod waits for it, and the agent knows', { ...RESTORE, node: 'n1' }],
  ['nobody has looked at its pod', { ...RESTORE, pod: { kind: 'unknown' } }],
];

for (const [why, view] of LEFT) {
  t.test(`left alone: ${why}`, async t => {
    t.strictSame(decideStuck(view, LIMITS), { type: 'leave' });
  });
}

const FAILED: readonly (readonly [StuckView, string])[] = [
  [{ ...BACKUP, agent: GONE }, 'node n1 is gone, and its agent with it'],
  [{ ...BACKUP, phase: 'InProgress', agent: GONE }, 'node n1 is gone, and its agent with it'],
  [{ ...BACKUP, phase: 'Canceling', agent: GONE }, 'node n1 is gone, and its agent with it'],
  [{ ...BACKUP, phase: '', agent: absent(10) }, 'node n1 has had no running agent for 10 min'],
  [
    { ...BACKUP, phase: 'Prepared', agent: absent(1), ageMs: 240 * MINUTE },
    'it could not begin within 4 h: node n1 has no running agent',
  ],
  [
    { ...RESTORE, pod: WAITING, ageMs: 240 * MINUTE },
    'it could not begin within 4 h: pod shop/web, which it is to fill, is on no node yet: no room',
  ],
  [
    { ...RESTORE, pod: { kind: 'gone', forMs: 10 * MINUTE } },
    'pod shop/web is gone, so nothing can be restored into it',
  ],
];

for (const [view, message] of FAILED) {
  t.test(`failed: ${message} (${view.phase === '' ? 'no phase' : view.phase})`, async t => {
    t.strictSame(decideStuck(view, LIMITS), { type: 'fail', message });
  });
}

t.test('a restore whose pod does not wait for it yet is explained', async t => {
  const message = 'pod shop/web, which it is to fill, is on no node yet: no room';
  const old = { ...RESTORE, pod: WAITING };
  t.strictSame(decideStuck(old, LIMITS), { type: 'explain', message });
  t.match(decideStuck({ ...old, node: 'n1' }, LIMITS), { type: 'explain' }, 'the agent is there');
  const gone = decideStuck({ ...RESTORE, pod: { kind: 'gone', forMs: MINUTE } }, LIMITS);
  t.match(gone, { type: 'explain', message: /is not there$/ });
});
