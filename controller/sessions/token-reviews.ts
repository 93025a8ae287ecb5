// Asks the API server whose a token is. What it says is remembered for a short while, so that an
// agent that comes back does not cost a question, and questions at once are bounded, so that a
// thousand agents that come back together do not cost a thousand. A token is kept as its hash
// alone, and stands in no error: what goes wrong is told by its code.

import { createHash } from 'node:crypto';
import type { Clock } from '#engine/base/clock.ts';
import { isEngineError } from '#engine/base/errors.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import { PODS } from '#kube/core-resources.ts';
import { refuse } from './refusals.ts';
import { type ExpectedAgent, identityOf, type TokenReviewStatus } from './token-identity.ts';

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

interface Known {
  readonly node: Promise<string>;
  untilMs: number;
}

const TOKEN_REVIEWS: Resource = Object.freeze({
  group: 'authentication.k8s.io',
  version: 'v1',
  plural: 'tokenreviews',
  kind: 'TokenReview',
  isNamespaced: false,
});

/** A token that was deleted, or whose pod was, is let in for so long. */
const ACCEPTED_MS = 60_000;
const REFUSED_MS = 10_000;
const TOKENS_KNOWN_MAX = 8_192;
const REVIEWS_AT_ONCE_MAX = 16;
const REVIEWS_WAITING_MAX = 2_000;
/** Those of the kubelet have some 1,100. */
const TOKEN_CHARACTERS_MAX = 16_384;

export class TokenReviews {
  readonly #parts: TokenReviewParts;
  readonly #known = new Map<string, Known>();
  readonly #waiting: (() => void)[] = [];
  #runningCount = 0;

  constructor(parts: TokenReviewParts) {
    this.#parts = parts;
  }

  /**
   * The node that the token speaks for.
   * @throws COORDINATOR_UNAUTHENTICATED, COORDINATOR_FORBIDDEN, COORDINATOR_BUSY
   */
  nodeOf(token: string): Promise<string> {
    if (token.length > TOKEN_CHARACTERS_MAX) {
      return Promise.reject(refuse('token-refused', 'the token is too long for one'));
    }
    const nowMs = this.#parts.clock.monotonic();
    const hash = createHash('sha256').update(token).digest('base64');
    const known = this.#known.get(hash);
    if (known !== undefined && known.untilMs > nowMs) return known.node;
    if (this.#waiting.length >= REVIEWS_WAITING_MAX) {
      return Promise.reject(refuse('too-many', 'too many tokens are being looked at'));
    }
    return this.#remember(hash, this.#inTurn(token));
  }

  #remember(hash: string, node: Promise<string>): Promise<string> {
    const known: Known = { node, untilMs: Number.POSITIVE_INFINITY };
    this.#known.delete(hash);
    this.#known.set(hash, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > TOKENS_KNOWN_MAX) this.#known.delete(oldest);
    const until = (ms: number) => void (known.untilMs = this.#parts.clock.monotonic() + ms);
    node.then(
      () => until(ACCEPTED_MS),
      (error: unknown) => {
        // What could not be asked is asked again by whoever comes next.
        if (isEngineError(error, 'COORDINATOR_BUSY', 'INTERNAL')) until(0);
        else until(REFUSED_MS);
      },
    );
    return node;
  }

  async #inTurn(token: string): Promise<string> {
    if (this.#runningCount >= REVIEWS_AT_ONCE_MAX) {
      // Whoever ends gives its place to the first that waits.
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    } else this.#runningCount += 1;
    try {
      return await this.#ask(token);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#runningCount -= 1;
      else next();
    }
  }

  async #ask(token: string): Promise<string> {
    const { client, expected } = this.#parts;
    const review: TokenReview = {
      metadata: { name: '' },
      spec: { token, audiences: [expected.audience] },
    };
    const answer = await reviewed(() => client.create<TokenReview>(TOKEN_REVIEWS, review));
    const identity = identityOf(answer.status, expected);
    if (identity.kind === 'refused') throw identity.error;
    if (identity.kind === 'node') return identity.node;
    const name = { namespace: expected.namespace, name: identity.name };
    const pod = await reviewed(() => client.get<BoundPod>(PODS, name), 'no-node');
    const node = pod.metadata.uid === identity.uid ? pod.spec?.nodeName : undefined;
    if (node === undefined || node === '') throw refuse('no-node', 'the pod of the token is gone');
    return node;
  }
}

async function reviewed<Answer>(
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
