// What the agent tells Prometheus of its share of the cluster's bandwidth. Only where a controller
// is set: without one nothing holds its traffic back.

import type { Traffic } from '#engine/index.ts';
import { type MetricRow, type Reading, registerMetrics, type Registry } from './prometheus.ts';

export function registerShareMetrics(registry: Registry, traffic: Traffic): void {
  registerMetrics(registry, ROWS, () => traffic);
}

const ROWS: readonly MetricRow<Traffic>[] = [
  {
    name: 'stevedore_bandwidth_share_bytes_per_second',
    kind: 'gauge',
    help: 'What this node may send and fetch, as the controller has said last',
    labels: ['direction'],
    // Prometheus writes it as +Inf.
    read: each(({ bytesPerSecond }) => bytesPerSecond ?? Number.POSITIVE_INFINITY),
  },
  {
    name: 'stevedore_bandwidth_held_up_seconds_total',
    kind: 'counter',
    help: 'For how long something has waited for that share',
    labels: ['direction'],
    read: each(({ heldUpMs }) => heldUpMs / 1000),
  },
];

function each(valueOf: (rate: Traffic['upload']) => number): (traffic: Traffic) => Reading[] {
  return ({ upload, download }) => [
    [['upload'], valueOf(upload)],
    [['download'], valueOf(download)],
  ];
}
