// What to do next about a move, as one pure function of what is known of it. The reconciler does
// the one action that comes out, looks again, and asks again; nothing here is remembered.
//
// The states are those of Velero 1.16 to 1.18 (pkg/controller/pod_volume_backup_controller.go and
// its three siblings). Where a stock agent needs a pod, we need nothing: Accepted and Prepared are
// passed through because others look at them, and only where the CRD has them.

import { isTerminal } from './phases.ts';
import type { Phase, TerminalPhase } from './phases.ts';

/** Why a move is to be cancelled; where two apply, the one further down. */
export type CancelReason = 'none' | 'requested' | 'server-restart' | 'deletion';

/** Of the engine's work on this move, in this process. */
export type RunState =
  | 'none'
  | 'running'
  /** Told to stop, and not yet ended. */
  | 'stopping'
  | 'completed'
  | 'failed'
  | 'cancelled'
  /** Stopped because this agent ends. */
  | 'interrupted'
  /** Stopped because the controller wants its slot back. */
  | 'revoked';

/** The mover pod that a stock agent made for this move before we came. */
export type StockPodState =
  | 'none'
  | 'running'
  /** Being deleted. */
  | 'leaving'
  /** Ended, and what its termination message says. */
  | 'completed'
  | 'failed'
  | 'cancelled';

export interface MoveView {
  readonly phase: Phase;
  /** This node's agent is who does it. */
  readonly isOurs: boolean;
  /** All that is needed is there: a restore's pod waits for its volumes. */
  readonly isReady: boolean;
  /** Of a kind that any agent may accept, and whose volume that one makes. */
  readonly isExposed: boolean;
  /** It is to this agent to make that volume. */
  readonly isExposing: boolean;
  /** Whoever waited for it has gone on. */
  readonly isPassed: boolean;
  /** Something makes it impossible, now and later. */
  readonly isHopeless: boolean;
  readonly cancel: CancelReason;
  readonly hasStockFinalizer: boolean;
  /** What the CRD allows. */
  readonly phases: ReadonlySet<Phase>;
  /** The server above notices when a move of this kind becomes Canceled. */
  readonly isCanceledCounted: boolean;
  /** Until an Accepted one that cannot go on has had its time; negative when that is over. */
  readonly prepareLeftMs: number;
  readonly hasSlot: boolean;
  readonly run: RunState;
  readonly stockPod: StockPodState;
  /** The object was written or read just now, not taken from a cache that may be behind. */
  readonly isFresh: boolean;
  /** Undefined when it has not changed; else until it may be written. */
  readonly progressDueMs: number | undefined;
  /**
   * `closing`: ends, and it is not known yet who follows. `handing-over`: another agent of ours
   * does. `leaving`: none may.
   */
  readonly agent: 'working' | 'closing' | 'handing-over' | 'leaving';
  /** How long this agent has seen nobody care for it. */
  readonly neglectedMs: number;
  /** Different for each agent, so that one of many goes first: 0 to JITTER_MS_MAX. */
  readonly jitterMs: number;
}

export type FinishCause =
  | 'run'
  | 'stock-pod'
  | 'passed'
  | 'cancel'
  | 'prepare-timeout'
  | 'hopeless'
  | 'interrupted'
  | 'revoked';

export type MoveAction =
  /** Until something changes. */
  | { readonly type: 'wait' }
  /** Until something changes, or so long. */
  | { readonly type: 'look-again'; readonly afterMs: number }
  /** Get the object from the server. */
  | { readonly type: 'read' }
  /** Make what is missing of its volume, and see how far it is. */
  | { readonly type: 'expose' }
  | { readonly type: 'take-slot' }
  | { readonly type: 'write'; readonly phase: Exclude<Phase, TerminalPhase> }
  | { readonly type: 'finish'; readonly phase: TerminalPhase; readonly cause: FinishCause }
  | { readonly type: 'start-run' }
  | { readonly type: 'stop-run' }
  | { readonly type: 'write-progress' }
  | { readonly type: 'remove-finalizer' }
  | { readonly type: 'delete-stock-pod' };

/** Ten agents and more may see the same orphan; the one with the least jitter acts. */
export const JITTER_MS_MAX = 60_000;
/** For the agent of its node to remove the finalizer of its own terminal object. */
const PATIENCE_TERMINAL_MS = 5_000;
/** Until somebody looks again whether it may accept one. */
export const ACCEPT_LOOK_MS = 3_000;
/** Stock's cancelDelayOthers and cancelDelayInProgress. */
const PATIENCE_MS = 5 * 60_000;
const PATIENCE_IN_PROGRESS_MS = 60 * 60_000;

