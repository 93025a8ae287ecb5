// What the agent counts, in Prometheus' text format. Each metric has a row in docs/metrics.md, and
// each label a bounded set of values.

import { systemClock, type Clock } from '#engine/base/clock.ts';
import { ERROR_CODES } from '#engine/base/error-codes.ts';
import { codeIn } from '#agent/moves/move-message.ts';
import { addProcessMetrics } from './process-metrics.ts';
import { Counter, Gauge, Histogram, Registry } from './prometheus.ts';
import { StillMoves } from './still-moves.ts';
import { TrafficMetrics } from './traffic-metrics.ts';

export type MoveKind = 'PodVolumeBackup' | 'PodVolumeRestore' | 'DataUpload' | 'DataDownload';
export type MoveOutcome = 'completed' | 'failed' | 'canceled';
/** Until it begins; of the rest, getting the repository open; all of the rest. */
export type MoveStage = 'waiting' | 'opening' | 'moving';
/** How the engine's part ended; what it says of a move that was told to stop is no failure. */
export type RunOutcome = 'completed' | 'failed' | 'stopped';

/** Of a copy ahead of a backup. `stopped`: whatever goes first wanted it so. */
export type PreCopyOutcome = 'copied' | 'stopped' | 'skipped' | 'failed';

export interface EndedMove {
  readonly kind: MoveKind;
  readonly outcome: MoveOutcome;
  /** Of its storage location. */
  readonly location: string;
  readonly durationMs: number;
  /** That of its object, which ends with a code where it has failed. */
  readonly message?: string;
}

export interface SlotState {
  readonly total: number;
  readonly used: number;
  readonly waiting: number;
}

/**
 * Who gives the slots: the controller (`with`); nobody new, while it does not answer (`away`); this
 * node itself, because it has been away for long (`alone`) or because there is none (`none`).
 */
export type SlotStanding = 'with' | 'away' | 'alone' | 'none';

/** Asked when metrics are read. */
export interface MetricSources {
  readonly slots: () => SlotState;
  readonly standing: () => SlotStanding;
  readonly queueDepths: () => Readonly<Record<string, number>>;
}

/** Velero's (pkg/metrics/metrics.go); the last is its fs-backup timeout. */
const LATENCY_BUCKETS = [60, 300, 600, 900, 1800, 3600, 7200, 10_800, 14_400];
const STAGE_BUCKETS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400];
const KINDS: readonly MoveKind[] = [
  'PodVolumeBackup',
  'PodVolumeRestore',
  'DataUpload',
  'DataDownload',
];
const STAGES: readonly MoveStage[] = ['waiting', 'opening', 'moving'];
const OUTCOMES: readonly MoveOutcome[] = ['completed', 'failed', 'canceled'];
const STANDINGS: readonly SlotStanding[] = ['with', 'away', 'alone', 'none'];
const PRE_COPY_OUTCOMES: readonly PreCopyOutcome[] = ['copied', 'stopped', 'skipped', 'failed'];
/** Of a BackupRepository; '' is what is new. */
const REPOSITORY_PHASES: readonly string[] = ['New', 'Ready', 'NotReady'];
const RUN_OUTCOMES: readonly RunOutcome[] = ['completed', 'failed', 'stopped'];

export class AgentMetrics implements Disposable {
  readonly registry = new Registry();
  readonly traffic: TrafficMetrics;
  /** Told of moves that run. */
  readonly still: StillMoves;
  readonly #node: string;
  readonly #velero: ReturnType<typeof veleroMetrics>;
  readonly #own: ReturnType<typeof ownMetrics>;
  readonly #process: Disposable;

  constructor(node: string, clock: Clock = systemClock) {
    this.#node = node;
    this.#velero = veleroMetrics(this.registry, node);
    this.#own = ownMetrics(this.registry);
    this.traffic = new TrafficMetrics(this.registry);
    this.still = new StillMoves(this.registry, { kinds: KINDS, clock });
    this.#process = addProcessMetrics(this.registry, clock);
  }

  /** Gauges whose values lie elsewhere; called once. */
  observe(sources: MetricSources): void {
    addSourceMetrics(this.registry, sources);
  }

  moveStarted(kind: MoveKind): void {
    if (kind === 'PodVolumeBackup') this.#velero.enqueued.inc({ node: this.#node });
  }

  /** How many the engine works on: 1 when it begins with one, -1 when it ends. */
  running(kind: MoveKind, change: 1 | -1): void {
    this.#own.running.inc({ kind }, change);
  }

