// What the chart refuses to be installed over, by a helm that asks the API emulator.

import { writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { startKubeEmulator, type KubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { CHART, helmIsMissing, helmMeanwhile } from './helm.ts';

const skip = helmIsMissing();
/** Said after all templates, as the emulator has no roles. */
const NOT_REFUSED = /unable to build kubernetes objects from release manifest/;

interface Attempt {
  readonly velero?: '1.18';
  readonly prepare?: (api: KubeEmulator) => void;
  readonly verb?: readonly string[];
}

/** What helm says, or the rendered chart. */
async function attempt(t: Test, { velero, prepare, verb }: Attempt): Promise<string> {
  const api = await startKubeEmulator({ velero });
  t.teardown(() => api.stop());
  prepare?.(api);
  const kubeconfig = `${t.testdir()}/kubeconfig`;
  writeFileSync(kubeconfig, api.kubeconfig());
  const words = verb ?? ['install'];
  const flags = ['--namespace=velero', `--kubeconfig=${kubeconfig}`];
  const image = '--set=image.repository=registry.example/stevedore';
  try {
    return await helmMeanwhile(...words, 'stevedore', CHART, ...flags, image);
  } catch (error) {
    return String(error);
  }
}

function nodeAgent(annotations: Record<string, string> = {}): Attempt['prepare'] {
  const metadata = { name: 'node-agent', namespace: 'velero', annotations };
  return api => void api.add({ kind: 'DaemonSet', metadata });
}

t.test('a first installation into a cluster without Velero is refused', { skip }, async t => {
  const said = await attempt(t, {});
  t.match(said, 'the cluster has no resources of velero.io/v1; install Velero 1.16 or newer first');
});

t.test('where Velero is there it is not', { skip }, async t => {
  t.match(await attempt(t, { velero: '1.18' }), NOT_REFUSED);
  const others = (api: KubeEmulator) => {
    const metadata = { name: 'kube-proxy', namespace: 'velero' };
    api.add({ kind: 'DaemonSet', metadata });
  };
  t.match(await attempt(t, { velero: '1.18', prepare: others }), NOT_REFUSED);
});

t.test('helm template is no installation, even where it asks a cluster', { skip }, async t => {
  const verb = ['template', '--dry-run=server', '--kube-version=1.30.0'];
  t.match(await attempt(t, { verb }), 'kind: DaemonSet');
  t.match(await attempt(t, { verb, velero: '1.18' }), 'kind: DaemonSet');
});

t.test("somebody else's DaemonSet is not taken over, the release's own is", { skip }, async t => {
  const none = await attempt(t, { velero: '1.18', prepare: nodeAgent() });
  t.match(none, /that Helm has not made; remove it first: kubectl -n velero delete daemonset/);
  const other = nodeAgent({ 'meta.helm.sh/release-name': 'velero' });
  const another = await attempt(t, { velero: '1.18', prepare: other });
  t.match(another, /belongs to the release velero; set deployNodeAgent: false there first/);
  const own = nodeAgent({ 'meta.helm.sh/release-name': 'stevedore' });
  t.match(await attempt(t, { velero: '1.18', prepare: own }), NOT_REFUSED);
});
