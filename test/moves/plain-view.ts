// A view of a move that is about to be accepted, for tests that change one thing of it.

import type { MoveView } from '#agent/moves/phase-machine.ts';
import { PHASES } from '#agent/moves/phases.ts';

/** Ours, ready, nothing wrong, nothing begun. */
export const PLAIN_VIEW: MoveView = {
  phase: 'New',
  isOurs: true,
  isReady: true,
  isExposed: false,
  isExposing: false,
  isPassed: false,
  isHopeless: false,
  cancel: 'none',
  hasStockFinalizer: false,
  phases: new Set(PHASES),
  isCanceledCounted: false,
  prepareLeftMs: 1000,
  hasSlot: false,
  run: 'none',
  stockPod: 'none',
  isFresh: true,
  progressDueMs: undefined,
  agent: 'working',
  neglectedMs: 0,
  jitterMs: 0,
};