  moveEnded({ kind, outcome, location, durationMs, message }: EndedMove): void {
    this.#own.ended.inc({ kind, outcome });
    this.#velero.dataMoves.get(kind)?.[outcome].inc({ node: this.#node });
    if (outcome === 'failed') this.#own.failures.inc({ kind, code: failureCode(message) });
    if (kind !== 'PodVolumeBackup' || outcome !== 'completed') return;
    const labels = {
      node: this.#node,
      operation: `${location}-kopia-backup`,
      backupName: '',
      pod_volume_backup: '',
    };
    this.#velero.dequeued.inc({ node: this.#node });
    this.#velero.latency.observe(labels, durationMs / 1000);
    this.#velero.latest.set(labels, durationMs / 1000);
    this.#own.lastSuccess.setToCurrentTime({ location });
  }

  stageEnded(kind: MoveKind, stage: MoveStage, durationMs: number): void {
    this.#own.stages.observe({ kind, stage }, durationMs / 1000);
  }

  bytesMoved(kind: MoveKind, bytes: number): void {
    if (bytes > 0) this.#own.bytes.inc({ kind }, bytes);
  }

  /** Bytes that were not served from the parent. */
  bytesNew(bytes: number): void {
    this.#own.incremental.inc(bytes);
  }

  /** `bytesRead`: known of those that were copied alone. */
  preCopyEnded(outcome: PreCopyOutcome, bytesRead: number): void {
    this.#own.preCopies.inc({ outcome });
    this.#own.preCopyBytes.inc(bytesRead);
  }

  /** Whose threads cannot be ended. */
  repositoriesLeftBehind(count: number): void {
    this.#own.leftBehind.set(count);
  }

  /** At volumes that do not answer. */
  looksLeftBehind(count: number): void {
    this.#own.looksLeftBehind.set(count);
  }

  /** All bytes of it that were counted before, now that it has ended. */
  runEnded(kind: MoveKind, outcome: RunOutcome, bytes: number): void {
    this.#own.endedBytes.inc({ kind, outcome }, bytes);
  }

  /** Known of moves that completed alone. */
  filesMoved(kind: MoveKind, count: number): void {
    this.#own.files.inc({ kind }, count);
  }

  /** Of a backup what was left out, of a restore what came back different. */
  entriesImperfect(kind: MoveKind, count: number): void {
    this.#own.imperfect.inc({ kind }, count);
    if (count > 0) this.#own.imperfectMoves.inc({ kind });
  }

  /** A BackupRepository that has come, has another phase, or has gone. */
  repositoryChanged(before: string | undefined, now: string | undefined): void {
    if (before !== undefined) this.#own.repositories.dec({ phase: repositoryPhase(before) });
    if (now !== undefined) this.#own.repositories.inc({ phase: repositoryPhase(now) });
  }

  [Symbol.dispose](): void {
    this.#process[Symbol.dispose]();
  }
}

/**
 * Names and labels as dashboards for stock have them. What stock puts into `operation`,
 * `backupName` and `pod_volume_backup` makes new series for each volume of each backup; here they
 * are bounded.
 */
function veleroMetrics(registry: Registry, node: string) {
  const registers = [registry];
  const counter = (name: string, help: string) => {
    const made = new Counter({ name, help, labelNames: ['node'], registers });
    made.inc({ node }, 0);
    return made;
  };
  const labelNames = ['node', 'operation', 'backupName', 'pod_volume_backup'];
  const latency = 'podVolume_pod_volume_operation_latency_seconds';
  const dataMoves = (what: 'upload' | 'download') => {
    const ended = (end: string) =>
      counter(`podVolume_data_${what}_${end}_total`, `Data ${what}s: ${end}`);
    return { completed: ended('success'), failed: ended('failure'), canceled: ended('cancel') };
  };
  return {
    dataMoves: new Map<MoveKind, ReturnType<typeof dataMoves>>([
      ['DataUpload', dataMoves('upload')],
      ['DataDownload', dataMoves('download')],
    ]),
    enqueued: counter('podVolume_pod_volume_backup_enqueue_count', 'Backups that have begun'),
    dequeued: counter('podVolume_pod_volume_backup_dequeue_count', 'Backups that completed'),
    latency: new Histogram({
      name: latency,
      help: 'Time from the creation of a PodVolumeBackup to its completion',
      labelNames,
      buckets: LATENCY_BUCKETS,
      registers,
    }),
    latest: new Gauge({
      name: `${latency}_gauge`,
      help: 'The last of them',
      labelNames,
      registers,
    }),
  };
}

