// Who may see the queue, asked of a real API server: RBAC knows rules about a resource that there
// is not, and tokens of any service account are known by our audience.

import t from 'tap';
import { OverviewReaders } from '#controller/overview/overview-readers.ts';
import { systemClock } from '#engine/base/clock.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { HttpKubeClient } from '#kube/http-client.ts';
import { connect } from '#kube/kube-config.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import { TOKEN_AUDIENCE } from '#proto/wire-limits.ts';
import { controlPlaneIsMissing, startControlPlane } from './control-plane.ts';

const RBAC = 'rbac.authorization.k8s.io';

function resource(group: string, plural: string, kind: string, isNamespaced = true): Resource {
  return { group, version: 'v1', plural, kind, isNamespaced };
}

t.test('a real API server says who may', { skip: controlPlaneIsMissing() }, async t => {
  await using plane = await startControlPlane();
  const connection = await connect({ kubeconfig: plane.kubeconfig, environment: {} });
  t.teardown(() => connection.close());
  const client = new HttpKubeClient(connection);
  const make = (of: Resource, object: KubeObject & Readonly<Record<string, unknown>>) =>
    client.create(of, object);
  const namespaces = resource('', 'namespaces', 'Namespace', false);
  for (const name of ['velero', 'ops']) await make(namespaces, { metadata: { name } });
  for (const name of ['viewer', 'stranger']) {
    const metadata = { name, namespace: 'ops' };
    await make(resource('', 'serviceaccounts', 'ServiceAccount'), { metadata });
  }
  const metadata = { name: 'see-moves', namespace: 'velero' };
  await make(resource(RBAC, 'roles', 'Role'), {
    metadata,
    rules: [{ apiGroups: ['stevedore.io'], resources: ['overviews'], verbs: ['get'] }],
  });
  await make(resource(RBAC, 'rolebindings', 'RoleBinding'), {
    metadata,
    roleRef: { apiGroup: RBAC, kind: 'Role', name: 'see-moves' },
    subjects: [{ kind: 'ServiceAccount', name: 'viewer', namespace: 'ops' }],
  });

  async function tokenFor(account: string, audience = TOKEN_AUDIENCE): Promise<string> {
    const asked: KubeObject & { spec: object; status?: { readonly token: string } } = {
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name: account, namespace: 'ops' },
      spec: { audiences: [audience] },
    };
    const path = resource('', `serviceaccounts/${account}/token`, 'TokenRequest');
    return (await client.create(path, asked)).status?.token ?? '';
  }

  async function verdictOn(token: string, namespace = 'velero'): Promise<string> {
    const parts = { client, clock: systemClock, audience: TOKEN_AUDIENCE, namespace };
    try {
      await new OverviewReaders(parts).admit(token);
      return 'may';
    } catch (error) {
      return isEngineError(error) ? error.code : String(error);
    }
  }

  t.equal(await verdictOn(await tokenFor('viewer')), 'may');
  t.equal(await verdictOn(await tokenFor('viewer'), 'ops'), 'COORDINATOR_FORBIDDEN');
  t.equal(await verdictOn(await tokenFor('stranger')), 'COORDINATOR_FORBIDDEN');
  const other = await tokenFor('viewer', 'somebody');
  t.equal(await verdictOn(other), 'COORDINATOR_UNAUTHENTICATED');
});
