// Ends of sessions as statuses of gRPC and back. Our own code travels in a trailer, because gRPC
// has sixteen codes and none of them says which of our sentences is meant.

import { ERROR_CODES, type ErrorCode } from '#engine/base/error-codes.ts';
import { EngineError } from '#engine/base/errors.ts';
import { Metadata, status } from './grpc.ts';
import { CODE_TRAILER, RETRY_TRAILER } from './wire-limits.ts';

/** As gRPC gives it: ServiceError and StatusObject alike. */
export interface WireStatus {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

/** statuscodes.md of gRPC says what each of them means. */
const STATUS_OF: Partial<Record<ErrorCode, status>> = {
  ABORTED: status.CANCELLED,
  COORDINATOR_UNAVAILABLE: status.UNAVAILABLE,
  COORDINATOR_BUSY: status.UNAVAILABLE,
  COORDINATOR_STANDBY: status.UNAVAILABLE,
  COORDINATOR_TIMEOUT: status.DEADLINE_EXCEEDED,
  COORDINATOR_UNAUTHENTICATED: status.UNAUTHENTICATED,
  COORDINATOR_FORBIDDEN: status.PERMISSION_DENIED,
  COORDINATOR_TAKEN_OVER: status.ABORTED,
  COORDINATOR_VERSION_UNSUPPORTED: status.FAILED_PRECONDITION,
  COORDINATOR_MESSAGE_INVALID: status.INVALID_ARGUMENT,
  COORDINATOR_MESSAGE_TOO_LARGE: status.RESOURCE_EXHAUSTED,
  COORDINATOR_FLOODED: status.RESOURCE_EXHAUSTED,
};

/** Where the trailer is missing: a proxy, or gRPC itself, has answered. */
const CODE_OF: Readonly<Record<number, ErrorCode>> = {
  [status.CANCELLED]: 'COORDINATOR_UNAVAILABLE',
  [status.UNAVAILABLE]: 'COORDINATOR_UNAVAILABLE',
  [status.DEADLINE_EXCEEDED]: 'COORDINATOR_TIMEOUT',
  [status.UNAUTHENTICATED]: 'COORDINATOR_UNAUTHENTICATED',
  [status.PERMISSION_DENIED]: 'COORDINATOR_FORBIDDEN',
  [status.UNIMPLEMENTED]: 'COORDINATOR_VERSION_UNSUPPORTED',
  [status.RESOURCE_EXHAUSTED]: 'COORDINATOR_MESSAGE_TOO_LARGE',
};

/** OpenSSL's and Node's words, which grpc-js puts behind "Last error". */
const TLS_WORDS = /certificate|self.signed|altname|wrong version number|ssl3?_|\bTLS\b|EPROTO/i;
const DETAILS_CHARACTERS_MAX = 300;
const RETRY_MS_MAX = 60_000;

/** What the controller ends a session with. */
export function statusOf(error: EngineError, retryMs?: number): WireStatus {
  const metadata = new Metadata();
  const isOurs = STATUS_OF[error.code] !== undefined;
  metadata.set(CODE_TRAILER, isOurs ? error.code : 'COORDINATOR_FAILED');
  if (retryMs !== undefined) metadata.set(RETRY_TRAILER, String(Math.ceil(retryMs)));
  // What is not about the session is nobody's business on the other side.
  const details = isOurs ? error.message : 'the controller has failed';
  return { code: STATUS_OF[error.code] ?? status.INTERNAL, details, metadata };
}

/** What a session ended with, for an agent. Undefined where nothing went wrong. */
export function errorOf(
  { code, details, metadata }: WireStatus,
  what = 'the session with the controller has ended',
): EngineError | undefined {
  if (code === status.OK) return undefined;
  const named = String(metadata.get(CODE_TRAILER)[0] ?? '');
  const own = isCoordinatorCode(named) ? named : undefined;
  const isTls = own === undefined && code === status.UNAVAILABLE && TLS_WORDS.test(details);
  const found = own ?? (isTls ? 'COORDINATOR_TLS_INVALID' : CODE_OF[code]) ?? 'COORDINATOR_FAILED';
  const said = details.replace(/[^\x20-\x7e]/g, '?').slice(0, DETAILS_CHARACTERS_MAX);
  return new EngineError(found, `${what}: ${said}`, {
    details: { grpcStatus: status[code] ?? code, retryAfterMs: retryMsOf(metadata) },
  });
}

function isCoordinatorCode(text: string): text is ErrorCode {
  return text.startsWith('COORDINATOR_') && Object.hasOwn(ERROR_CODES, text);
}

function retryMsOf(metadata: Metadata): number | undefined {
  const ms = Number(metadata.get(RETRY_TRAILER)[0] ?? Number.NaN);
  return ms >= 0 ? Math.min(ms, RETRY_MS_MAX) : undefined;
}
