// Every state of a move, and what is done in it. Rows that hold for one CRD alone say so.
import t from 'tap';
import { decide, JITTER_MS_MAX } from '#agent/moves/phase-machine.ts';
import type { MoveAction, MoveView } from '#agent/moves/phase-machine.ts';
import { isTerminal, type Phase, PHASES, PHASES_OF_1_16 } from '#agent/moves/phases.ts';
import { PLAIN_VIEW as PLAIN } from './plain-view.ts';

const EIGHT: ReadonlySet<Phase> = new Set(PHASES);
const FOUR: ReadonlySet<Phase> = new Set(PHASES_OF_1_16);

const wait = 'wait';
const lookAgain = (afterMs: number): MoveAction => ({ type: 'look-again', afterMs });
const write = (phase: Phase) => ({ type: 'write', phase });
const finish = (phase: Phase, cause: string) => ({ type: 'finish', phase, cause });

type Row = readonly [title: string, view: Partial<MoveView>, action: string | object];

const DONE = finish('Completed', 'passed');
const ACCEPTED = { phase: 'Accepted' } as const;
const PREPARED = { phase: 'Prepared' } as const;
const IN_PROGRESS = { phase: 'InProgress' } as const;
const PASSED = { ...IN_PROGRESS, isReady: false, isPassed: true } as const;
const CANCELING = { phase: 'Canceling' } as const;
const ASKED = { cancel: 'requested' } as const;
const RESTARTED = { cancel: 'server-restart' } as const;
const DELETED = { cancel: 'deletion' } as const;
const OTHERS = { isOurs: false } as const;
const OLD = { phases: FOUR } as const;
const NOT_READY = { isReady: false } as const;
const HELD = { hasStockFinalizer: true } as const;
const LEAVING = { agent: 'leaving' } as const;
const HANDING = { agent: 'handing-over' } as const;
const CLOSING = { agent: 'closing' } as const;
const SLOT = { hasSlot: true } as const;

