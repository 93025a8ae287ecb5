// Tokens of service accounts, and what a TokenReview says of them (kubernetes
// pkg/registry/authentication/tokenreview/storage.go, pkg/serviceaccount/claims.go). They are no
// JWTs: whoever asks has no business inside of one.

import { randomBytes } from 'node:crypto';
import { isObject, valueAt, type JsonObject } from './json.ts';

export interface ServiceToken {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly audiences: readonly string[];
  readonly pod?: { readonly name: string; readonly uid: string };
  /** Servers before 1.30 do not say it. */
  readonly node?: string;
}

const EXTRA = 'authentication.kubernetes.io/';

export class ServiceTokens {
  readonly #tokens = new Map<string, ServiceToken>();
  reviewCount = 0;

  issue(facts: ServiceToken): string {
    const token = randomBytes(24).toString('base64url');
    this.#tokens.set(token, facts);
    return token;
  }

  /** It has expired, or its pod or account is gone. */
  revoke(token: string): void {
    this.#tokens.delete(token);
  }

  /** The answer to a TokenReview. */
  review(body: unknown): JsonObject {
    this.reviewCount += 1;
    const token = valueAt(body, ['spec', 'token']);
    const audiences = valueAt(body, ['spec', 'audiences']);
    const wanted = Array.isArray(audiences) ? audiences.map(String) : [];
    const facts = typeof token === 'string' ? this.#tokens.get(token) : undefined;
    return { ...(isObject(body) ? body : {}), status: statusOf(facts, wanted) };
  }
}

function statusOf(facts: ServiceToken | undefined, wanted: readonly string[]): JsonObject {
  if (facts === undefined) return refused('invalid bearer token');
  const { audiences, namespace, serviceAccount, pod, node } = facts;
  const shared = audiences.filter(audience => wanted.includes(audience));
  if (shared.length === 0) {
    const own = JSON.stringify(audiences);
    const others = JSON.stringify(wanted);
    const why = `token audiences ${own} is invalid for the target audiences ${others}`;
    return refused(`[invalid bearer token, ${why}]`);
  }
  const extra: Record<string, string[]> = {};
  if (pod !== undefined) {
    extra[`${EXTRA}pod-name`] = [pod.name];
    extra[`${EXTRA}pod-uid`] = [pod.uid];
  }
  if (node !== undefined) extra[`${EXTRA}node-name`] = [node];
  const username = `system:serviceaccount:${namespace}:${serviceAccount}`;
  return { authenticated: true, audiences: shared, user: { username, extra } };
}

function refused(error: string): JsonObject {
  return { authenticated: false, error, user: {} };
}
