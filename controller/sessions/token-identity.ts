// Which node a token speaks for, as the API server's answer to a TokenReview says it. Pure: the
// asking is in token-reviews.ts.
//
// Anybody who may create a pod gets a token with any audience, so the audience alone proves
// nothing: the service account has to be that of the agents. The node then stands in the answer
// itself (`authentication.kubernetes.io/node-name`, since Kubernetes 1.30: k8s.io/apiserver
// pkg/authentication/serviceaccount/util.go), or is that of the pod which the token is bound to.

import type { EngineError } from '#engine/base/errors.ts';
import { refuse } from './refusals.ts';

/** authentication.k8s.io/v1 TokenReviewStatus, what of it is read. */
export interface TokenReviewStatus {
  readonly authenticated?: boolean;
  readonly audiences?: readonly string[];
  readonly error?: string;
  readonly user?: {
    readonly username?: string;
    readonly uid?: string;
    readonly groups?: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
}

export interface ExpectedAgent {
  readonly audience: string;
  /** Of the agents' pods and their service account. */
  readonly namespace: string;
  readonly serviceAccount: string;
}

export type TokenIdentity =
  | { readonly kind: 'node'; readonly node: string }
  /** The node is that of this very pod. */
  | { readonly kind: 'pod'; readonly name: string; readonly uid: string }
  | { readonly kind: 'refused'; readonly error: EngineError };

const EXTRA = 'authentication.kubernetes.io/';

export function identityOf(
  status: TokenReviewStatus | undefined,
  expected: ExpectedAgent,
): TokenIdentity {
  const { audience, namespace, serviceAccount } = expected;
  const error = faultOf(status, audience);
  if (error !== undefined) return { kind: 'refused', error };
  const account = `system:serviceaccount:${namespace}:${serviceAccount}`;
  if (status?.user?.username !== account) {
    return refused('foreign-account', `the token is not of ${namespace}/${serviceAccount}`);
  }
  const extra = (name: string) => only(status?.user?.extra?.[`${EXTRA}${name}`]);
  const node = extra('node-name');
  if (node !== undefined) return { kind: 'node', node };
  const [name, uid] = [extra('pod-name'), extra('pod-uid')];
  if (name !== undefined && uid !== undefined) return { kind: 'pod', name, uid };
  return refused('no-node', 'the token is bound to no pod, so to no node');
}

/** Whoever's it is. @throws COORDINATOR_UNAUTHENTICATED */
export function userOf(
  status: TokenReviewStatus | undefined,
  audience: string,
): NonNullable<TokenReviewStatus['user']> {
  const fault = faultOf(status, audience);
  if (fault !== undefined) throw fault;
  return status?.user ?? {};
}

function faultOf(status: TokenReviewStatus | undefined, audience: string) {
  if (status?.authenticated !== true) {
    // The API server's own words say which audiences a token has; who has one knows.
    const isForeign = /audience/i.test(status?.error ?? '');
    const why = isForeign ? 'is for somebody else' : 'is not known to the API server';
    return refuse(isForeign ? 'foreign-audience' : 'token-refused', `the token ${why}`);
  }
  // A server that knows nothing of audiences leaves them out, and has not looked.
  const isFor = (status.audiences ?? []).includes(audience);
  return isFor ? undefined : refuse('foreign-audience', `the token is not for ${audience}`);
}

function only(values: readonly string[] | undefined): string | undefined {
  return values?.length === 1 && values[0] !== '' ? values[0] : undefined;
}

function refused(reason: Parameters<typeof refuse>[0], message: string): TokenIdentity {
  return { kind: 'refused', error: refuse(reason, message) };
}