const ROWS: readonly Row[] = [
  ['a cancel ends what is surely so', { ...IN_PROGRESS, ...ASKED, isFresh: false }, 'read'],
  // From New to InProgress
  ['New becomes Accepted', {}, write('Accepted')],
  ['New of a pod that is not ready waits', NOT_READY, wait],
  ['Accepted becomes Prepared', ACCEPTED, write('Prepared')],
  ['Prepared asks for a slot', PREPARED, 'take-slot'],
  ['Prepared with a slot becomes InProgress', { ...PREPARED, ...SLOT }, write('InProgress')],
  ['1.16: New asks for a slot', OLD, 'take-slot'],
  ['1.16: New with a slot becomes InProgress', { ...OLD, ...SLOT }, write('InProgress')],
  ['1.16: New of a pod that is not ready waits', { ...OLD, ...NOT_READY, ...SLOT }, wait],
  ['InProgress without a run asks for a slot', IN_PROGRESS, 'take-slot'],
  ['InProgress with a slot starts', { ...IN_PROGRESS, ...SLOT }, 'start-run'],
  [
    'InProgress that may be out of date is read before it starts',
    { ...IN_PROGRESS, ...SLOT, isFresh: false },
    'read',
  ],
  ['InProgress whose pod has gone on', { ...IN_PROGRESS, isPassed: true }, DONE],
  ['InProgress of a pod that is not ready waits', { ...IN_PROGRESS, ...NOT_READY }, wait],

  // The deadline
  ['Accepted that cannot go on has its time', { ...ACCEPTED, ...NOT_READY }, lookAgain(1000)],
  [
    'Accepted that could not go on in its time is Failed',
    { ...ACCEPTED, ...NOT_READY, prepareLeftMs: 0 },
    finish('Failed', 'prepare-timeout'),
  ],
  ['Prepared has none', { ...PREPARED, ...NOT_READY, prepareLeftMs: 0 }, wait],
  ['InProgress has none', { ...IN_PROGRESS, ...NOT_READY, prepareLeftMs: 0 }, wait],
  [
    'Accepted long ago goes on when it can now',
    { ...ACCEPTED, prepareLeftMs: 0 },
    write('Prepared'),
  ],
  ['New has no deadline', { ...NOT_READY, prepareLeftMs: 0 }, wait],

  // What can never work
  ['New and hopeless is Failed', { isHopeless: true, ...NOT_READY }, finish('Failed', 'hopeless')],
  [
    'InProgress and hopeless is Failed',
    { ...IN_PROGRESS, isHopeless: true, ...NOT_READY },
    finish('Failed', 'hopeless'),
  ],

  // While it runs, and after
  ['a run without news waits', { ...IN_PROGRESS, run: 'running' }, wait],
  [
    'progress that comes early waits for its time',
    { ...IN_PROGRESS, run: 'running', progressDueMs: 300 },
    lookAgain(300),
  ],
  ['progress is written', { ...IN_PROGRESS, run: 'running', progressDueMs: 0 }, 'write-progress'],
  [
    'a run goes on although its pod is no longer ready',
    { ...IN_PROGRESS, ...NOT_READY, run: 'running' },
    wait,
  ],
  ['a run whose pod has gone on stops', { ...PASSED, run: 'running' }, 'stop-run'],
  ['a run that was stopped by that', { ...PASSED, run: 'cancelled' }, DONE],
  ['a run goes on while the agent ends', { ...IN_PROGRESS, ...LEAVING, run: 'running' }, wait],
  ['a run that completed', { ...IN_PROGRESS, run: 'completed' }, finish('Completed', 'run')],
  ['a run that failed', { ...IN_PROGRESS, run: 'failed' }, finish('Failed', 'run')],
  ['a run that stops says nothing', { ...IN_PROGRESS, run: 'stopping' }, wait],
  [
    'a run that was interrupted is Failed when no agent of ours follows',
    { ...IN_PROGRESS, ...LEAVING, run: 'interrupted' },
    finish('Failed', 'interrupted'),
  ],
  [
    'a run that was interrupted is left to the agent that follows',
    { ...IN_PROGRESS, ...HANDING, run: 'interrupted' },
    wait,
  ],

  // spec.cancel in each phase
  ['New and cancel', ASKED, finish('Failed', 'cancel')],
  [
    'New and cancel of a pod that is not ready',
    { ...ASKED, ...NOT_READY },
    finish('Failed', 'cancel'),
  ],
  ['Accepted and cancel', { ...ACCEPTED, ...ASKED }, finish('Failed', 'cancel')],
  ['Prepared and cancel', { ...PREPARED, ...ASKED }, finish('Failed', 'cancel')],
  ['InProgress and cancel, nothing runs', { ...IN_PROGRESS, ...ASKED }, finish('Failed', 'cancel')],
  ['InProgress and cancel stops the run', { ...IN_PROGRESS, ...ASKED, run: 'running' }, 'stop-run'],
  [
    'cancel comes before progress',
    { ...IN_PROGRESS, ...ASKED, run: 'running', progressDueMs: 0 },
    'stop-run',
  ],
  [
    'a run that stops for a cancel is Canceling',
    { ...IN_PROGRESS, ...ASKED, run: 'stopping' },
    write('Canceling'),
  ],
  [
    '1.16: a run that stops stays InProgress',
    { ...IN_PROGRESS, ...OLD, ...DELETED, run: 'stopping' },
    wait,
  ],
  ['Canceling waits for the run', { ...CANCELING, ...ASKED, run: 'stopping' }, wait],
  [
    'Canceling and its run ended',
    { ...CANCELING, ...ASKED, run: 'cancelled' },
    finish('Failed', 'cancel'),
  ],
  [
    'Canceling and its run completed all the same',
    { ...CANCELING, ...ASKED, run: 'completed' },
    finish('Completed', 'run'),
  ],
  [
    'Canceling and its run failed on its own',
    { ...CANCELING, ...ASKED, run: 'failed' },
    finish('Failed', 'run'),
  ],
  ['Canceling after a restart', { ...CANCELING, ...ASKED }, finish('Failed', 'cancel')],
  ['Canceling whose cancel was taken back', CANCELING, finish('Failed', 'cancel')],
  ['cancel while the agent ends', { ...ASKED, ...LEAVING }, finish('Failed', 'cancel')],

  // Canceled, only where somebody notices
  [
    'a server that counts Canceled',
    { ...ASKED, isCanceledCounted: true },
    finish('Canceled', 'cancel'),
  ],
  ['a server that was restarted', RESTARTED, finish('Canceled', 'cancel')],
  [
    'a server that was restarted in the middle',
    { ...CANCELING, ...RESTARTED, run: 'cancelled' },
    finish('Canceled', 'cancel'),
  ],
  [
    '1.16 has no Canceled',
    { ...OLD, ...DELETED, isCanceledCounted: true },
    finish('Failed', 'cancel'),
  ],
  ['1.16 has none for a restart', { ...OLD, ...RESTARTED }, finish('Failed', 'cancel')],

  // Deletion is a cancel
  ['New and deleted', { ...DELETED, ...HELD }, finish('Failed', 'cancel')],
  ['InProgress and deleted', { ...IN_PROGRESS, ...DELETED, run: 'running' }, 'stop-run'],
  [
    'Prepared and deleted where Canceled counts',
    { ...PREPARED, ...DELETED, isCanceledCounted: true },
    finish('Canceled', 'cancel'),
  ],

  // After a stock agent
  ['Accepted with a mover pod', { ...ACCEPTED, stockPod: 'running' }, 'delete-stock-pod'],
  ['Prepared with a mover pod', { ...PREPARED, stockPod: 'running' }, 'delete-stock-pod'],
  ['New with a mover pod', { stockPod: 'running' }, 'delete-stock-pod'],
  [
    'Prepared with a mover pod that failed',
    { ...PREPARED, stockPod: 'failed' },
    'delete-stock-pod',
  ],
  [
    'a mover pod is not deleted for an object that may be out of date',
    { ...PREPARED, stockPod: 'running', isFresh: false },
    'read',
  ],
  ['Accepted while the mover pod goes', { ...ACCEPTED, stockPod: 'leaving' }, wait],
  [
    'Prepared and cancel with a mover pod',
    { ...PREPARED, ...ASKED, stockPod: 'running' },
    'delete-stock-pod',
  ],
  [
    'Prepared and cancel while the mover pod goes',
    { ...PREPARED, ...ASKED, stockPod: 'leaving' },
    finish('Failed', 'cancel'),
  ],
  ['InProgress of a mover pod is watched', { ...IN_PROGRESS, stockPod: 'running' }, wait],
  ['InProgress while the mover pod goes', { ...IN_PROGRESS, stockPod: 'leaving', ...SLOT }, wait],
  [
    'InProgress whose mover pod completed',
    { ...IN_PROGRESS, stockPod: 'completed' },
    finish('Completed', 'stock-pod'),
  ],
  [
    'InProgress whose mover pod failed',
    { ...IN_PROGRESS, stockPod: 'failed' },
    finish('Failed', 'stock-pod'),
  ],
  [
    'InProgress whose mover pod cancelled itself, as it does at an unreadable file',
    { ...IN_PROGRESS, stockPod: 'cancelled' },
    finish('Failed', 'stock-pod'),
  ],
  [
    'InProgress and cancel with a mover pod',
    { ...IN_PROGRESS, ...ASKED, stockPod: 'running' },
    'delete-stock-pod',
  ],
  [
    'Canceling whose mover pod was cancelled',
    { ...CANCELING, ...RESTARTED, stockPod: 'cancelled' },
    finish('Canceled', 'cancel'),
  ],
  [
    'Canceling whose mover pod completed all the same',
    { ...CANCELING, ...ASKED, stockPod: 'completed' },
    finish('Completed', 'stock-pod'),
  ],
  ['InProgress and no mover pod is done again', { ...IN_PROGRESS, ...HELD, ...SLOT }, 'start-run'],
  [
    'Completed with its mover pod',
    { phase: 'Completed', stockPod: 'completed' },
    'delete-stock-pod',
  ],

  // The agent ends
  ['New stays New', LEAVING, wait],
  ['Accepted becomes New again for a stock agent', { ...ACCEPTED, ...LEAVING }, write('New')],
  [
    'Prepared becomes New again for a stock agent',
    { ...PREPARED, ...LEAVING, ...SLOT },
    write('New'),
  ],
  ['Prepared stays for the next agent of ours', { ...PREPARED, ...HANDING, ...SLOT }, wait],
  [
    'InProgress that never started',
    { ...IN_PROGRESS, ...LEAVING },
    finish('Failed', 'interrupted'),
  ],
  ['InProgress for the next agent of ours', { ...IN_PROGRESS, ...HANDING }, wait],
  ['nothing begins before it is known who follows', { ...PREPARED, ...CLOSING, ...SLOT }, wait],
  ['nor is anything taken over', { ...IN_PROGRESS, ...CLOSING, ...SLOT }, wait],

  // Terminal
  ['Completed and stock finalizer', { phase: 'Completed', ...HELD }, 'remove-finalizer'],
  ['Failed and stock finalizer', { phase: 'Failed', ...HELD }, 'remove-finalizer'],
  ['Canceled and stock finalizer', { phase: 'Canceled', ...HELD, ...DELETED }, 'remove-finalizer'],
  ['made terminal by somebody else', { phase: 'Failed', run: 'running' }, 'stop-run'],
  ['made terminal by somebody else, stopping', { phase: 'Failed', run: 'stopping' }, wait],
  ['made terminal by somebody else, ended', { phase: 'Failed', run: 'completed' }, wait],

  // Of others
  [
    'a foreign Completed one with a finalizer is given time',
    { phase: 'Completed', ...OTHERS, ...HELD, jitterMs: 20_000 },
    lookAgain(25_000),
  ],
  [
    'a foreign Completed one that nobody frees',
    { phase: 'Completed', ...OTHERS, ...HELD, jitterMs: 20_000, neglectedMs: 25_000 },
    'remove-finalizer',
  ],
  [
    'an orphan that is being deleted is given time',
    { ...OTHERS, ...HELD, ...DELETED },
    lookAgain(300_000),
  ],
  [
    'an orphan that is being deleted and that nobody frees',
    { ...OTHERS, ...HELD, ...DELETED, neglectedMs: 300_000 },
    'remove-finalizer',
  ],
  [
    'an orphan InProgress is given an hour',
    { ...IN_PROGRESS, ...OTHERS, ...HELD, ...DELETED, neglectedMs: 600_000 },
    lookAgain(3_000_000),
  ],
];

