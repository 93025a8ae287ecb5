// One request's time. A request ends when the caller gives up or when its time is over,
// whichever is sooner; the timer and the listener end with the request. What it was held up by
// ourselves is not its time.

import { abortable, abortedError } from '#engine/base/abort.ts';
import { EngineError } from '#engine/base/errors.ts';

export interface RequestTime {
  readonly timeoutMs: number;
  /** Grows while requests are held up on our side. */
  readonly heldUpMs?: () => number;
}

/**
 * Runs `work` with a signal that fires with the caller's or after `timeoutMs`.
 * @throws STORAGE_TIMEOUT
 */
export async function withDeadline<Result>(
  { timeoutMs, heldUpMs = () => 0 }: RequestTime,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  let countedMs = heldUpMs();
  const expire = (): void => {
    const leftMs = heldUpMs() - countedMs;
    countedMs += leftMs;
    if (leftMs >= 1) {
      timer = setTimeout(expire, leftMs);
      return;
    }
    const message = `the server took more than ${timeoutMs} ms for one request`;
    controller.abort(new EngineError('STORAGE_TIMEOUT', message));
  };
  const giveUp = (): void => controller.abort(signal?.reason);
  let timer = setTimeout(expire, timeoutMs);
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    // Not everything heeds the signal: the SDK waits for credentials as long as they take. What it
    // sends then is refused.
    return await abortable(work(controller.signal), controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? abortedError(controller.signal) : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
  }
}
