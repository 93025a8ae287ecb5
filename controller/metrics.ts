// What the controller tells Prometheus: mostly what holds at the moment of the scrape. Each metric
// has a row in docs/metrics.md. Names of nodes, storage classes and locations are labels, as many
// as are served at most; nothing that a stranger says is one.

import {
  Histogram,
  type MetricRow,
  type Reading,
  registerMetrics,
  Registry,
} from '#agent/prometheus.ts';
import { addProcessMetrics } from '#agent/process-metrics.ts';
import { type AnnotatorCounts, CHANGE_RESULTS } from '#controller/annotator/annotator-counts.ts';
import { LEFTOVER_KINDS, type LeftoverCounts } from '#controller/nothing-stuck/leftover-counts.ts';
import type { Clock } from '#engine/base/clock.ts';
import { PRIORITY_MAX, type SlotGrant } from '#proto/slot-messages.ts';
import { FAULT_KINDS, type PreCopyCounts } from './pre-copy/pre-copy-counts.ts';
import { type Refusal, type RefusalCounts, REFUSALS } from './sessions/refusals.ts';
import { DIRECTIONS } from './share-service.ts';
import { describeQueue, type QueueEntry, type WaitCause } from './slots/describe-queue.ts';
import type { GaugeKind } from './slots/gauge.ts';
import type { GaugeUse } from './slots/gauge-board.ts';
import type { SlotDesk } from './slots/slot-desk.ts';
import type { TermState } from './term.ts';

export interface MetricsParts {
  readonly clock: Clock;
  readonly counts: RefusalCounts;
  readonly annotated: AnnotatorCounts;
  readonly preCopies: PreCopyCounts;
  readonly leftovers: LeftoverCounts;
  readonly connectionCount: () => number;
  readonly areSettingsValid: () => boolean;
  /** Undefined while somebody else reigns. */
  readonly state: () => TermState | undefined;
}

/** Of each kind of limit: an agent may name what it likes as a storage class. */
const NAMES_MAX = 1_000;
const WAIT_BUCKETS = [1, 10, 60, 300, 900, 1800, 3600, 7200, 14_400, 28_800, 57_600];
const PRIORITIES = Array.from({ length: PRIORITY_MAX + 1 }, (_, priority) => priority);

/** With the kind of limit, where there is one. */
const CAUSES: readonly (readonly [cause: WaitCause['kind'], limit: GaugeKind | ''])[] = [
  ...(['full', 'kept', 'stopped'] as const).flatMap(cause =>
    (['cluster', 'node', 'storage-class', 'location'] as const).map(
      limit => [cause, limit] as const,
    ),
  ),
  ['gathering', ''],
  ['starting', ''],
  ['next', ''],
];

/** Read once for each scrape. */
interface Snapshot extends Pick<
  MetricsParts,
  'counts' | 'annotated' | 'preCopies' | 'leftovers' | 'connectionCount' | 'areSettingsValid'
> {
  readonly state: TermState | undefined;
  readonly queue: readonly QueueEntry[];
  readonly uses: readonly GaugeUse[];
}

export class ControllerMetrics implements Disposable {
  readonly registry = new Registry();
  readonly #clock: Clock;
  readonly #waits: Histogram;
  readonly #process: Disposable;

  constructor(parts: MetricsParts) {
    const { clock, state, ...others } = parts;
    this.#clock = clock;
    this.#waits = new Histogram({
      name: 'stevedore_controller_wait_seconds',
      help: 'How long volumes had waited when they were granted a slot',
      labelNames: ['priority'],
      buckets: WAIT_BUCKETS,
      registers: [this.registry],
    });
    for (const priority of PRIORITIES) this.#waits.zero({ priority });
    registerMetrics(this.registry, ROWS, () => {
      const now = state();
      return { state: now, ...others, ...this.#look(now?.desk) };
    });
    this.#process = addProcessMetrics(this.registry, clock);
  }

  granted(grants: readonly SlotGrant[], { table }: SlotDesk): void {
    const nowMs = this.#clock.monotonic();
    for (const { id } of grants) {
      const volume = table.slot(id)?.volume;
      if (volume === undefined) continue;
      const { priority, askedAtMs } = volume;
      this.#waits.observe({ priority }, (nowMs - askedAtMs) / 1000);
    }
  }

  [Symbol.dispose](): void {
    this.#process[Symbol.dispose]();
  }

  #look(desk: SlotDesk | undefined): Pick<Snapshot, 'queue' | 'uses'> {
    if (desk === undefined) return { queue: [], uses: [] };
    const nowMs = this.#clock.monotonic();
    const queue = describeQueue(desk.table, nowMs, desk.isWarming(nowMs));
    return { queue, uses: desk.table.uses() };
  }
}

