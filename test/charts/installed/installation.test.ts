// Helm installs the chart on a real API server, changes it, and takes all of it away again.

import type { ApiObject } from '#test/cluster/api-client.ts';
import type { ControlPlane } from '#test/cluster/control-plane.ts';
import t from 'tap';
import { chartWithFiles, VALUE_FILES, valuesOf } from '#test/charts/value-files.ts';
import { chartServerIsMissing, helmOn, kubectl, startChartServer } from './api-server.ts';

const SECRET = '/api/v1/namespaces/velero/secrets/stevedore-controller-tls';
const DAEMON_SETS = '/apis/apps/v1/namespaces/velero/daemonsets';
const skip = chartServerIsMissing();

/** What the API server makes and renews by itself. */
const OF_ITS_OWN =
  /^(apiservices|leases|endpoints|endpointslices|servicecidrs|ipaddresses|events)\b/;

/** Every object of every kind but those, as `plural.group namespace/name`. */
function allObjects(plane: ControlPlane): string[] {
  const { text } = kubectl(plane, '', 'api-resources', '--verbs=list', '--output=name');
  const kinds = text.split('\n').filter(kind => kind !== '' && !OF_ITS_OWN.test(kind));
  const columns = 'custom-columns=K:.kind,S:.metadata.namespace,N:.metadata.name';
  const words = ['get', kinds.join(), '--all-namespaces', '--no-headers', `--output=${columns}`];
  const { status, text: listed } = kubectl(plane, '', ...words);
  if (status !== 0) throw new Error(listed);
  return listed.split('\n').filter(Boolean).sort();
}

t.test('each of the value files goes in and out, and leaves nothing', { skip }, async t => {
  await using plane = await startChartServer();
  const chart = chartWithFiles(t.testdir());
  const before = allObjects(plane);
  t.ok(before.length > 10);
  for (const name of VALUE_FILES) {
    const said = helmOn(plane, 'install', 'stevedore', chart, `--values=${valuesOf(name)}`);
    t.match(said, 'STATUS: deployed', name);
    t.ok(allObjects(plane).length >= before.length + 8, name);
    helmOn(plane, 'uninstall', 'stevedore');
    t.strictSame(allObjects(plane), before, name);
  }
});

t.test('an upgrade changes what it should and keeps the certificate', { skip }, async t => {
  await using plane = await startChartServer();
  const { client } = plane;
  const chart = chartWithFiles(t.testdir());
  const before = allObjects(plane);
  const to = (verb: string, name: string, ...words: string[]) =>
    helmOn(plane, verb, 'stevedore', chart, `--values=${valuesOf(name)}`, ...words);
  to('install', 'minimal');
  await t.rejects(client.get(SECRET), /404/);
  const notes = to('upgrade', 'controller');
  t.match(notes, 'kubectl -n velero rollout status deployment/stevedore-controller');
  t.match(notes, 'kubectl -n velero port-forward deployment/stevedore-controller 8087');
  const { data } = await client.get<ApiObject & { data: Record<string, string> }>(SECRET);
  to('upgrade', 'monitoring');
  t.match(await client.get(SECRET), { data }, 'agents that run know it by its authority');
  const managed = to('upgrade', 'tls-cert-manager');
  t.match(managed, /get certificate stevedore-controller\n\nUntil then/, 'a command has its line');
  await t.rejects(client.get(SECRET), /404/, 'it is the issuer that makes the next one');
  t.match(to('upgrade', 'beside-stock'), '--data-mover stevedore');
  const daemonSets = await client.list(DAEMON_SETS);
  t.strictSame(
    daemonSets.map(({ metadata }) => metadata.name),
    ['stevedore-agent'],
  );
  helmOn(plane, 'rollback', 'stevedore', '1');
  t.match(await client.list(DAEMON_SETS), [{ metadata: { name: 'node-agent' } }]);
  await t.rejects(client.get(SECRET), /404/);
  helmOn(plane, 'uninstall', 'stevedore');
  t.strictSame(allObjects(plane), before);
});

t.test('a priority that cannot be changed is refused with what can be done', { skip }, async t => {
  await using plane = await startChartServer();
  const chart = chartWithFiles(t.testdir());
  const to = (verb: string, ...values: string[]) => {
    const set = ['priorityClass.create=true', ...values].map(value => `--set=${value}`);
    return helmOn(plane, verb, 'stevedore', chart, `--values=${valuesOf('minimal')}`, ...set);
  };
  to('install', 'priorityClass.value=1000');
  t.match(to('upgrade', 'priorityClass.value=1000'), 'STATUS: deployed');
  t.throws(() => to('upgrade', 'priorityClass.value=2000'), {
    message: /asks for 2000 PreemptLowerPriority and the PriorityClass velero-stevedore has 1000 /,
  });
  t.throws(() => to('upgrade', 'priorityClass.value=1000,priorityClass.preemptionPolicy=Never'), {
    message: /give priorityClass.name another name/,
  });
  const said = to('upgrade', 'priorityClass.value=2000,priorityClass.name=another');
  t.match(said, 'STATUS: deployed');
  t.match(await plane.client.get('/apis/scheduling.k8s.io/v1/priorityclasses/another'), {
    value: 2000,
  });
});

t.test("beside Velero's own agent it goes in, in its place it does not", { skip }, async t => {
  await using plane = await startChartServer();
  const chart = chartWithFiles(t.testdir());
  const labels = { name: 'node-agent', role: 'node-agent' };
  const spec = { containers: [{ name: 'node-agent', image: 'velero' }] };
  const stock: ApiObject = {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'node-agent', namespace: 'velero' },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
  await plane.client.create(stock);
  const install = (name: string) => () =>
    helmOn(plane, 'install', 'stevedore', chart, `--values=${valuesOf(name)}`);
  t.throws(install('minimal'), { message: /there is a DaemonSet node-agent in velero that Helm/ });
  t.match(install('beside-stock')(), 'STATUS: deployed');
  const found = await plane.client.list(DAEMON_SETS);
  t.strictSame(
    found.map(({ metadata }) => metadata.name),
    ['node-agent', 'stevedore-agent'],
  );
  helmOn(plane, 'uninstall', 'stevedore');
  t.match(await plane.client.list(DAEMON_SETS), [{ metadata: { name: 'node-agent' } }]);
});
