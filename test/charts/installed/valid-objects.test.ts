// Everything that the chart renders is something that a real API server would keep, field by field:
// Kubernetes', and what the Prometheus operator, cert-manager and OpenShift define.

import t from 'tap';
import { CHART } from '#test/charts/helm.ts';
import { chartWithFiles, renderText, VALUE_FILES, valuesOf } from '#test/charts/value-files.ts';
import { chartServerIsMissing, startChartServer, tryOut } from './api-server.ts';

const IMAGE = '--set=image.repository=registry.example/stevedore';

t.test('the API server takes each object', { skip: chartServerIsMissing() }, async t => {
  await using plane = await startChartServer();
  const chart = chartWithFiles(t.testdir());
  const kinds = new Set<string>();
  for (const name of VALUE_FILES) {
    const text = renderText(chart, `--values=${valuesOf(name)}`);
    const rendered = [...text.matchAll(/^kind: (\w+)$/gm)].map(([, kind = '']) => kind);
    for (const kind of rendered) kinds.add(kind);
    const answer = tryOut(plane, text);
    t.equal(answer.status, 0, `${name}: ${answer.text.slice(0, 1000)}`);
    t.equal(answer.text.match(/ created \(server dry run\)$/gm)?.length, rendered.length, name);
  }
  const ofOthers = ['PodMonitor', 'PrometheusRule', 'Certificate', 'SecurityContextConstraints'];
  for (const kind of [...ofOthers, 'DaemonSet', 'Deployment', 'NetworkPolicy', 'PriorityClass']) {
    t.ok(kinds.has(kind), `there was a ${kind}`);
  }
  // With its own alerts and dashboards, where they are.
  const own = tryOut(plane, renderText(CHART, `--values=${valuesOf('monitoring')}`));
  t.equal(own.status, 0, own.text.slice(0, 1000));
  t.equal(own.text.match(/Warning/g), null);
});

t.test('and would not take one with a mistake', { skip: chartServerIsMissing() }, async t => {
  await using plane = await startChartServer();
  const mistakes = {
    'nodeAgent.extraVolumes[0].name=x,nodeAgent.extraVolumes[0].emptyDri.medium=Memory':
      /unknown field .*emptyDri/,
    'nodeAgent.updateStrategy.type=Sometimes':
      /spec.updateStrategy: Unsupported value: .*Sometimes/,
    'metrics.nodeAgentPodMonitor.enabled=true,metrics.nodeAgentPodMonitor.additionalLabels.a=b c':
      /metadata.labels: Invalid value: .*b c/,
  };
  for (const [setting, said] of Object.entries(mistakes)) {
    const { status, text } = tryOut(plane, renderText(CHART, IMAGE, `--set=${setting}`));
    t.equal(status, 1, setting);
    t.match(text, said);
  }
});