const ROWS: readonly MetricRow<Snapshot>[] = [
  {
    name: 'stevedore_controller_leads',
    kind: 'gauge',
    help: 'Whether this controller leads: 1, or 0 while it stands by',
    read: ({ state }) => [[[], state === undefined ? 0 : 1]],
  },
  {
    name: 'stevedore_controller_queue_requests',
    kind: 'gauge',
    help: 'Volumes that wait for a slot',
    labels: ['priority'],
    read: ({ queue }) => byPriority(queue, own => own.length),
  },
  {
    name: 'stevedore_controller_queue_longest_wait_seconds',
    kind: 'gauge',
    help: 'How long the one that waits longest has waited',
    labels: ['priority'],
    read: ({ queue }) =>
      byPriority(
        queue,
        own => own.reduce((most, { waitedMs }) => Math.max(most, waitedMs), 0) / 1e3,
      ),
  },
  {
    name: 'stevedore_controller_queue_causes',
    kind: 'gauge',
    help: 'Volumes that wait for a slot, by what for',
    labels: ['cause', 'limit'],
    read: ({ queue }) => causeReadings(queue),
  },
  {
    name: 'stevedore_controller_slots',
    kind: 'gauge',
    help: 'Slots that are used and free, at each limit',
    labels: ['limit', 'name', 'state'],
    read: ({ uses }) => bounded(uses).flatMap(slotReadings),
  },
  {
    name: 'stevedore_controller_agents',
    kind: 'gauge',
    help: 'Nodes by what is known of their agents',
    labels: ['state'],
    read: ({ state, uses }) => agentReadings(state, uses),
  },
  {
    name: 'stevedore_controller_connections',
    kind: 'gauge',
    help: 'Connections of agents',
    read: ({ connectionCount }) => [[[], connectionCount()]],
  },
  {
    name: 'stevedore_controller_settings_valid',
    kind: 'gauge',
    help: 'Whether the settings could be used when they were looked at last: 1, or 0',
    read: ({ areSettingsValid }) => [[[], areSettingsValid() ? 1 : 0]],
  },
  {
    name: 'stevedore_controller_refusals_total',
    kind: 'counter',
    help: 'Calls and connections that were turned away, and sessions that were ended',
    labels: ['reason'],
    // Keys of the table, all of them from the start.
    read: ({ counts }) =>
      (Object.keys(REFUSALS) as Refusal[]).map(reason => [[reason], counts.of(reason)]),
  },
  {
    name: 'stevedore_controller_node_cache_limit_bytes',
    kind: 'gauge',
    help: 'What the cache of a node may take, as its agent says',
    labels: ['node'],
    read: ({ state }) => cacheReadings(state, 'limitBytes'),
  },
  {
    name: 'stevedore_controller_node_cache_used_bytes',
    kind: 'gauge',
    help: 'What the cache of a node takes, as its agent says',
    labels: ['node'],
    read: ({ state }) => cacheReadings(state, 'usedBytes'),
  },
  {
    name: 'stevedore_controller_bandwidth_bytes_per_second',
    kind: 'gauge',
    help: 'The rate of the cluster, what nodes may use of it and what they use',
    labels: ['direction', 'state'],
    read: ({ state }) => DIRECTIONS.flatMap(direction => rateReadings(state, direction)),
  },
  {
    name: 'stevedore_controller_annotator_pods',
    kind: 'gauge',
    help: 'Pods by what the annotator has found',
    labels: ['state'],
    read: ({ annotated }) =>
      Object.entries(annotated.pods()).map(([state, count]) => [[state], count]),
  },
  {
    name: 'stevedore_controller_annotator_changes_total',
    kind: 'counter',
    help: 'Changes of pods by the annotator, and what became of them',
    labels: ['result'],
    read: ({ annotated }) => CHANGE_RESULTS.map(result => [[result], annotated.results(result)]),
  },
  {
    name: 'stevedore_controller_pre_copy_volumes',
    kind: 'gauge',
    help: 'Volumes that are to be copied ahead of a scheduled backup now',
    read: ({ preCopies }) => [[[], preCopies.wanted]],
  },
  {
    name: 'stevedore_controller_pre_copy_faults',
    kind: 'gauge',
    help: 'Schedules and annotations of pods that cannot be understood',
    labels: ['kind'],
    read: ({ preCopies }) => FAULT_KINDS.map(kind => [[kind], preCopies.faults[kind]]),
  },
  {
    name: 'stevedore_controller_leftovers_deleted_total',
    kind: 'counter',
    help: 'Objects deleted that moves had left behind at their end',
    labels: ['kind'],
    read: ({ leftovers }) => LEFTOVER_KINDS.map(kind => [[kind], leftovers.of(kind)]),
  },
];

