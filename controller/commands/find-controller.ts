// Where the controller of a cluster is and what it takes to be let in, from what its pods are told:
// the one that leads, its port, the Secret with its certificate, and the service account that may
// ask it. Only what nobody has given is looked for.

import { isEngineError, EngineError } from '#engine/base/errors.ts';
import type { KubeConnection } from '#kube/connection.ts';
import { PODS, SECRETS } from '#kube/core-resources.ts';
import { exchange } from '#kube/http-exchange.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import { isReady } from '#kube/ready-condition.ts';
import type { ClientTrust } from '#proto/dial.ts';
import { TOKEN_AUDIENCE } from '#proto/wire-limits.ts';

/** charts/stevedore gives it to the pods of the controller. */
export const CONTROLLER_PODS = 'app.kubernetes.io/name=stevedore-controller';
const PORT = 8443;
const LEASE_NAME = 'stevedore-controller';
/** The API server gives no shorter one (kubernetes pkg/apis/authentication/validation). */
const TOKEN_SECONDS = 600;

const LEASES: Resource = Object.freeze({
  ...{ group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease' },
  isNamespaced: true,
});
const SERVICE_ACCOUNTS: Resource = Object.freeze({
  ...{ group: '', version: 'v1', plural: 'serviceaccounts', kind: 'ServiceAccount' },
  isNamespaced: true,
});

export interface ControllerPod extends KubeObject {
  readonly spec?: {
    readonly nodeName?: string;
    readonly containers?: readonly {
      readonly name: string;
      readonly image?: string;
      readonly command?: readonly string[];
      readonly args?: readonly string[];
    }[];
    readonly volumes?: readonly {
      readonly name: string;
      readonly secret?: { readonly secretName?: string };
    }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

type Lease = KubeObject & { readonly spec?: { readonly holderIdentity?: string } };
type Secret = KubeObject & { readonly data?: Readonly<Record<string, string>> };

export interface FindParts {
  readonly kube: Pick<KubeClient, 'get' | 'list'>;
  readonly connection: KubeConnection;
  /** Velero's, where the chart puts it. */
  readonly namespace: string;
  readonly signal: AbortSignal;
}

export interface FoundController {
  /** The one that leads, where that may be seen; else one that is ready. */
  readonly pod: string;
  readonly leader: string | undefined;
  readonly port: number;
  readonly isPlainText: boolean;
  /** For whom its certificate is. */
  readonly serverName: string;
  /** Undefined where its pod names none. */
  readonly tlsSecret: string | undefined;
  /** Who may ask it. */
  readonly account: string | undefined;
}

export async function listControllerPods({
  kube,
  namespace,
  signal,
}: Pick<FindParts, 'kube' | 'namespace' | 'signal'>): Promise<readonly ControllerPod[]> {
  const query = { namespace, labelSelector: CONTROLLER_PODS };
  return (await kube.list<ControllerPod>(PODS, query, { signal })).items;
}

/** @throws COORDINATOR_UNAVAILABLE where there is none, KUBE_FORBIDDEN, … */
export async function findController(parts: FindParts): Promise<FoundController> {
  const { namespace } = parts;
  const pods = await listControllerPods(parts);
  const running = pods.filter(({ status }) => status?.phase === 'Running');
  const any = running.find(isReady) ?? running[0];
  if (any === undefined) {
    const what = pods.length === 0 ? `no pod with ${CONTROLLER_PODS}` : 'no pod of it that runs';
    const text = `there is no controller in namespace ${namespace}: ${what}`;
    const advice = 'set controller.enabled of the chart, or name it by --controller';
    throw new EngineError('COORDINATOR_UNAVAILABLE', `${text}; ${advice}`);
  }
  const flag = flagsOf(any);
  const leaseName = leaseNameOf(any);
  const leader = await leaderOf(parts, leaseName);
  const pod = running.find(({ metadata }) => metadata.name === leader) ?? any;
  const port = Number(/:(\d+)$/.exec(flag('listen-address') ?? '')?.[1] ?? PORT);
  return {
    ...{ pod: pod.metadata.name, leader, port },
    isPlainText: flag('plaintext') !== undefined,
    // As charts/stevedore names the Service that the certificate is for.
    serverName: `${leaseName}.${namespace}.svc`,
    tlsSecret: any.spec?.volumes?.find(({ name }) => name === 'tls')?.secret?.secretName,
    account: flag('agent-service-account'),
  };
}

/** Its pod has the name of the machine, which its identity begins with. */
export async function leaderOf(
  { kube, namespace, signal }: Pick<FindParts, 'kube' | 'namespace' | 'signal'>,
  name: string,
): Promise<string | undefined> {
  try {
    const { spec } = await kube.get<Lease>(LEASES, { namespace, name }, { signal });
    const holder = spec?.holderIdentity ?? '';
    return holder === '' ? undefined : holder.replace(/_[^_]*$/, '');
  } catch (error) {
    if (isEngineError(error, 'KUBE_FORBIDDEN', 'KUBE_NOT_FOUND', 'KUBE_KIND_UNKNOWN')) return;
    throw error;
  }
}

/** By which its pods agree on who leads, and its Service is called. */
export function leaseNameOf(pod: ControllerPod): string {
  return flagsOf(pod)('lease-name') ?? LEASE_NAME;
}

function flagsOf({ spec }: ControllerPod): (name: string) => string | undefined {
  const { containers = [] } = spec ?? {};
  const container = containers.find(({ name }) => name === 'controller') ?? containers[0];
  const words = [...(container?.command ?? []), ...(container?.args ?? [])];
  return name => {
    const joined = words.find(word => word.startsWith(`--${name}=`));
    if (joined !== undefined) return joined.slice(name.length + 3);
    const index = words.indexOf(`--${name}`);
    return index < 0 ? undefined : (words[index + 1] ?? '');
  };
}

/** @throws COORDINATOR_TLS_INVALID where nothing is there to know it by, KUBE_FORBIDDEN, … */
export async function trustOf(
  { kube, namespace, signal }: FindParts,
  { isPlainText, tlsSecret, pod }: FoundController,
): Promise<ClientTrust> {
  // Within the tunnel, which ends in the pod itself.
  if (isPlainText) return { plainText: true };
  const advice = 'give its authority by --controller-ca-file';
  if (tlsSecret === undefined) {
    throw new EngineError('COORDINATOR_TLS_INVALID', `pod ${pod} names no Secret; ${advice}`);
  }
  const name = { namespace, name: tlsSecret };
  const { data = {} } = await advised(advice, () => kube.get<Secret>(SECRETS, name, { signal }));
  const authority = data['ca.crt'];
  if (authority === undefined) {
    const text = `Secret ${namespace}/${tlsSecret} has no ca.crt; ${advice}`;
    throw new EngineError('COORDINATOR_TLS_INVALID', text);
  }
  return { caPem: Buffer.from(authority, 'base64').toString('utf8') };
}

/** One of the agents' account, of our audience. @throws COORDINATOR_UNAUTHENTICATED, KUBE_… */
export async function newToken(
  { connection, namespace, signal }: FindParts,
  { account, pod }: FoundController,
): Promise<string> {
  const advice = 'give one by --controller-token-file';
  if (account === undefined) {
    const text = `pod ${pod} names no account of agents to take a token of; ${advice}`;
    throw new EngineError('COORDINATOR_UNAUTHENTICATED', text);
  }
  const place = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/`;
  const resource = { ...SERVICE_ACCOUNTS, plural: 'serviceaccounts/token' };
  const target = { verb: 'create', resource, namespace, name: account } as const;
  const body = JSON.stringify({
    ...{ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' },
    spec: { audiences: [TOKEN_AUDIENCE], expirationSeconds: TOKEN_SECONDS },
  });
  const path = `${place}${encodeURIComponent(account)}/token`;
  const call = { target, method: 'POST', path, body, signal } as const;
  const answer = await advised(advice, () => exchange(connection, call));
  // As the API has it (authentication.k8s.io/v1, TokenRequestStatus); what is none fails there.
  const { status } = JSON.parse(answer) as { readonly status?: { readonly token?: string } };
  return status?.token ?? '';
}

/** A right that is missing can be done without. */
async function advised<Result>(advice: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!isEngineError(error, 'KUBE_FORBIDDEN')) throw error;
    throw new EngineError('KUBE_FORBIDDEN', `${error.message}; or ${advice}`, { cause: error });
  }
}
