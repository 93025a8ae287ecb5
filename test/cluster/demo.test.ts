// `npm run demo -- --kubeconfig FILE` on a real API server, with the controllers that delete what
// has no owner, no node or no namespace: the story works there, and leaves nothing behind.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import t from 'tap';
import type { ApiClient, ApiObject } from './api-client.ts';
import { ChildProgram } from './child-program.ts';
import { clusterProgram, isMissing } from './cluster-programs.ts';
import { controlPlaneIsMissing, startControlPlane } from './control-plane.ts';
import { applyVeleroCrds } from './velero-crds.ts';

const DEMO = new URL('../demo.ts', import.meta.url).pathname;
const skip = controlPlaneIsMissing() || isMissing('velero-crds', 'kube-controller-manager');
const NAMESPACE: ApiObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'velero' } };
const SECRET: ApiObject = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'velero-repo-credentials', namespace: 'velero' },
};

function start(kubeconfig: string) {
  return spawn(process.execPath, [DEMO, '--kubeconfig', kubeconfig], { stdio: 'pipe' });
}

async function play(kubeconfig: string) {
  const demo = start(kubeconfig);
  const ended = once(demo, 'exit');
  const [out, problem] = await Promise.all([text(demo.stdout), text(demo.stderr)]);
  await ended;
  return { out, problem, code: demo.exitCode };
}

/** Names and versions, which change with every write. */
async function namespacesOf(client: ApiClient): Promise<string[]> {
  const namespaces = await client.list('/api/v1/namespaces');
  return namespaces.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`).sort();
}

t.test('the demo plays in a real cluster, and leaves nothing behind', { skip }, async t => {
  await using plane = await startControlPlane();
  const { client, kubeconfig, directory } = plane;
  const words = [`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--secure-port=0'];
  const path = clusterProgram('kube-controller-manager');
  const controllers = new ChildProgram(path, words, { logs: directory });
  t.teardown(() => controllers.stop());
  await client.create(NAMESPACE);
  const secret = await client.create(SECRET);
  // Who is not there yet would be counted as left behind.
  await client.until('/api/v1/namespaces/kube-node-lease', () => true, { msMax: 30_000 });
  const before = await namespacesOf(client);

  await t.test('without the resources of Velero it says what to do', async t => {
    const { problem, code } = await play(kubeconfig);
    t.match(problem, 'install Velero, or its resources alone: velero install --crds-only');
    t.equal(code, 1);
    t.same(await namespacesOf(client), before);
  });
  await applyVeleroCrds(client, 'v1.18.1');
  await t.test('what a pod has lost is brought back', async t => {
    const { out, problem, code } = await play(kubeconfig);
    t.equal(problem, '');
    t.match(out, 'everything came back as it was');
    t.equal(code, 0);
    t.same(await namespacesOf(client), before);
  });
  await t.test('whoever interrupts it finds nothing, either', async t => {
    const demo = start(kubeconfig);
    demo.stderr.pipe(process.stderr);
    const ended = once(demo, 'exit');
    const output = demo.stdout.iterator({ destroyOnReturn: false });
    for await (const piece of output) if (String(piece).includes('backup  ')) break;
    demo.stdout.resume();
    demo.kill('SIGINT');
    await ended;
    t.equal(demo.exitCode, 130);
    t.same(await namespacesOf(client), before);
  });
  const { metadata } = await client.get(
    '/api/v1/namespaces/velero/secrets/velero-repo-credentials',
  );
  t.equal(metadata.resourceVersion, secret.metadata.resourceVersion, 'what was there is untouched');
});
