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

/** `promise`, or ABORTED when the signal fires first; what is waited for goes on. */
export async function abortable<Value>(
  promise: Promise<Value>,
  signal: AbortSignal | undefined,
): Promise<Value> {
  throwIfAborted(signal);
  if (signal === undefined) return await promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(abortedError(signal));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
