// Where the connection comes from outside of pods. The only test that loads the package for it.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { connect } from '#kube/kube-config.ts';
import { HttpKubeClient } from '#kube/http-client.ts';
import type { KubeConnection } from '#kube/connection.ts';
import type { Resource } from '#kube/kube-object.ts';
import { startKubeEmulator } from '#test/kube-emulator/kube-emulator.ts';

const PODS: Resource = {
  group: '',
  version: 'v1',
  plural: 'pods',
  kind: 'Pod',
  isNamespaced: true,
};

function closing(test: Test, connection: KubeConnection): KubeConnection {
  test.teardown(() => connection.close());
  return connection;
}

t.test('a kubeconfig leads to its server, with its token and its namespace', async t => {
  const api = await startKubeEmulator({ velero: '1.18', tokens: new Set(['right']) });
  t.teardown(() => api.stop());
  const kubeconfig = join(t.testdir({ config: api.kubeconfig('right\n') }), 'config');
  const environment = { KUBECONFIG: kubeconfig };
  const connection = closing(t, await connect({ environment }));
  t.equal(connection.namespace, 'velero');
  t.strictSame((await new HttpKubeClient(connection).list(PODS, {})).items, []);
  const { agent, headers } = await connection.access();
  t.equal(headers.authorization, 'Bearer right');
  t.equal((await connection.access()).agent, agent, 'connections are kept');
});

t.test('what cannot be used is said without what is in it', async t => {
  const secret = 'eyJhbGciOi';
  const bad = join(t.testdir({ config: `users: [{token: ${secret}\n  - {{` }), 'config');
  const cases: [Record<string, string>, RegExp][] = [
    [{}, /neither a service account nor a kubeconfig/],
    [{ KUBECONFIG: '/does/not/exist' }, /\/does\/not\/exist: ENOENT/],
    [{ KUBECONFIG: bad }, /config: it is no kubeconfig/],
  ];
  for (const [environment, message] of cases) {
    const error: unknown = await connect({ environment }).catch((error: unknown) => error);
    t.match(error, { code: 'KUBE_CONFIG_INVALID', message });
    t.notMatch(String(error), new RegExp(secret));
  }
});

t.test('a login command that fails is not quoted', async t => {
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: 'sh',
    args: ['-c', 'echo s3cret >&2; false'],
  };
  const config = {
    clusters: [{ name: 'c', cluster: { server: 'https://example.org' } }],
    users: [{ name: 'u', user: { exec } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  const kubeconfig = join(t.testdir({ config: JSON.stringify(config) }), 'config');
  const error: unknown = await connect({ kubeconfig }).catch((error: unknown) => error);
  t.match(error, { code: 'KUBE_CONFIG_INVALID', message: /credentials cannot be had/ });
  t.notMatch(String(error), /s3cret/);
});
