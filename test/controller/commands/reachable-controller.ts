// A controller that is found as in a cluster: its pod, the Secret of its certificate, a kubeconfig.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { type ControllerScene, startController } from '#test/controller/controller-scene.ts';
import { makeAuthority, makePair } from '#test/support/certificates.ts';

const SERVER_NAME = 'stevedore-controller.velero.svc';

/** As the chart makes it: a pod that is told where it listens, and a Secret. */
export function addControllerPod(
  { api, port }: ControllerScene,
  args: readonly string[],
  name = 'controller-a',
) {
  const labels = { 'app.kubernetes.io/name': 'stevedore-controller' };
  const words = ['controller', `--listen-address=:${port}`, ...args];
  const secret = { secretName: 'stevedore-controller-tls' };
  api.add({
    ...{ kind: 'Pod', metadata: { name, namespace: 'velero', labels } },
    spec: {
      containers: [{ name: 'controller', image: 'stevedore', args: words }],
      volumes: [{ name: 'tls', secret }],
    },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  });
}

export async function startReachable(t: Test, flags: readonly string[] = [], isPlainText = false) {
  const authority = makeAuthority();
  const pair = makePair(authority, { hosts: [SERVER_NAME] });
  const scene = await startController(t, flags, [], isPlainText ? {} : { pair });
  addControllerPod(scene, [
    '--agent-service-account=stevedore-node-agent',
    isPlainText ? '--plaintext' : '--tls-dir=/tls',
  ]);
  scene.api.add({
    ...{ kind: 'Secret', metadata: { name: 'stevedore-controller-tls', namespace: 'velero' } },
    data: { 'ca.crt': btoa(authority.certificate) },
  });
  // Not t.testdir(), which a test may want for itself.
  const directory = mkdtempSync(join(tmpdir(), 'reachable-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const kubeconfig = join(directory, 'kubeconfig');
  writeFileSync(kubeconfig, scene.api.kubeconfig());
  return { ...scene, kubeconfig, authority };
}
