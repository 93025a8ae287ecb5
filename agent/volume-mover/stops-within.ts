// A move that was told to end has to: a thread that a hung file system holds in the kernel (an NFS
// server that is gone) never hears of it, and would keep the slot and the repository for ever.

import type { Clock } from '#engine/base/clock.ts';
import { EngineError } from '#engine/base/errors.ts';

/**
 * From when a move was told to end. A cancelled backup stores its state first, which takes as long
 * as the storage takes for the packs in flight (80 MiB).
 */
export const STOP_MS_MAX = 120_000;

export type Stopping<Result> =
  | { readonly isEnded: true; readonly result: Result }
  /** It goes on, or hangs; nobody is told what becomes of it. */
  | { readonly isEnded: false };

/** Waits for `work`; once the signal has fired, for `stopMs`. @throws what `work` throws */
export async function stopsWithin<Result>(
  stopMs: number,
  work: Promise<Result>,
  { signal, clock }: { readonly signal: AbortSignal; readonly clock: Clock },
): Promise<Stopping<Result>> {
  const { promise: late, resolve } = Promise.withResolvers<Stopping<Result>>();
  const ended = new AbortController();
  const onAbort = (): void => {
    const waiting = clock.sleep(stopMs, ended.signal);
    waiting.then(() => resolve({ isEnded: false })).catch(() => undefined);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (signal.aborted) onAbort();
    const result = work.then(value => ({ isEnded: true, result: value }) as const);
    return await Promise.race([result, late]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    ended.abort();
  }
}

export function notAnswering(path: string, stopMs: number): EngineError {
  const seconds = Math.ceil(stopMs / 1000);
  const text =
    `the volume at ${path} does not answer: ${seconds} s after the move was told to end it ` +
    'still holds threads';
  const advice =
    'check the server of that file system (NFS) or its daemon (FUSE), and mount the volume anew ' +
    'by deleting the pod';
  return new EngineError('VOLUME_UNRESPONSIVE', `${text}; ${advice}`);
}
