// Who may see how things stand: any user or service account to whom RBAC gives it. The API server
// is asked whose the token is (TokenReview, with our audience, so that no token for something else
// is of use here), and whether that user may (SubjectAccessReview). There is no such resource as
// `overviews.stevedore.io`; it is a name that rules of RBAC can have.

import type { Clock } from '#engine/base/clock.ts';
import type { KubeClient } from '#kube/kube-client.ts';
import type { KubeObject, Resource } from '#kube/kube-object.ts';
import { refuse } from '#controller/sessions/refusals.ts';
import { userOf } from '#controller/sessions/token-identity.ts';
import { reviewed, reviewToken } from '#controller/sessions/token-reviews.ts';
import { TokenVerdicts } from '#controller/sessions/token-verdicts.ts';

export interface OverviewReaderParts {
  readonly client: Pick<KubeClient, 'create'>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly audience: string;
  /** Of the controller. */
  readonly namespace: string;
}

interface SubjectAccessReview extends KubeObject {
  readonly spec: object;
  readonly status?: { readonly allowed?: boolean };
}

const SUBJECT_ACCESS_REVIEWS: Resource = Object.freeze({
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'subjectaccessreviews',
  kind: 'SubjectAccessReview',
  isNamespaced: false,
});

export class OverviewReaders {
  readonly #parts: OverviewReaderParts;
  readonly #verdicts: TokenVerdicts<void>;

  constructor(parts: OverviewReaderParts) {
    this.#parts = parts;
    this.#verdicts = new TokenVerdicts({ clock: parts.clock, ask: token => this.#ask(token) });
  }

  /** @throws COORDINATOR_UNAUTHENTICATED, COORDINATOR_FORBIDDEN, COORDINATOR_BUSY */
  admit(token: string): Promise<void> {
    return this.#verdicts.of(token);
  }

  async #ask(token: string): Promise<void> {
    const { client, audience, namespace } = this.#parts;
    const {
      username: user = '',
      uid,
      groups,
      extra,
    } = userOf(await reviewToken(client, token, audience), audience);
    const attributes = { group: 'stevedore.io', resource: 'overviews', verb: 'get', namespace };
    const review: SubjectAccessReview = {
      metadata: { name: '' },
      spec: { user, uid, groups, extra, resourceAttributes: attributes },
    };
    const answer = await reviewed(() =>
      client.create<SubjectAccessReview>(SUBJECT_ACCESS_REVIEWS, review),
    );
    if (answer.status?.allowed === true) return;
    const right = `get overviews.stevedore.io in the namespace ${namespace}`;
    throw refuse('foreign-account', `${user} may not ${right}`);
  }
}
