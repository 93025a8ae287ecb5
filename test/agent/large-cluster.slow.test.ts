// The agent's start in a large cluster behind a slow network: how soon it is ready, and what it
// asks until then. The library that reads kubeconfigs is loaded before: from sources that takes
// longer than all answers together, and has nothing to do with the server.

import '#kube/kube-config-class.ts';
import t from 'tap';
import type { KubeEmulator } from '#test/kube-emulator/kube-emulator.ts';
import { startAgent } from '#test/support/agent-scene.ts';

const NAMESPACE_COUNT = 400;
const CRD_COUNT = 300;
const ANSWER_MS = 20;
/** Of issue 6. */
const READY_MS_MAX = 2000;
/** Two documents that are read, not walked; all else is an object or a list. */
const READ = /^POST \/apis\/authorization\.k8s\.io\/v1\/self|^GET \/apis\/velero\.io\/v1$/;

function fill(api: KubeEmulator): void {
  for (let index = 0; index < NAMESPACE_COUNT; index++) {
    api.add({ kind: 'Namespace', metadata: { name: `team-${index}` } });
  }
  for (let index = 0; index < CRD_COUNT; index++) {
    const names = { plural: `kinds${index}`, singular: `kind${index}`, kind: `Kind${index}` };
    const group = `group-${index % 30}.example.com`;
    const schema = { openAPIV3Schema: { type: 'object' } };
    const versions = [{ name: 'v1', served: true, storage: true, schema }];
    api.add({
      kind: 'CustomResourceDefinition',
      metadata: { name: `${names.plural}.${group}` },
      spec: { group, scope: 'Namespaced', names, versions },
    });
  }
}

t.test('it is ready within two seconds, and discovers nothing', async t => {
  let startMs = 0;
  const prepare = (api: KubeEmulator) => {
    fill(api);
    api.faults.delayMs = ANSWER_MS;
    startMs = performance.now();
  };
  const { api, says } = await startAgent(t, { prepare });
  await says('ready');
  const readyMs = performance.now() - startMs;
  t.comment(`ready after ${Math.round(readyMs)} ms`);
  t.ok(readyMs <= READY_MS_MAX, `${Math.round(readyMs)} ms`);
  const others = api.requests
    .filter(({ verb }) => verb === undefined)
    .map(({ method, path }) => `${method} ${path}`);
  t.ok(others.length > 0);
  t.strictSame(
    others.filter(request => !READ.test(request)),
    [],
  );
});
