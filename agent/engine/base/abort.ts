// Cancellation. Everything that can last takes an AbortSignal and checks it on entry.

import { EngineError } from './errors.ts';

/**
 * Throws when the caller has given up.
 * @throws ABORTED
 */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortedError(signal);
}

/** The error that an aborted operation ends with; a reason that is an EngineError stays itself. */
export function abortedError(signal: AbortSignal): EngineError {
  const reason: unknown = signal.reason;
  if (reason instanceof EngineError) return reason;
  return new EngineError('ABORTED', 'the operation was cancelled', { cause: reason });
}
