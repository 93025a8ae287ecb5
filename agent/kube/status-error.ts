// What an API server answers instead of what was asked for (metav1.Status), as an error with a
// code. Messages of the server go into ours, but for Secrets: a refused one may be repeated in
// them.

import { EngineError } from '#engine/base/errors.ts';
import type { ErrorCode } from '#engine/base/error-codes.ts';
import { describeTarget, resourceName, type RequestTarget } from './request-target.ts';

/** metav1.Status, what of it is read. k8s.io/apimachinery pkg/apis/meta/v1/types.go */
export interface KubeStatus {
  readonly kind?: string;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly name?: string; readonly retryAfterSeconds?: number };
}

export interface RefusedRequest {
  readonly target: RequestTarget;
  /** Of HTTP. */
  readonly status: number;
  /** What the body says, where it is a Status. */
  readonly body?: KubeStatus;
  /** The header Retry-After, in seconds. */
  readonly retryAfter?: string;
}

const MESSAGE_CHARACTERS_MAX = 1000;

/** The error for an answer that is not a success. */
export function statusError(refused: RefusedRequest): EngineError {
  const { target, status, body } = refused;
  const code = codeOf(refused);
  return new EngineError(code, messageFor(code, refused), {
    details: {
      status,
      reason: body?.reason,
      verb: target.verb,
      resource: target.resource && resourceName(target.resource),
      namespace: target.namespace,
      name: target.name,
      retryAfterMs: retryAfterMs(refused),
    },
  });
}

const CODES: Readonly<Record<number, ErrorCode>> = {
  401: 'KUBE_UNAUTHORIZED',
  403: 'KUBE_FORBIDDEN',
  404: 'KUBE_NOT_FOUND',
  410: 'KUBE_EXPIRED',
  422: 'KUBE_INVALID',
  400: 'KUBE_INVALID',
  409: 'KUBE_CONFLICT',
  408: 'KUBE_TIMEOUT',
  504: 'KUBE_TIMEOUT',
  429: 'KUBE_THROTTLED',
};

function codeOf({ status, body, target }: RefusedRequest): ErrorCode {
  if (body?.reason === 'AlreadyExists') return 'KUBE_EXISTS';
  // An unknown resource is answered by plain text or by a Status without a name; an object that is
  // not there is named. The kind is what is missing then, that is, its CustomResourceDefinition.
  const isKindMissing = status === 404 && target.resource !== undefined;
  if (isKindMissing && (body?.details?.name ?? '') === '') return 'KUBE_KIND_UNKNOWN';
  return CODES[status] ?? (status >= 500 ? 'KUBE_UNAVAILABLE' : 'KUBE_FAILED');
}

const ADVICE: Partial<Record<ErrorCode, string>> = {
  KUBE_FORBIDDEN: 'give the service account this verb (RBAC)',
  KUBE_UNAUTHORIZED: 'the token or certificate is not accepted; is it of this cluster?',
  KUBE_KIND_UNKNOWN: 'the server does not know this resource; is its CRD installed?',
};

function messageFor(code: ErrorCode, { target, status, body }: RefusedRequest): string {
  const said = target.resource?.plural === 'secrets' ? body?.reason : body?.message;
  const what = (said ?? body?.reason ?? `HTTP ${status}`).slice(0, MESSAGE_CHARACTERS_MAX);
  const advice = ADVICE[code];
  return `cannot ${describeTarget(target)}: ${what}${advice === undefined ? '' : `; ${advice}`}`;
}

function retryAfterMs({ retryAfter, body }: RefusedRequest): number | undefined {
  const header = retryAfter === undefined ? NaN : Number(retryAfter);
  const seconds = Number.isFinite(header) ? header : (body?.details?.retryAfterSeconds ?? NaN);
  return seconds > 0 ? seconds * 1000 : undefined;
}
