// Every failure that leaves the engine is an EngineError with a code. Callers match on the code,
// people read the message, docs/errors.md has a paragraph for each code (a test compares the two).

import { getSystemErrorMessage } from 'node:util';
import { ERROR_CODES, type ErrorCode } from './error-codes.ts';

export interface EngineErrorOptions {
  /**
   * Whether the same call may succeed later; by default what the code's row in ERROR_CODES says.
   */
  retryable?: boolean;
  /** Values for logs and `-o json`. Never a secret. */
  details?: Readonly<Record<string, unknown>>;
  cause?: unknown;
}

/** A failure with a stable code. The message says what was attempted, on what, and what to do. */
export class EngineError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: EngineErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'EngineError';
    this.code = code;
    this.retryable = options.retryable ?? ERROR_CODES[code].retryable;
    this.details = options.details ?? {};
  }
}

/** True when `error` is an EngineError with one of `codes` (with any code when none is named). */
export function isEngineError(error: unknown, ...codes: ErrorCode[]): error is EngineError {
  return error instanceof EngineError && (codes.length === 0 || codes.includes(error.code));
}

/** The text of anything that was thrown, without its stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` that Node puts on system errors (`ENOENT`, `ENOSPC`, …), if there is one. */
export function systemCodeOf(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return undefined;
}

/** `no space left on device (ENOSPC)` for an error of the system, the text of any other. */
export function systemReasonOf(error: unknown): string {
  const code = systemCodeOf(error);
  const errno = error instanceof Error && 'errno' in error ? error.errno : undefined;
  if (code === undefined || typeof errno !== 'number') return messageOf(error);
  return `${getSystemErrorMessage(errno)} (${code})`;
}

export interface SerializedError {
  code: ErrorCode;
  message: string;
  retryable: boolean;
  details: Readonly<Record<string, unknown>>;
}

/** The form in which an error crosses a thread boundary, where classes are lost. */
export function serializeError(error: unknown): SerializedError {
  if (error instanceof EngineError) {
    const { code, message, retryable, details } = error;
    return { code, message, retryable, details };
  }
  const stack = error instanceof Error ? error.stack : undefined;
  return { code: 'INTERNAL', message: messageOf(error), retryable: false, details: { stack } };
}

/** The inverse of serializeError. */
export function deserializeError(error: SerializedError): EngineError {
  return new EngineError(error.code, error.message, error);
}
