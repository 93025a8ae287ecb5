// What was found to be copied ahead at the last look, for metrics.

export const FAULT_KINDS = Object.freeze(['pod', 'schedule'] as const);
export type FaultKind = (typeof FAULT_KINDS)[number];

export class PreCopyCounts {
  /** Volumes that are wanted now. */
  wanted = 0;
  /** What of each kind cannot be understood. */
  readonly faults: Record<FaultKind, number> = { pod: 0, schedule: 0 };

  /** It is somebody else's now. */
  forget(): void {
    this.wanted = 0;
    for (const kind of FAULT_KINDS) this.faults[kind] = 0;
  }
}