function byPriority(
  queue: readonly QueueEntry[],
  valueOf: (own: readonly QueueEntry[]) => number,
): Reading[] {
  const groups = Map.groupBy(queue, ({ priority }) => priority);
  return PRIORITIES.map(priority => [[`${priority}`], valueOf(groups.get(priority) ?? [])]);
}

function causeReadings(queue: readonly QueueEntry[]): Reading[] {
  const counts = new Map(CAUSES.map(cause => [cause.join(), 0]));
  for (const { cause } of queue) {
    const key = [cause.kind, 'limit' in cause ? cause.limit.kind : ''].join();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return CAUSES.map(cause => [cause, counts.get(cause.join()) ?? 0]);
}

function bounded(uses: readonly GaugeUse[]): GaugeUse[] {
  const counts = new Map<string, number>();
  return uses.filter(({ kind }) => {
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    // Nodes are bounded by their sessions.
    return kind === 'node' || count <= NAMES_MAX;
  });
}

function slotReadings({ kind, name, used, max }: GaugeUse): Reading[] {
  const readings: Reading[] = [[[kind, name, 'used'], used]];
  if (max !== undefined) readings.push([[kind, name, 'free'], Math.max(0, max - used)]);
  return readings;
}

function agentReadings(state: TermState | undefined, uses: readonly GaugeUse[]): Reading[] {
  const nodes = uses.filter(({ kind }) => kind === 'node');
  const hasSession = ({ name }: GaugeUse) => state?.sessions.session(name) !== undefined;
  const stopped = nodes.filter(node => hasSession(node) && node.max === 0).length;
  return [
    [['connected'], (state?.sessions.count ?? 0) - stopped],
    [['stopped'], stopped],
    [['silent'], nodes.filter(node => !hasSession(node)).length],
  ];
}

function cacheReadings(state: TermState | undefined, key: 'limitBytes' | 'usedBytes'): Reading[] {
  const beats = [...(state?.service.heartbeats ?? [])];
  return beats.flatMap(([node, { cache }]): Reading[] =>
    cache === undefined ? [] : [[[node], cache[key]]],
  );
}

function rateReadings(
  state: TermState | undefined,
  direction: (typeof DIRECTIONS)[number],
): Reading[] {
  if (state === undefined) return [];
  const { limit, given, used } = state.shares.use(direction);
  const readings: Reading[] = [[[direction, 'used'], used]];
  // Without a limit, which Prometheus writes as +Inf.
  readings.push([[direction, 'limit'], limit ?? Number.POSITIVE_INFINITY]);
  readings.push([[direction, 'given'], given]);
  return readings;
}