function ownMetrics(registry: Registry) {
  const registers = [registry];
  const ended = new Counter({
    name: 'stevedore_moves_total',
    help: 'Moves that have ended',
    labelNames: ['kind', 'outcome'],
    registers,
  });
  const ofKind = (name: string, help: string) =>
    new Counter({ name, help, labelNames: ['kind'], registers });
  const bytes = ofKind('stevedore_move_bytes_total', 'Bytes of files that were gone through');
  const imperfect = ofKind(
    'stevedore_move_imperfect_entries_total',
    'Entries left out or different',
  );
  const imperfectMoves = ofKind(
    'stevedore_moves_imperfect_total',
    'Moves that completed with entries left out or different',
  );
  const repositories = new Gauge({
    name: 'stevedore_backup_repositories',
    help: 'BackupRepositories of kopia, of the whole cluster',
    labelNames: ['phase'],
    registers,
  });
  for (const phase of [...REPOSITORY_PHASES, 'other']) repositories.set({ phase }, 0);
  const running = new Gauge({
    name: 'stevedore_moves_running',
    help: 'Moves that the engine works on now',
    labelNames: ['kind'],
    registers,
  });
  const files = ofKind('stevedore_move_files_total', 'Files of moves that completed');
  const endedBytes = new Counter({
    name: 'stevedore_move_ended_bytes_total',
    help: 'Bytes of moves that have ended',
    labelNames: ['kind', 'outcome'],
    registers,
  });
  const preCopies = new Counter({
    name: 'stevedore_pre_copies_total',
    help: 'Copies ahead of scheduled backups that have ended',
    labelNames: ['outcome'],
    registers,
  });
  for (const outcome of PRE_COPY_OUTCOMES) preCopies.inc({ outcome }, 0);
  const stages = new Histogram({
    name: 'stevedore_move_stage_seconds',
    help: 'Time that moves spent in each stage',
    labelNames: ['kind', 'stage'],
    buckets: STAGE_BUCKETS,
    registers,
  });
  // From the start, so that a rate is there for the first one.
  for (const kind of KINDS) {
    for (const stage of STAGES) stages.zero({ kind, stage });
    for (const outcome of RUN_OUTCOMES) endedBytes.inc({ kind, outcome }, 0);
    files.inc({ kind }, 0);
    for (const outcome of OUTCOMES) ended.inc({ kind, outcome }, 0);
    bytes.inc({ kind }, 0);
    imperfect.inc({ kind }, 0);
    imperfectMoves.inc({ kind }, 0);
    running.set({ kind }, 0);
  }
  return {
    ended,
    failures: new Counter({
      name: 'stevedore_move_failures_total',
      help: 'Moves that have failed, by the code of docs/errors.md',
      labelNames: ['kind', 'code'],
      registers,
    }),
    bytes,
    endedBytes,
    files,
    imperfect,
    imperfectMoves,
    repositories,
    running,
    preCopies,
    preCopyBytes: new Counter({
      name: 'stevedore_pre_copy_read_bytes_total',
      help: 'Bytes of files that were read ahead of scheduled backups',
      registers,
    }),
    incremental: new Counter({
      name: 'stevedore_backup_new_bytes_total',
      help: 'Bytes that were not in the parent snapshot',
      registers,
    }),
    stages,
    leftBehind: new Gauge({
      name: 'stevedore_repositories_left_behind',
      help: 'Repositories whose threads are held by volumes that do not answer',
      registers,
    }),
    looksLeftBehind: new Gauge({
      name: 'stevedore_volume_looks_left_behind',
      help: 'Volumes whose file system does not say what is at their root',
      registers,
    }),
    lastSuccess: new Gauge({
      name: 'stevedore_backup_last_success_timestamp_seconds',
      help: 'When a backup of this node last completed',
      labelNames: ['location'],
      registers,
    }),
  };
}

/** Of the one list of codes: a label takes no other text. */
function failureCode(message = ''): string {
  const code = codeIn(message);
  return Object.hasOwn(ERROR_CODES, code) ? code : 'other';
}

function repositoryPhase(phase: string): string {
  if (phase === '') return 'New';
  return REPOSITORY_PHASES.includes(phase) ? phase : 'other';
}

function addSourceMetrics(
  registry: Registry,
  { slots, standing, queueDepths }: MetricSources,
): void {
  const registers = [registry];
  new Gauge({
    name: 'stevedore_controller_standing',
    help: 'Who gives the slots: 1 for what is so now, 0 for the others',
    labelNames: ['standing'],
    registers,
    collect() {
      const now = standing();
      for (const each of STANDINGS) this.set({ standing: each }, each === now ? 1 : 0);
    },
  });
  new Gauge({
    name: 'stevedore_slots',
    help: 'Moves that may run at once, that have a slot, and that wait for one',
    labelNames: ['state'],
    registers,
    collect() {
      const { total, used, waiting } = slots();
      this.set({ state: 'total' }, total);
      this.set({ state: 'used' }, used);
      this.set({ state: 'waiting' }, waiting);
    },
  });
  new Gauge({
    name: 'stevedore_queue_depth',
    help: 'Objects that wait to be looked at',
    labelNames: ['queue'],
    registers,
    collect() {
      for (const [queue, depth] of Object.entries(queueDepths())) this.set({ queue }, depth);
    },
  });
}
