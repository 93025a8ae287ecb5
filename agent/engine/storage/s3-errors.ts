// Translates what an S3 server, the SDK and the network say into what a storage says. Nothing of
// the SDK's error is kept but its name, message, status and request id: the object itself
// carries the request with its signature.

import { abortedError } from '#engine/base/abort.ts';
import type { ErrorCode } from '#engine/base/error-codes.ts';
import { EngineError, isEngineError, messageOf, systemCodeOf } from '#engine/base/errors.ts';
import { existsError, notFoundError, rangeError } from './blob-id.ts';
import type { BlobRange } from './storage.ts';

export interface S3Attempt {
  /** As in "read blob x". */
  readonly verb: string;
  readonly id?: string;
  readonly range?: BlobRange;
  readonly ifAbsent?: boolean;
  readonly displayName: string;
  /** The caller's. */
  readonly signal?: AbortSignal;
}

interface Answer {
  readonly status: number;
  /** The code in the XML; for a HEAD, which has none, what the SDK makes of the status. */
  readonly name: string;
  /** Whether the server said so itself. */
  readonly isNamed: boolean;
  readonly message: string;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly bucketRegion: string | undefined;
}

interface Meaning {
  readonly code: ErrorCode;
  readonly advice: string;
  readonly retryable?: boolean;
}

const DENIED: Meaning = {
  code: 'STORAGE_ACCESS_DENIED',
  advice: 'check the access key, its policy for this bucket, and the region',
};
const FULL: Meaning = { code: 'STORAGE_FULL', advice: 'free space or raise the quota' };
const THROTTLED: Meaning = { code: 'STORAGE_THROTTLED', advice: 'try again later' };
const UNAVAILABLE: Meaning = { code: 'STORAGE_UNAVAILABLE', advice: 'try again later' };
const TIMEOUT: Meaning = { code: 'STORAGE_TIMEOUT', advice: 'check the network and the server' };
const NO_BUCKET: Meaning = {
  code: 'STORAGE_NOT_FOUND',
  advice: 'make the bucket or check its name',
};
const REGION: Meaning = {
  code: 'STORAGE_URL_INVALID',
  advice: 'set region= and endpoint= to those of the bucket',
};
const GARBLED: Meaning = {
  code: 'STORAGE_FAILED',
  advice: 'the bytes were garbled on the way, try again',
  retryable: true,
};
const CLOCK: Meaning = { code: 'CLOCK_SKEW', advice: "set this machine's clock" };

const BY_NAME: Readonly<Record<string, Meaning>> = Object.freeze({
  NoSuchBucket: NO_BUCKET,
  RequestTimeTooSkewed: CLOCK,
  RequestExpired: CLOCK,
  SlowDown: THROTTLED,
  Throttling: THROTTLED,
  ThrottlingException: THROTTLED,
  TooManyRequests: THROTTLED,
  RequestLimitExceeded: THROTTLED,
  OperationAborted: UNAVAILABLE,
  ConditionalRequestConflict: UNAVAILABLE,
  RequestTimeout: TIMEOUT,
  QuotaExceeded: FULL,
  XMinioStorageFull: FULL,
  XMinioAdminBucketQuotaExceeded: FULL,
  ExpiredToken: DENIED,
  InvalidToken: DENIED,
  TokenRefreshRequired: DENIED,
  InvalidAccessKeyId: DENIED,
  SignatureDoesNotMatch: DENIED,
  AuthorizationHeaderMalformed: REGION,
  PermanentRedirect: REGION,
  IllegalLocationConstraintException: REGION,
  BadDigest: GARBLED,
  XAmzContentSHA256Mismatch: GARBLED,
  IncompleteBody: GARBLED,
});

const BY_STATUS: Readonly<Record<number, Meaning>> = Object.freeze({
  301: REGION,
  302: REGION,
  303: REGION,
  307: REGION,
  308: REGION,
  401: DENIED,
  403: DENIED,
  408: TIMEOUT,
  429: THROTTLED,
  501: { code: 'STORAGE_FAILED', advice: 'the server does not know this request' },
  504: TIMEOUT,
  507: FULL,
});

const BY_SYSTEM_CODE: Readonly<Record<string, Meaning>> = Object.freeze({
  ECONNREFUSED: UNAVAILABLE,
  ECONNRESET: UNAVAILABLE,
  ECONNABORTED: UNAVAILABLE,
  EPIPE: UNAVAILABLE,
  ENOTFOUND: UNAVAILABLE,
  EAI_AGAIN: UNAVAILABLE,
  EHOSTUNREACH: UNAVAILABLE,
  EHOSTDOWN: UNAVAILABLE,
  ENETUNREACH: UNAVAILABLE,
  ENETDOWN: UNAVAILABLE,
  EADDRNOTAVAIL: UNAVAILABLE,
  ETIMEDOUT: TIMEOUT,
  EPROTO: { code: 'STORAGE_FAILED', advice: 'check http:// or https:// in endpoint=' },
});
const CERTIFICATE: Meaning = {
  code: 'STORAGE_FAILED',
  advice: 'name the certificate authority with caFile= (or insecureSkipTlsVerify=true for a test)',
};
const NOT_S3: Meaning = {
  code: 'STORAGE_FAILED',
  advice: 'check that endpoint= is an S3 server',
};
const UNKNOWN: Meaning = { code: 'STORAGE_FAILED', advice: 'see the log of the server' };

