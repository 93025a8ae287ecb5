// Asks the API server whose a token is that an agent shows. A token stands in no error: what goes
// wrong is told by its code.

import type { Clock } from '#engine/base/clock.ts';
import { isEngineError } from '#engine/base/errors.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import { PODS } from '#kube/core-resources.ts';
import { refuse } from './refusals.ts';
import { type ExpectedAgent, identityOf, type TokenReviewStatus } from './token-identity.ts';
import { TokenVerdicts } from './token-verdicts.ts';

export interface TokenReviewParts {
  readonly client: Pick<KubeClient, 'create' | 'get'>;
  readonly expected: ExpectedAgent;
  readonly clock: Pick<Clock, 'monotonic'>;
}

interface TokenReview extends KubeObject {
  readonly spec: { readonly token: string; readonly audiences: readonly string[] };
  readonly status?: TokenReviewStatus;
}

interface BoundPod extends KubeObject {
  readonly spec?: { readonly nodeName?: string };
}

const TOKEN_REVIEWS: Resource = Object.freeze({
  group: 'authentication.k8s.io',
  version: 'v1',
  plural: 'tokenreviews',
  kind: 'TokenReview',
  isNamespaced: false,
});

export class TokenReviews {
  readonly #parts: TokenReviewParts;
  readonly #nodes: TokenVerdicts<string>;

  constructor(parts: TokenReviewParts) {
    this.#parts = parts;
    this.#nodes = new TokenVerdicts({ clock: parts.clock, ask: token => this.#ask(token) });
  }

  /**
   * The node that the token speaks for.
   * @throws COORDINATOR_UNAUTHENTICATED, COORDINATOR_FORBIDDEN, COORDINATOR_BUSY
   */
  nodeOf(token: string): Promise<string> {
    return this.#nodes.of(token);
  }

  async #ask(token: string): Promise<string> {
    const { client, expected } = this.#parts;
    const identity = identityOf(await reviewToken(client, token, expected.audience), expected);
    if (identity.kind === 'refused') throw identity.error;
    if (identity.kind === 'node') return identity.node;
    const name = { namespace: expected.namespace, name: identity.name };
    const pod = await reviewed(() => client.get<BoundPod>(PODS, name), 'no-node');
    const node = pod.metadata.uid === identity.uid ? pod.spec?.nodeName : undefined;
    if (node === undefined || node === '') throw refuse('no-node', 'the pod of the token is gone');
    return node;
  }
}

/** @throws COORDINATOR_BUSY */
export async function reviewToken(
  client: Pick<KubeClient, 'create'>,
  token: string,
  audience: string,
): Promise<TokenReviewStatus | undefined> {
  const review: TokenReview = { metadata: { name: '' }, spec: { token, audiences: [audience] } };
  return (await reviewed(() => client.create<TokenReview>(TOKEN_REVIEWS, review))).status;
}

/** @throws COORDINATOR_BUSY, or as `whenAbsent` says */
export async function reviewed<Answer>(
  ask: () => Promise<Answer>,
  whenAbsent: 'no-node' | 'not-reviewed' = 'not-reviewed',
): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    const code = isEngineError(error) ? error.code : 'INTERNAL';
    const reason = code === 'KUBE_NOT_FOUND' ? whenAbsent : 'not-reviewed';
    // The server's own words may repeat what it was asked.
    throw refuse(reason, `the API server could not say whose the token is (${code})`, { code });
  }
}
