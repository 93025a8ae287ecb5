// Phases of a move, as all four kinds have them (Velero
// pkg/apis/velero/v1/pod_volume_backup_types.go).

export type Phase =
  | 'New'
  | 'Accepted'
  | 'Prepared'
  | 'InProgress'
  | 'Canceling'
  | 'Canceled'
  | 'Completed'
  | 'Failed';

export type TerminalPhase = 'Canceled' | 'Completed' | 'Failed';

export const PHASES: readonly Phase[] = Object.freeze([
  'New',
  'Accepted',
  'Prepared',
  'InProgress',
  'Canceling',
  'Canceled',
  'Completed',
  'Failed',
]);

/** What CRDs of Velero up to 1.16 allow for PodVolumeBackup and PodVolumeRestore. */
export const PHASES_OF_1_16: readonly Phase[] = Object.freeze([
  'New',
  'InProgress',
  'Completed',
  'Failed',
]);

const TERMINAL: ReadonlySet<string> = new Set<TerminalPhase>(['Canceled', 'Completed', 'Failed']);

export function isTerminal(phase: Phase): phase is TerminalPhase {
  return TERMINAL.has(phase);
}

/** An absent or empty phase is New; undefined for one that a later Velero may have invented. */
export function phaseOf(text: string | undefined): Phase | undefined {
  return text === undefined || text === '' ? 'New' : PHASES.find(phase => phase === text);
}
