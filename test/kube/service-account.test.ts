// Where the connection comes from in a pod.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { connect } from '#kube/kube-config.ts';
import { serviceAccount } from '#kube/service-account.ts';
import { ManualClock } from './manual-clock.ts';

const ENVIRONMENT = {
  KUBERNETES_SERVICE_HOST: '10.0.0.1',
  KUBERNETES_SERVICE_PORT: '443',
  KUBECONFIG: '/does/not/matter',
};

/** The root directory of a pod as the kubelet makes it. */
function pod(t: Test) {
  const rootDirectory = t.testdir({});
  const directory = join(rootDirectory, 'var/run/secrets/kubernetes.io/serviceaccount');
  mkdirSync(directory, { recursive: true });
  const put = (name: string, text: string) => writeFileSync(join(directory, name), text);
  put('token', 'first\n');
  put('namespace', 'velero');
  put('ca.crt', 'a certificate');
  return { rootDirectory, directory, put };
}

t.test('a service account comes first in a pod, and is read again', async t => {
  const { rootDirectory, put } = pod(t);
  const clock = new ManualClock();
  const connection = await connect({ rootDirectory, environment: ENVIRONMENT, clock });
  t.teardown(() => connection.close());
  t.equal(connection.server.href, 'https://10.0.0.1/');
  t.equal(connection.namespace, 'velero');
  const { agent, headers } = await connection.access();
  t.equal(headers.authorization, 'Bearer first');
  put('token', 'second');
  put('ca.crt', 'another certificate');
  t.equal((await connection.access()).agent, agent);
  await clock.pass(60_000);
  const next = await connection.access();
  t.not(next.agent, agent, 'a new certificate is used');
  t.equal(next.headers.authorization, 'Bearer second');
  put('token', 'third');
  connection.forgetAccess();
  t.equal((await connection.access()).headers.authorization, 'Bearer third', 'when refused');
});

t.test('an API server with an IPv6 address has it in brackets', async t => {
  const { rootDirectory } = pod(t);
  const environment = { ...ENVIRONMENT, KUBERNETES_SERVICE_HOST: 'fd00::1' };
  const connection = await connect({ rootDirectory, environment });
  t.teardown(() => connection.close());
  t.equal(connection.server.href, 'https://[fd00::1]/');
});

t.test('who names a context means a kubeconfig, and not the cluster of the pod', async t => {
  const { rootDirectory } = pod(t);
  const environment = { ...ENVIRONMENT, KUBECONFIG: '' };
  await t.rejects(connect({ rootDirectory, environment, context: 'other' }), {
    code: 'KUBE_CONFIG_INVALID',
    message: /there is no kubeconfig to take context other from/,
  });
});

t.test('without a token, or outside of a pod, there is no service account', async t => {
  const { rootDirectory, directory } = pod(t);
  t.equal(serviceAccount({}, rootDirectory), undefined);
  rmSync(join(directory, 'token'));
  t.equal(serviceAccount(ENVIRONMENT, rootDirectory), undefined);
});

t.test('a service account that cannot be used is said without what is in it', async t => {
  const { rootDirectory, directory } = pod(t);
  rmSync(join(directory, 'ca.crt'));
  const error: unknown = await connect({ rootDirectory, environment: ENVIRONMENT }).catch(
    (error: unknown) => error,
  );
  const message = 'cannot use the service account: ENOENT';
  t.match(error, { code: 'KUBE_CONFIG_INVALID', message });
});
