// What a move that ends leaves in its object, for each cause of an end. Pure.

import type { MoveAdapter, MoveSite, MoveSituation, MoveSuccess } from './move-adapter.ts';
import { cancelMessage, failureMessage, messageLine } from './move-message.ts';
import type { MoveRun } from './move-run.ts';
import type { MoveObject } from './objects/move-object.ts';
import type { Pod } from './objects/pod.ts';
import type { CancelReason, FinishCause } from './phase-machine.ts';
import type { Phase, TerminalPhase } from './phases.ts';
import { stockMessageOf, stockResultOf } from './stock-pod.ts';
import type { MoveProgress } from './volume-mover.ts';

export interface MoveEnd {
  readonly phase: TerminalPhase;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Absent: what is there is kept. Null: what is there goes. */
  readonly message?: string | null;
  /** Reason of an event. */
  readonly warning?: string;
  /** A run of a process that is gone may have left something, and nobody goes on from it. */
  readonly mayHaveLeft?: boolean;
  /** What keeps the object until its snapshot has gone. */
  readonly finalizer?: string;
}

export interface EndFacts<Item extends MoveObject> {
  readonly adapter: MoveAdapter<Item>;
  readonly site: MoveSite;
  readonly situation: MoveSituation;
  readonly cancel: CancelReason;
  readonly phases: ReadonlySet<Phase>;
  readonly run: MoveRun | undefined;
  readonly stockPod: Pod | undefined;
  /** The phase that ends. */
  readonly endingPhase: Phase;
}

interface Finish {
  readonly phase: TerminalPhase;
  readonly cause: FinishCause;
}

export function endOf<Item extends MoveObject>(finish: Finish, facts: EndFacts<Item>): MoveEnd {
  const end = plainEndOf(finish, facts);
  const { adapter, site, endingPhase } = facts;
  if (adapter.exposer === undefined || endingPhase !== 'New') return end;
  // Nobody has accepted it, and its snapshot was made for it all the same: who ends it lets it go.
  const fields = { ...adapter.statusAt('Accepted', site), ...end.fields };
  return { ...end, fields, finalizer: adapter.stockFinalizer };
}

function plainEndOf<Item extends MoveObject>(finish: Finish, facts: EndFacts<Item>): MoveEnd {
  const success = finish.phase === 'Completed' ? successOf(finish, facts) : undefined;
  if (success !== undefined) return completed(success);
  const progress = progressFields(facts.run?.progress);
  // Without a run what was written before stays.
  const fields = progress ? { progress } : {};
  const mayHaveLeft = isCancelOfNobodys(finish, facts);
  return finish.phase === 'Canceled'
    ? { phase: 'Canceled', fields, message: cancelledMessage(facts), mayHaveLeft }
    : { phase: 'Failed', fields, message: messageLine(failureOf(finish, facts)), mayHaveLeft };
}

/** Under way when its agent was killed, and cancelled before the next one took it over. */
function isCancelOfNobodys<Item extends MoveObject>(
  { cause }: Finish,
  { run, endingPhase }: EndFacts<Item>,
): boolean {
  const wasUnderWay = endingPhase === 'InProgress' || endingPhase === 'Canceling';
  return cause === 'cancel' && run === undefined && wasUnderWay;
}

function successOf<Item extends MoveObject>(
  { cause }: Finish,
  { run, stockPod, adapter, situation }: EndFacts<Item>,
): MoveSuccess | undefined {
  if (cause === 'run') return run?.success;
  if (cause === 'passed') return situation.type === 'passed' ? situation.success : undefined;
  const result = stockPod && stockResultOf(stockPod);
  return result && adapter.successOfStock(result);
}

function completed({ status, totalBytes, message, warning }: MoveSuccess): MoveEnd {
  const progress = progressFields({ totalBytes, bytesDone: totalBytes });
  return {
    phase: 'Completed',
    fields: { ...status, progress },
    message: message ?? null,
    warning,
  };
}

function progressFields(progress: MoveProgress | undefined): MoveProgress | undefined {
  return progress && { totalBytes: progress.totalBytes, bytesDone: progress.bytesDone };
}

/** What the server wrote beside its cancel says more than we know. */
function cancelledMessage<Item extends MoveObject>(facts: EndFacts<Item>): string | undefined {
  return facts.cancel === 'server-restart' ? undefined : cancelMessage(facts.cancel, false);
}

function failureOf<Item extends MoveObject>(finish: Finish, facts: EndFacts<Item>): string {
  const { adapter, situation, run, stockPod } = facts;
  switch (finish.cause) {
    case 'cancel':
      return cancelMessage(facts.cancel, facts.phases.has('Canceled'));
    case 'prepare-timeout': {
      return `timeout on preparing ${adapter.shortName}${missingOf(situation)}`;
    }
    case 'hopeless':
      return situation.type === 'hopeless' ? situation.message : 'it cannot be done';
    case 'interrupted':
      return `interrupted: the node agent was stopped; ${adapter.afterInterruption}`;
    case 'revoked':
      return `stopped by the controller; ${adapter.afterInterruption}`;
    case 'stock-pod': {
      const message = stockPod === undefined ? '' : stockMessageOf(stockPod);
      return message === '' ? 'the mover pod of the agent before ended without a result' : message;
    }
    default:
      return failureMessage(run?.error);
  }
}

function missingOf(situation: MoveSituation): string {
  const isKnown = situation.type === 'waiting' || situation.type === 'exposing';
  const missing = isKnown ? situation.missing : undefined;
  return missing === undefined ? '' : `: ${missing} is missing`;
}