const WAIT: MoveAction = Object.freeze({ type: 'wait' });
const DELETE_STOCK_POD: MoveAction = Object.freeze({ type: 'delete-stock-pod' });
const READ: MoveAction = Object.freeze({ type: 'read' });

/** Total and pure: equal views give equal actions. */
export function decide(view: MoveView): MoveAction {
  if (isTerminal(view.phase)) return forTerminal(view);
  if (!view.isOurs) return forStranger(view);
  switch (view.run) {
    case 'none':
      return withoutRun(view);
    case 'running':
      return whileRunning(view);
    case 'stopping':
      return whileStopping(view);
    default:
      return afterRun(view);
  }
}

/** Never changed, but for a finalizer of stock that would block its deletion. */
function forTerminal(view: MoveView): MoveAction {
  if (view.run === 'running') return { type: 'stop-run' };
  if (view.isOurs && isThere(view.stockPod)) return DELETE_STOCK_POD;
  if (!view.hasStockFinalizer) return WAIT;
  return view.isOurs ? { type: 'remove-finalizer' } : whenNeglected(view, PATIENCE_TERMINAL_MS);
}

/**
 * Not our business, unless it is being deleted and its own agent is not there to let it go. Nothing
 * is reported for it; that is for somebody who knows which nodes exist.
 */
function forStranger(view: MoveView): MoveAction {
  if (view.isExposed) return forLost(view);
  if (view.cancel !== 'deletion' || !view.hasStockFinalizer) return WAIT;
  const isUnderWay = view.phase === 'InProgress' || view.phase === 'Canceling';
  return whenNeglected(view, isUnderWay ? PATIENCE_IN_PROGRESS_MS : PATIENCE_MS);
}

/**
 * Whoever has accepted it, or mounted its volume, may be gone, and what that one has made is named
 * by the object: anybody may end it, and take that away.
 */
function forLost(view: MoveView): MoveAction {
  if (view.cancel !== 'none') {
    const isUnderWay = view.phase === 'InProgress' || view.phase === 'Canceling';
    const patienceMs = isUnderWay ? PATIENCE_IN_PROGRESS_MS : PATIENCE_MS;
    const leftMs = patienceMs + view.jitterMs - view.neglectedMs;
    return leftMs > 0
      ? { type: 'look-again', afterMs: leftMs }
      : finish(cancelledPhase(view), 'cancel');
  }
  if (view.phase !== 'Accepted') return WAIT;
  const leftMs = view.prepareLeftMs + PATIENCE_MS + view.jitterMs;
  return leftMs > 0 ? { type: 'look-again', afterMs: leftMs } : finish('Failed', 'prepare-timeout');
}

function whenNeglected(view: MoveView, patienceMs: number): MoveAction {
  const leftMs = patienceMs + view.jitterMs - view.neglectedMs;
  return leftMs > 0 ? { type: 'look-again', afterMs: leftMs } : { type: 'remove-finalizer' };
}

function whileRunning(view: MoveView): MoveAction {
  // A pod that has gone on writes to its volume: what is still written there would destroy that.
  if (view.cancel !== 'none' || view.isPassed) return { type: 'stop-run' };
  if (view.progressDueMs === undefined) return WAIT;
  return view.progressDueMs > 0
    ? { type: 'look-again', afterMs: view.progressDueMs }
    : { type: 'write-progress' };
}

function whileStopping(view: MoveView): MoveAction {
  const isToSay = view.cancel !== 'none' && view.phase === 'InProgress';
  return isToSay && view.phases.has('Canceling') ? { type: 'write', phase: 'Canceling' } : WAIT;
}

/** What was done is done: a run that completed although it was to be cancelled is Completed. */
function afterRun(view: MoveView): MoveAction {
  switch (view.run) {
    case 'completed':
      return finish('Completed', 'run');
    case 'cancelled':
      return view.isPassed && view.cancel === 'none'
        ? finish('Completed', 'passed')
        : finish(cancelledPhase(view), 'cancel');
    case 'interrupted':
      // Left InProgress for the next agent, which goes on from the last checkpoint. A stock agent
      // would cancel it instead, and its server would hang.
      return view.agent === 'handing-over' ? WAIT : finish('Failed', 'interrupted');
    case 'revoked':
      return finish('Failed', 'revoked');
    default:
      return finish('Failed', 'run');
  }
}

