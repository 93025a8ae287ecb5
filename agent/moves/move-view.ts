// The view that the phase machine decides by, made of an object and of what this process knows of
// it.

import { createHash } from 'node:crypto';
import type { StatusRules } from './crd-phases.ts';
import type { MoveAdapter, MoveSituation } from './move-adapter.ts';
import type { MoveRun } from './move-run.ts';
import type { MoveObject } from './objects/move-object.ts';
import { SERVER_RESTART_MESSAGE } from './objects/well-known-names.ts';
import { JITTER_MS_MAX } from './phase-machine.ts';
import type { CancelReason, MoveView, StockPodState } from './phase-machine.ts';
import type { Phase } from './phases.ts';

export interface MoveFacts {
  readonly phase: Phase;
  readonly situation: MoveSituation;
  readonly rules: StatusRules;
  readonly isCanceledCounted: boolean;
  readonly hasSlot: boolean;
  readonly run: MoveRun | undefined;
  readonly stockPod: StockPodState;
  readonly isFresh: boolean;
  readonly agent: MoveView['agent'];
  readonly neglectedMs: number;
  readonly nowMs: number;
  /** How long this process has seen it in this phase. */
  readonly seenMs: number;
  readonly prepareTimeoutMs: number;
  readonly nodeName: string;
}

export function viewOf<Item extends MoveObject>(
  item: Item,
  adapter: MoveAdapter<Item>,
  facts: MoveFacts,
): MoveView {
  const { phase, situation, rules, run } = facts;
  const { isCanceledCounted, hasSlot, stockPod, isFresh, agent, neglectedMs } = facts;
  return {
    phase,
    // What this process is at stays its own until it has ended, whatever becomes of the pod.
    isOurs: situation.type !== 'elsewhere' || run !== undefined,
    isReady: situation.type === 'ready',
    isExposed: adapter.exposer !== undefined,
    isExposing: situation.type === 'exposing',
    isPassed: situation.type === 'passed',
    isHopeless: situation.type === 'hopeless',
    cancel: cancelReasonOf(item),
    hasStockFinalizer: item.metadata.finalizers?.includes(adapter.stockFinalizer) ?? false,
    phases: rules.phases,
    isCanceledCounted,
    prepareLeftMs: prepareLeftMs(item, facts),
    hasSlot,
    run: run?.state ?? 'none',
    stockPod,
    isFresh,
    progressDueMs: run?.progressDueMs,
    agent,
    neglectedMs,
    jitterMs: jitterMs(facts.nodeName, item.metadata.uid ?? ''),
  };
}

export function cancelReasonOf({ metadata, spec, status }: MoveObject): CancelReason {
  if (metadata.deletionTimestamp !== undefined) return 'deletion';
  if (spec.cancel !== true) return 'none';
  const isRestart = status?.message?.includes(SERVER_RESTART_MESSAGE) ?? false;
  return isRestart ? 'server-restart' : 'requested';
}

/**
 * From acceptance, which this node has written by its own clock, or from when it was seen first:
 * the clock that its creation was noted by may be an hour off, either way, and so may that of
 * another node.
 */
function prepareLeftMs({ status }: MoveObject, facts: MoveFacts): number {
  const sinceMs = Date.parse(status?.acceptedTimestamp ?? '');
  const isOurs = facts.situation.type !== 'elsewhere';
  const acceptedMs = Number.isNaN(sinceMs) || !isOurs ? 0 : facts.nowMs - sinceMs;
  return facts.prepareTimeoutMs - Math.max(acceptedMs, facts.seenMs);
}

/** The same for the same node and move, and spread evenly over nodes. */
function jitterMs(nodeName: string, uid: string): number {
  const digest = createHash('sha256').update(`${nodeName}/${uid}`).digest();
  return digest.readUInt32BE(0) % JITTER_MS_MAX;
}