for (const [title, overrides, expected] of ROWS) {
  t.test(title, async t => {
    const action = decide({ ...PLAIN, ...overrides });
    t.strictSame(action, typeof expected === 'string' ? { type: expected } : expected);
  });
}

/** All views of these values, the last one varying fastest. */
function* allViews(): Generator<MoveView> {
  const values: { readonly [Name in keyof MoveView]?: readonly MoveView[Name][] } = {
    phase: PHASES,
    isOurs: [true, false],
    isReady: [true, false],
    cancel: ['none', 'requested', 'server-restart', 'deletion'],
    hasStockFinalizer: [true, false],
    phases: [EIGHT, FOUR],
    isCanceledCounted: [true, false],
    hasSlot: [true, false],
    run: ['none', 'running', 'stopping', 'completed', 'failed', 'cancelled', 'interrupted'],
    stockPod: ['none', 'running', 'leaving', 'completed', 'failed', 'cancelled'],
    isFresh: [true, false],
    agent: ['working', 'closing', 'handing-over', 'leaving'],
  };
  let views: MoveView[] = [PLAIN];
  for (const [name, choices] of Object.entries(values)) {
    views = views.flatMap(view => choices.map(choice => ({ ...view, [name]: choice })));
  }
  yield* views;
}

t.test('rules that hold for all views', async t => {
  const broken: Record<string, number> = {};
  const rule = (name: string, holds: boolean): void => {
    broken[name] = (broken[name] ?? 0) + (holds ? 0 : 1);
  };
  for (const view of allViews()) {
    const action = decide(view);
    const written = 'phase' in action ? action.phase : undefined;
    rule('nothing is written that the CRD has not', !written || view.phases.has(written));
    rule('a terminal object keeps its phase', !isTerminal(view.phase) || written === undefined);
    rule('an object of another node keeps its phase', view.isOurs || written === undefined);
    rule(
      'Canceled is written only where somebody notices',
      written !== 'Canceled' || view.isCanceledCounted || view.cancel === 'server-restart',
    );
    rule(
      'Canceled is written only when it was asked for',
      written !== 'Canceled' ||
        view.cancel !== 'none' ||
        view.phase === 'Canceling' ||
        view.run === 'cancelled',
    );
    rule(
      'Completed is written only for what was done',
      written !== 'Completed' || view.run === 'completed' || view.stockPod === 'completed',
    );
    const isStart = action.type === 'start-run';
    rule('a run starts only alone', !isStart || (view.run === 'none' && view.stockPod === 'none'));
    const isAble = view.hasSlot && view.agent === 'working';
    rule('a run starts only with a slot, before the agent ends', !isStart || isAble);
    rule('a run starts only from what is surely so', !isStart || view.isFresh);
    rule(
      'a cancel of ours is never waited with, but for a run or a mover pod that ends',
      action.type !== 'wait' ||
        view.cancel === 'none' ||
        !view.isOurs ||
        isTerminal(view.phase) ||
        view.run !== 'none',
    );
  }
  for (const [name, count] of Object.entries(broken)) t.equal(count, 0, name);
  t.equal(Object.keys(broken).length, 10);
});

t.test('of many agents that see an orphan, one acts before most others', async t => {
  const times = [0, 1, JITTER_MS_MAX - 1].map(jitterMs =>
    decide({ ...PLAIN, ...OTHERS, ...HELD, phase: 'Completed', jitterMs }),
  );
  t.strictSame(times, [lookAgain(5000), lookAgain(5001), lookAgain(64_999)]);
});