/** The error to throw for whatever `client.send` or the body threw. */
export function s3Error(error: unknown, attempt: S3Attempt): EngineError {
  const { signal, verb, displayName } = attempt;
  if (isEngineError(error)) return error;
  if (signal?.aborted) return abortedError(signal);
  const answer = answerOf(error);
  if (answer) return answerError(answer, attempt);
  const systemCode = systemCodeOf(error);
  const meaning = networkMeaning(nameOf(error), systemCode);
  const text = `cannot ${verb} in ${displayName}: ${messageOf(error)}; ${meaning.advice}`;
  return new EngineError(meaning.code, text, { details: { systemCode } });
}

/**
 * Whether the server refused a signature whose time was too far from its own, and the SDK signs by
 * the server's time since (core, AwsSdkSigV4Signer.errorHandler). The answer to a HEAD has no code.
 */
export function isClockCorrected(error: unknown): boolean {
  const answer = answerOf(error);
  const isRefused = answer && (answer.status === 403 || BY_NAME[answer.name] === CLOCK);
  return isRefused === true && field(field(error, '$metadata'), 'clockSkewCorrected') === true;
}

const MESSAGE_CHARACTERS_MAX = 300;

/** What the answer says, when the server gave one; undefined for a failure of the network. */
export function answerOf(error: unknown): Answer | undefined {
  const status = field(field(error, '$metadata'), 'httpStatusCode');
  if (typeof status !== 'number') return undefined;
  const headers = field(field(error, '$response'), 'headers');
  return {
    status,
    name: nameOf(error),
    // The code as it stood in the XML; the name alone may be the SDK's own.
    isNamed: field(error, 'Code') === nameOf(error),
    message: cut(messageOf(error)),
    requestId: text(field(field(error, '$metadata'), 'requestId')),
    retryAfterMs: parseRetryAfter(text(field(headers, 'retry-after')), Date.now()),
    bucketRegion: text(field(headers, 'x-amz-bucket-region')),
  };
}

/** Says where it was cut, so that whoever hides secrets knows that one may end there. */
function cut(message: string): string {
  const isLong = message.length > MESSAGE_CHARACTERS_MAX;
  return isLong ? `${message.slice(0, MESSAGE_CHARACTERS_MAX - 1)}…` : message;
}

/** RFC 9110 10.2.3: seconds, or a date. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

function answerError(answer: Answer, attempt: S3Attempt): EngineError {
  const { status, name, message, requestId, retryAfterMs, bucketRegion } = answer;
  const { id, range, ifAbsent, verb, displayName } = attempt;
  if (id !== undefined) {
    if (isBlobAbsent(answer)) return notFoundError(id, displayName);
    if (status === 416 && range) return rangeError(id, range);
    if (status === 412 && ifAbsent) return existsError(id, displayName);
  }
  const meaning = answerMeaning(answer);
  const details = { status, serverCode: name, requestId, retryAfterMs, bucketRegion };
  return new EngineError(
    meaning.code,
    `cannot ${verb} in ${displayName}: the server answered ${status} ${name}: ${message}; ` +
      meaning.advice,
    { details, retryable: meaning.retryable },
  );
}

/**
 * A 404 is an absence only when S3 says so: one from a proxy in front of a server that is down
 * would make blobs, and with them whole snapshots, look lost. Without a code the SDK calls each 404
 * NotFound.
 */
function isBlobAbsent({ status, name, isNamed }: Answer): boolean {
  return status === 404 && isNamed && (name === 'NoSuchKey' || name === 'NotFound');
}

function answerMeaning({ status, name }: Answer): Meaning {
  const meaning = BY_NAME[name] ?? BY_STATUS[status];
  if (meaning) return meaning;
  if (status === 404 || status >= 500) return UNAVAILABLE;
  // A success that the SDK could not read is the answer of something that is not S3.
  if (status < 300) return NOT_S3;
  return UNKNOWN;
}

function networkMeaning(name: string, systemCode: string | undefined): Meaning {
  // The code first: the SDK calls a reset connection a TimeoutError, too.
  const meaning = BY_SYSTEM_CODE[systemCode ?? ''];
  if (meaning) return meaning;
  if (name === 'TimeoutError') return TIMEOUT;
  if (name === 'HttpError') return NOT_S3;
  const isCertificate = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS/.test(systemCode ?? '');
  if (isCertificate) return CERTIFICATE;
  return systemCode?.startsWith('ERR_SSL') ? (BY_SYSTEM_CODE.EPROTO ?? UNKNOWN) : UNKNOWN;
}

/** The answer is none that an S3 server gives. */
export function notS3(verb: string, displayName: string, got: string): EngineError {
  return new EngineError(
    NOT_S3.code,
    `cannot ${verb} in ${displayName}: the server answered with ${got}; ${NOT_S3.advice}`,
  );
}

/** An answer with an error whose body could not be read; in the form of the SDK's errors. */
export class UnreadError extends Error {
  override readonly name = 'Unread';
  readonly $metadata: Readonly<Record<string, unknown>>;
  readonly $response: Readonly<Record<string, unknown>>;

  constructor(status: number, headers: Readonly<Record<string, string>>) {
    super('the reason that it gave is too long or was cut');
    this.$metadata = { httpStatusCode: status, requestId: headers['x-amz-request-id'] };
    this.$response = { statusCode: status, headers };
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  // Read only, and what comes out is unknown again.
  return (value as Record<string, unknown>)[name];
}
