// Which Pod Security level each pod has, as the admission of a real API server says it of pods in
// namespaces that enforce one: values.yaml and docs/chart.md name the levels.

import t from 'tap';
import { makeHolder } from '#agent/exposer/made-objects.ts';
import { chartWithFiles, renderText, VALUE_FILES, valuesOf } from '#test/charts/value-files.ts';
import { parseYaml } from '#engine/base/yaml.ts';
import type { ControlPlane } from '#test/cluster/control-plane.ts';
import { chartServerIsMissing, startChartServer, tryOut } from './api-server.ts';

const LEVELS = ['privileged', 'baseline', 'restricted'] as const;
type Level = (typeof LEVELS)[number];

interface Workload {
  readonly kind: string;
  readonly spec: { readonly template: { readonly spec: object } };
}

/** Whether a namespace of that level takes it, and what it says. */
function admit(plane: ControlPlane, level: Level, spec: object) {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'tried', namespace: level },
    // Accounts, classes and runtimes are others' concern.
    spec: {
      ...spec,
      serviceAccountName: undefined,
      automountServiceAccountToken: false,
      priorityClassName: undefined,
      runtimeClassName: undefined,
    },
  };
  return tryOut(plane, JSON.stringify(pod));
}

/** The strictest level that takes it, and what the next one says. */
function levelOf(plane: ControlPlane, spec: object) {
  let said = '';
  for (const level of LEVELS.toReversed()) {
    const { status, text } = admit(plane, level, spec);
    if (status === 0) return { level, said };
    said = text;
  }
  throw new Error(said);
}

/** Of each value file the agent's pod and, where there is one, the controller's. */
function podsOf(chart: string, name: string) {
  const text = renderText(chart, `--values=${valuesOf(name)}`);
  const objects = text.split(/^---$/m).map(part => parseYaml(part, name));
  const specOf = (kind: string) =>
    // Written by the chart, and taken by the API server as what they are (valid-objects).
    (objects as (Workload | null)[]).find(each => each?.kind === kind)?.spec.template.spec;
  return { agent: specOf('DaemonSet') ?? {}, controller: specOf('Deployment') };
}

t.test('pods have the levels that are documented', { skip: chartServerIsMissing() }, async t => {
  await using plane = await startChartServer();
  for (const name of LEVELS) {
    const labels = { 'pod-security.kubernetes.io/enforce': name };
    await plane.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
    const metadata = { name: 'default', namespace: name };
    await plane.client.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  }
  const chart = chartWithFiles(t.testdir());
  let controllers = 0;
  for (const name of VALUE_FILES) {
    const { agent, controller } = podsOf(chart, name);
    const { level, said } = levelOf(plane, agent);
    t.equal(level, 'privileged', `${name}: the agent`);
    if (!['openshift', 'everything'].includes(name)) {
      const [, reason] = /violates PodSecurity "baseline:latest": (.*)/.exec(said) ?? [];
      const volumes = '(volumes? "[^)]*"|volumes ("[\\w-]+"(, )?)+)';
      t.match(reason, new RegExp(`^hostPath volumes \\(${volumes}\\)$`), `${name}: for one reason`);
    }
    if (controller === undefined) continue;
    controllers++;
    t.equal(levelOf(plane, controller).level, 'restricted', `${name}: the controller`);
  }
  t.ok(controllers > 5);
  const owner = { apiVersion: 'velero.io/v2alpha1', kind: 'DataUpload', name: 'up', uid: 'u' };
  const move = { name: 'up', namespace: 'velero', uid: 'u', owner };
  for (const mode of ['Filesystem', 'Block'] as const) {
    const { spec } = makeHolder(move, { mode, isReadOnly: false }, { image: 'pause' });
    t.equal(levelOf(plane, { ...spec }).level, 'restricted', `what holds a volume: ${mode}`);
  }
});
