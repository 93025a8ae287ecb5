// What is done in each state of a move that any agent may accept, and whose volume has to be made.

import t from 'tap';
import { ACCEPT_LOOK_MS, decide, type MoveAction } from '#agent/moves/phase-machine.ts';
import type { MoveView } from '#agent/moves/phase-machine.ts';
import type { Phase } from '#agent/moves/phases.ts';
import { PLAIN_VIEW } from './plain-view.ts';

const wait = 'wait';
const lookAgain = (afterMs: number): MoveAction => ({ type: 'look-again', afterMs });
const write = (phase: Phase) => ({ type: 'write', phase });
const finish = (phase: Phase, cause: string) => ({ type: 'finish', phase, cause });

type Row = readonly [title: string, view: Partial<MoveView>, action: string | object];

const ACCEPTED = { phase: 'Accepted' } as const;
const PREPARED = { phase: 'Prepared' } as const;
const IN_PROGRESS = { phase: 'InProgress' } as const;
const ASKED = { cancel: 'requested' } as const;
const NOT_READY = { isReady: false } as const;
const HELD = { hasStockFinalizer: true } as const;
const LEAVING = { agent: 'leaving' } as const;
const HANDING = { agent: 'handing-over' } as const;
/** Of a kind that any agent may accept. */
const EXPOSED = { isExposed: true } as const;
const EXPOSING = { ...EXPOSED, ...ACCEPTED, isExposing: true, isReady: false } as const;
/** Another agent has accepted it. */
const LOST = { ...EXPOSED, isOurs: false, jitterMs: 7 } as const;

const ROWS: readonly Row[] = [
  ['New of anybody is accepted', EXPOSED, write('Accepted')],
  ['what there is no room for waits', { ...EXPOSED, ...NOT_READY }, lookAgain(ACCEPT_LOOK_MS)],
  ['its volume is made', EXPOSING, 'expose'],
  ['nothing is made for what may have ended', { ...EXPOSING, isFresh: false }, 'read'],
  ['one whose volume is mounted is Prepared', { ...EXPOSED, ...ACCEPTED }, write('Prepared')],
  [
    'a volume that does not come ends it',
    { ...EXPOSING, prepareLeftMs: 0 },
    finish('Failed', 'prepare-timeout'),
  ],
  ['a cancel ends it', { ...EXPOSING, ...ASKED }, finish('Failed', 'cancel')],
  ['who hands over leaves it', { ...EXPOSING, ...HANDING }, wait],
  ['who leaves ends it', { ...EXPOSING, ...LEAVING }, finish('Failed', 'interrupted')],
  ['who leaves leaves New to others', { ...EXPOSED, ...LEAVING }, wait],
  [
    'its end takes away what was made',
    { ...EXPOSED, phase: 'Failed', ...HELD },
    'remove-finalizer',
  ],
  [
    'a mover of stock goes on without a holder of ours',
    { ...EXPOSED, ...IN_PROGRESS, isReady: false, isHopeless: true, stockPod: 'running' },
    wait,
  ],
  [
    'and what it has done counts',
    { ...EXPOSED, ...IN_PROGRESS, isReady: false, isHopeless: true, stockPod: 'completed' },
    finish('Completed', 'stock-pod'),
  ],
  ['another accepted it', { ...LOST, ...ACCEPTED }, lookAgain(1000 + 5 * 60_000 + 7)],
  [
    'another accepted it, and has let its time pass',
    { ...LOST, ...ACCEPTED, prepareLeftMs: -5 * 60_000 - 7 },
    finish('Failed', 'prepare-timeout'),
  ],
  ['another is at it', { ...LOST, ...PREPARED }, wait],
  ['another is to cancel it', { ...LOST, ...PREPARED, ...ASKED }, lookAgain(5 * 60_000 + 7)],
  [
    'another has not cancelled it',
    { ...LOST, ...PREPARED, ...ASKED, neglectedMs: 5 * 60_000 + 7 },
    finish('Failed', 'cancel'),
  ],
  [
    'another has an hour to cancel what it is at',
    { ...LOST, ...IN_PROGRESS, ...ASKED, neglectedMs: 5 * 60_000 + 7 },
    lookAgain(55 * 60_000),
  ],
];

for (const [title, view, action] of ROWS) {
  t.test(title, async t => {
    const expected = typeof action === 'string' ? { type: action } : action;
    t.same(decide({ ...PLAIN_VIEW, ...view }), expected);
  });
}
