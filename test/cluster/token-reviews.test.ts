// Whose a token is, asked of a real API server: that the emulator answers as it does, and that the
// node of an agent's pod stands in the answer.

import t from 'tap';
import { refusalOf } from '#controller/sessions/refusals.ts';
import { TokenReviews } from '#controller/sessions/token-reviews.ts';
import { systemClock } from '#engine/base/clock.ts';
import { isEngineError } from '#engine/base/errors.ts';
import { HttpKubeClient } from '#kube/http-client.ts';
import { connect } from '#kube/kube-config.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import { TOKEN_AUDIENCE } from '#proto/wire-limits.ts';
import { controlPlaneIsMissing, startControlPlane } from './control-plane.ts';

interface TokenRequest extends KubeObject {
  readonly spec: object;
  readonly status?: { readonly token: string };
}

interface Wanted {
  readonly account?: string;
  readonly audience?: string;
  readonly isBound?: boolean;
}

const EXPECTED = { audience: TOKEN_AUDIENCE, namespace: 'velero', serviceAccount: 'stevedore' };
const GONE_MS_MAX = 60_000;
const POLL_MS = 500;
const CORE = { group: '', version: 'v1', isNamespaced: true };

function resource(plural: string, kind: string, isNamespaced = true): Resource {
  return { ...CORE, plural, kind, isNamespaced };
}

t.test('a real API server says the node of a token', { skip: controlPlaneIsMissing() }, async t => {
  await using plane = await startControlPlane();
  const connection = await connect({ kubeconfig: plane.kubeconfig, environment: {} });
  t.teardown(() => connection.close());
  const client = new HttpKubeClient(connection);
  const make = (kind: string, plural: string, object: KubeObject & { readonly spec?: object }) =>
    client.create(resource(plural, kind, object.metadata.namespace !== undefined), object);
  const inside = (name: string) => ({ metadata: { name, namespace: 'velero' } });
  await make('Namespace', 'namespaces', { metadata: { name: 'velero' } });
  await make('Node', 'nodes', { metadata: { name: 'worker-1' } });
  for (const name of ['stevedore', 'other']) {
    await make('ServiceAccount', 'serviceaccounts', inside(name));
  }
  const { metadata } = await make('Pod', 'pods', {
    ...inside('agent-1'),
    spec: {
      nodeName: 'worker-1',
      serviceAccountName: 'stevedore',
      automountServiceAccountToken: false,
      containers: [{ name: 'agent', image: 'agent' }],
    },
  });

  async function tokenFor({ account = 'stevedore', audience, isBound = true }: Wanted) {
    const pod = { kind: 'Pod', apiVersion: 'v1', name: metadata.name, uid: metadata.uid };
    const asked: TokenRequest = {
      ...inside(account),
      apiVersion: 'authentication.k8s.io/v1',
      spec: {
        audiences: [audience ?? TOKEN_AUDIENCE],
        boundObjectRef: isBound ? pod : undefined,
      },
    };
    const path = resource(`serviceaccounts/${account}/token`, 'TokenRequest');
    return (await client.create<TokenRequest>(path, asked)).status?.token ?? '';
  }

  async function verdictOn(token: string): Promise<string> {
    const reviews = new TokenReviews({ client, expected: EXPECTED, clock: systemClock });
    try {
      return await reviews.nodeOf(token);
    } catch (error) {
      return isEngineError(error) ? refusalOf(error) : String(error);
    }
  }

  const token = await tokenFor({});
  t.equal(await verdictOn(token), 'worker-1');
  t.equal(await verdictOn(await tokenFor({ audience: 'somebody' })), 'foreign-audience');
  t.equal(await verdictOn(await tokenFor({ isBound: false })), 'no-node');
  t.equal(await verdictOn(await tokenFor({ account: 'other', isBound: false })), 'foreign-account');
  t.equal(await verdictOn(`${token.slice(0, -4)}AAAA`), 'token-refused', 'a signature counts');
  t.equal(await verdictOn('nonsense'), 'token-refused');
  await plane.client.delete('/api/v1/namespaces/velero/pods/agent-1?gracePeriodSeconds=0');
  // An API server remembers for ten seconds what it has let in
  // (k8s.io/apiserver pkg/authentication/token/cache).
  const lateMs = systemClock.monotonic() + GONE_MS_MAX;
  while ((await verdictOn(token)) !== 'token-refused' && systemClock.monotonic() < lateMs) {
    await systemClock.sleep(POLL_MS);
  }
  t.equal(await verdictOn(token), 'token-refused', 'the token goes with its pod');
});
