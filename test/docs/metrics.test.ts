// docs/metrics.md has a row for each metric that the agent and the controller serve, with its type
// and labels.

import { readFileSync } from 'node:fs';
import t from 'tap';
import { AgentMetrics } from '#agent/metrics.ts';
import { registerShareMetrics } from '#agent/share-metrics.ts';
import { AnnotatorCounts } from '#controller/annotator/annotator-counts.ts';
import { ControllerMetrics } from '#controller/metrics.ts';
import { LeftoverCounts } from '#controller/nothing-stuck/leftover-counts.ts';
import { PreCopyCounts } from '#controller/pre-copy/pre-copy-counts.ts';
import { RefusalCounts } from '#controller/sessions/refusals.ts';
import { systemClock } from '#engine/base/clock.ts';
import { SmoothRate } from '#engine/base/smooth-rate.ts';

const ROW = /^\| `(\w+)` \| (\w+) \| ([^|]*)\| \S.* \|$/;
const THINGS = 'count|gauge|running|left_behind|slots|depth|standing|repositories';
const UNIT = new RegExp(`\`\\w+?_(seconds|bytes|per_second|total|${THINGS})\` `);
const text = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
const [moves = ''] = text.split('## The cache');
const [, controller = ''] = text.split('## The controller');
const rows = rowsIn(moves);
const controllerRows = rowsIn(controller);

function rowsIn(part: string): string[] {
  return part.split('\n').filter(line => line.startsWith('| `'));
}

/** `name type label label` */
function metricOf(row: string): string {
  const [, name = '', type = '', labels = ''] = ROW.exec(row) ?? [];
  const names = [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label);
  return `${name} ${type} ${names.sort().join(' ')}`.trim();
}

t.test('each metric of the agent has its row, with its type and labels', async t => {
  using metrics = new AgentMetrics('worker-1');
  metrics.observe({
    slots: () => ({ total: 1, used: 0, waiting: 0 }),
    standing: () => 'none',
    queueDepths: () => ({ q: 0 }),
  });
  const rate = new SmoothRate(1, systemClock);
  registerShareMetrics(metrics.registry, { upload: rate, download: rate });
  metrics.moveStarted('PodVolumeBackup');
  metrics.moveEnded({
    kind: 'PodVolumeBackup',
    outcome: 'completed',
    location: 'default',
    durationMs: 1,
  });
  const message = 'the disk is full (STORAGE_FULL)';
  metrics.moveEnded({
    ...{ kind: 'DataUpload', outcome: 'failed', message },
    ...{ location: 'default', durationMs: 1 },
  });
  metrics.stageEnded('PodVolumeBackup', 'waiting', 1);
  metrics.traffic.requestEnded({ target: { verb: 'get' } });
  const sample = { operation: 'get', outcome: 'ok', bytes: 1, blobs: 1, durationMs: 1 } as const;
  metrics.traffic.operationEnded(sample);
  const served = await metrics.registry.getMetricsAsJSON();
  const found = served.map(({ name, type, values }) => {
    const labels = new Set(values.flatMap(value => Object.keys(value.labels)));
    labels.delete('le');
    return `${name} ${String(type)} ${[...labels].sort().join(' ')}`.trim();
  });
  const documented = rows.map(metricOf);
  t.strictSame(documented.sort(), found.sort());
});

t.test('each metric of the controller has its row, with its type and labels', async t => {
  using metrics = new ControllerMetrics({
    clock: systemClock,
    counts: new RefusalCounts(),
    annotated: new AnnotatorCounts(),
    preCopies: new PreCopyCounts(),
    leftovers: new LeftoverCounts(),
    connectionCount: () => 0,
    areSettingsValid: () => true,
    state: () => undefined,
  });
  // What prom-client gives are its metrics, whose labels its type leaves out.
  const served = metrics.registry.getMetricsAsArray() as unknown as {
    readonly name: string;
    readonly type: string;
    readonly labelNames: readonly string[];
  }[];
  const own = served.filter(({ name }) => name.startsWith('stevedore_controller_'));
  const found = own.map(({ name, type, labelNames }) =>
    `${name} ${type} ${[...labelNames].sort().join(' ')}`.trim(),
  );
  t.ok(found.length > 5);
  t.strictSame(controllerRows.map(metricOf).sort(), found.sort());
});

t.test('a metric says its unit', async t => {
  for (const row of rows) t.match(row, UNIT);
});
