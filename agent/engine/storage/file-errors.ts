// Translates what a file system says into what a storage says. The one table for it.

import type { ErrorCode } from '#engine/base/error-codes.ts';
import { EngineError, isEngineError, messageOf, systemCodeOf } from '#engine/base/errors.ts';

interface Meaning {
  readonly code: ErrorCode;
  readonly advice: string;
}

const UNAVAILABLE: Meaning = { code: 'STORAGE_UNAVAILABLE', advice: 'try again later' };
const FULL: Meaning = { code: 'STORAGE_FULL', advice: 'free space or raise the quota' };
const DENIED: Meaning = {
  code: 'STORAGE_ACCESS_DENIED',
  advice: 'give this user read and write access to the directory',
};

const MEANINGS: Readonly<Record<string, Meaning>> = Object.freeze({
  ENOSPC: FULL,
  EDQUOT: FULL,
  EFBIG: { code: 'STORAGE_FULL', advice: 'raise the file size limit (ulimit -f)' },
  EROFS: { code: 'STORAGE_READ_ONLY', advice: 'mount the file system writable' },
  EACCES: DENIED,
  EPERM: DENIED,
  EMFILE: { code: 'STORAGE_UNAVAILABLE', advice: 'raise the open file limit (ulimit -n)' },
  ENFILE: UNAVAILABLE,
  EAGAIN: UNAVAILABLE,
  EINTR: UNAVAILABLE,
  ENOMEM: UNAVAILABLE,
  // What a network file system says while its server is away.
  ESTALE: UNAVAILABLE,
  EHOSTDOWN: UNAVAILABLE,
  ENETUNREACH: UNAVAILABLE,
  ETIMEDOUT: { code: 'STORAGE_TIMEOUT', advice: 'check the network file system' },
});
const UNKNOWN: Meaning = { code: 'STORAGE_FAILED', advice: 'check the disk and the system log' };

/** `attempt` as in "write blob x to file:///dir". An EngineError stays itself. */
export function fileError(error: unknown, attempt: string): EngineError {
  if (isEngineError(error)) return error;
  const systemCode = systemCodeOf(error);
  const meaning = MEANINGS[systemCode ?? ''] ?? UNKNOWN;
  return new EngineError(
    meaning.code,
    `cannot ${attempt}: ${messageOf(error)}; ${meaning.advice}`,
    { cause: error, details: { systemCode } },
  );
}

/** The storage's own directory is not there: unmounted, removed or never made. */
export function rootMissingError(displayName: string, cause?: unknown): EngineError {
  return new EngineError(
    'STORAGE_NOT_FOUND',
    `the storage ${displayName} is not there; mount it or check the path ` +
      '(create makes a new one)',
    { cause },
  );
}