function withoutRun(view: MoveView): MoveAction {
  const isUnderWay = view.phase === 'InProgress' || view.phase === 'Canceling';
  if (isUnderWay && hasEnded(view.stockPod)) return afterStockPod(view);
  if (view.cancel !== 'none' || view.phase === 'Canceling') {
    if (isThere(view.stockPod)) return DELETE_STOCK_POD;
    // What is seen may be from before our own end of it.
    return view.isFresh ? finish(cancelledPhase(view), 'cancel') : READ;
  }
  // What a stock agent's mover has mounted is no holder of ours, and that one ends by itself.
  const isOfStock = isUnderWay && view.isExposed && view.stockPod !== 'none';
  if (view.isHopeless && !isOfStock) return finish('Failed', 'hopeless');
  return isUnderWay ? takeOver(view) : prepare(view);
}

/** A stock agent was replaced in the middle of its move; its mover pod has finished alone. */
function afterStockPod(view: MoveView): MoveAction {
  if (view.stockPod === 'completed') return finish('Completed', 'stock-pod');
  const isCancelled = view.stockPod === 'cancelled' && view.cancel !== 'none';
  return isCancelled ? finish(cancelledPhase(view), 'cancel') : finish('Failed', 'stock-pod');
}

/** InProgress, and nobody is at it in this process: ours from before a restart, or stock's. */
function takeOver(view: MoveView): MoveAction {
  if (view.stockPod !== 'none') return WAIT;
  if (view.isPassed) return finish('Completed', 'passed');
  if (view.agent !== 'working') {
    return view.agent === 'leaving' ? finish('Failed', 'interrupted') : WAIT;
  }
  if (!view.isReady) return WAIT;
  if (!view.isFresh) return READ;
  return view.hasSlot ? { type: 'start-run' } : { type: 'take-slot' };
}

function prepare(view: MoveView): MoveAction {
  const isAccepted = view.phase !== 'New';
  if (view.agent !== 'working') {
    // A stock agent would look for the pod of an Accepted one until it gives up.
    const isToReturn = isAccepted && view.agent === 'leaving';
    // Nor would it understand what we have made.
    if (isToReturn && view.isExposed) return finish('Failed', 'interrupted');
    return isToReturn ? { type: 'write', phase: 'New' } : WAIT;
  }
  if (view.stockPod === 'leaving') return WAIT;
  if (isThere(view.stockPod)) return view.isFresh ? DELETE_STOCK_POD : READ;
  // Only Accepted, as with stock: a Prepared one waits for a slot as long as others need theirs,
  // and its pod may be away meanwhile, as when its node is rebooted.
  if (!view.isReady) return view.phase === 'Accepted' ? untilTimeout(view) : untilReady(view);
  const next = nextPhase(view);
  if (next === 'InProgress' && !view.hasSlot) return { type: 'take-slot' };
  return { type: 'write', phase: next };
}

/**
 * One that was Accepted long ago but can go on now does go on: its server may still be waiting, and
 * a late backup is better than none.
 */
function untilTimeout(view: MoveView): MoveAction {
  if (view.prepareLeftMs <= 0) return finish('Failed', 'prepare-timeout');
  if (!view.isExposing) return { type: 'look-again', afterMs: view.prepareLeftMs };
  // What is made for one that is at its end already would stay.
  return view.isFresh ? { type: 'expose' } : READ;
}

/** Any agent may be the one that has room for it. */
function untilReady(view: MoveView): MoveAction {
  const isForAnybody = view.phase === 'New' && view.isExposed;
  return isForAnybody ? { type: 'look-again', afterMs: ACCEPT_LOOK_MS } : WAIT;
}

function nextPhase({ phase, phases }: MoveView): 'Accepted' | 'Prepared' | 'InProgress' {
  if (phase === 'New' && phases.has('Accepted')) return 'Accepted';
  return phase === 'Accepted' && phases.has('Prepared') ? 'Prepared' : 'InProgress';
}

/** Canceled only where nobody would hang on it (Velero issues 9464, 10117). */
function cancelledPhase(view: MoveView): 'Canceled' | 'Failed' {
  const isSafe = view.isCanceledCounted || view.cancel === 'server-restart';
  return isSafe && view.phases.has('Canceled') ? 'Canceled' : 'Failed';
}

function isThere(state: StockPodState): boolean {
  return state !== 'none' && state !== 'leaving';
}

function hasEnded(state: StockPodState): boolean {
  return isThere(state) && state !== 'running';
}

function finish(phase: TerminalPhase, cause: FinishCause): MoveAction {
  return { type: 'finish', phase, cause };
}
